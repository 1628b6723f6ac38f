"""Checks of configurations that several architectures share. Imports no torch."""

from __future__ import annotations

from typing import Any

from .errors import ConfigError


def check_heads(config: Any) -> None:
    """The hidden size must split evenly over the heads, and the heads over the key/value heads."""
    if config.hidden_size % config.num_attention_heads:
        raise ConfigError(
            f"{type(config).__name__}: hidden_size ({config.hidden_size}) must be divisible by num_attention_heads"
            f" ({config.num_attention_heads})"
        )
    groups = getattr(config, "num_key_value_heads", None)
    if groups and config.num_attention_heads % groups:
        raise ConfigError(
            f"{type(config).__name__}: num_attention_heads ({config.num_attention_heads}) must be divisible by"
            f" num_key_value_heads ({groups})"
        )


def check_rope_scaling(config: Any) -> None:
    """`rope_scaling` must be None or `{"type": "linear" | "dynamic", "factor": float > 1}`."""
    scaling = config.rope_scaling
    if scaling is None:
        return
    if not isinstance(scaling, dict) or len(scaling) != 2:
        raise ConfigError(f"`rope_scaling` must be a dictionary of exactly `type` and `factor`, found {scaling}")
    kind, factor = scaling.get("type"), scaling.get("factor")
    if kind not in ("linear", "dynamic"):
        raise ConfigError(f"`rope_scaling`: `type` must be 'linear' or 'dynamic', found {kind!r}")
    if not isinstance(factor, float) or factor <= 1.0:
        raise ConfigError(f"`rope_scaling`: `factor` must be a float above 1.0, found {factor!r}")


def build_part(config: Any, name: str, part_class: type[Any]) -> None:
    """Make the nested configuration `config.<name>` one of `part_class`: it may be that already, a dictionary or None.

    Old files also have a `<name>_dict`, whose values win.
    """
    value: Any = getattr(config, name)
    old: Any = vars(config).pop(f"{name}_dict", None)
    if isinstance(value, part_class) and old is None:
        return
    if value is not None and not isinstance(value, (dict, part_class)):
        raise ConfigError(field=name, expected=f"a dictionary, a {part_class.__name__} or None", found=value)
    given: Any = value
    values: dict[str, Any] = given.to_dict() if isinstance(given, part_class) else dict(given or {})
    if old is not None:
        values.update(part_class(**old).to_dict())
    setattr(config, name, part_class(**values))


def build_backbone(config: Any, default: dict[str, Any] | None = None) -> None:
    """Make `config.backbone_config` a configuration: it may be that already, a dictionary with a `model_type`, or None.

    Args:
        default: the dictionary to take for None; without one, None stays.
    """
    from .models.auto.configuration_auto import CONFIG_MAPPING

    value = config.backbone_config
    value = dict(default) if value is None and default is not None else value
    if isinstance(value, dict):
        value = dict(value)
        model_type: Any = value.get("model_type")
        if model_type not in CONFIG_MAPPING:
            known = ", ".join(sorted(CONFIG_MAPPING.keys()))
            raise ConfigError(
                field="backbone_config", expected=f"a dictionary whose model_type is one of {known}", found=model_type
            )
        value = CONFIG_MAPPING[model_type].from_dict(value)
    if value is not None and not hasattr(value, "to_dict"):
        raise ConfigError(
            f"backbone_config must be a dictionary or a `PretrainedConfig`, got {type(value)}.", field="backbone_config"
        )
    config.backbone_config = value


def check_patches(config: Any) -> None:
    """`image_size` and `patch_size` must be one number or (height, width), and a patch must fit into the image."""
    sizes = []
    for name in ("image_size", "patch_size"):
        value = getattr(config, name)
        pair = value if isinstance(value, (list, tuple)) else (value, value)
        if len(pair) != 2:
            raise ConfigError(field=name, expected="one number, or height and width", found=value)
        sizes.append(pair)
    if any(patch > image for image, patch in zip(*sizes)):
        raise ConfigError(
            f"{type(config).__name__}: patch_size ({config.patch_size}) must not exceed image_size"
            f" ({config.image_size})"
        )
