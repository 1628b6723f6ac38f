"""`AutoConfig`, and the table of configuration classes."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ...configuration_utils import PretrainedConfig, _load
from ...dynamic_module_utils import get_class_from_dynamic_module, resolve_trust_remote_code
from ...errors import UnknownModelTypeError
from ...registry import architectures, by_config_name, exports

__all__ = ["ALL_PRETRAINED_CONFIG_ARCHIVE_MAP", "CONFIG_MAPPING", "MODEL_NAMES_MAPPING", "AutoConfig"]

# The reference kept addresses of checkpoints here; a name on the Hub is all that is needed.
ALL_PRETRAINED_CONFIG_ARCHIVE_MAP: dict[str, str] = {}


class _LazyConfigMapping(Mapping[str, type[PretrainedConfig]]):
    """Model type -> configuration class, imported on access. `register` adds users' own."""

    def __init__(self) -> None:
        self._extra_content: dict[str, type[PretrainedConfig]] = {}

    def __getitem__(self, key: str) -> type[PretrainedConfig]:
        if key not in self:
            raise UnknownModelTypeError(_unknown(key, self))
        if key in self._extra_content:
            return self._extra_content[key]
        name = architectures()[key].config
        assert name is not None
        return exports()[name].load(name)  # it may be that of another architecture

    def __iter__(self) -> Iterator[str]:
        yield from (name for name, arch in architectures().items() if arch.config)
        yield from (name for name in self._extra_content if name not in architectures())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:  # Mapping's own would import the class
        if not isinstance(key, str):  # a file may hold anything
            return False
        return key in self._extra_content or (key in architectures() and architectures()[key].config is not None)

    def register(self, key: str, value: type[PretrainedConfig], exist_ok: bool = False) -> None:
        """Add a configuration class.

        Raises:
            ValueError: the model type is taken, and `exist_ok` is not set.
        """
        if key in architectures() and not exist_ok:
            raise ValueError(
                f"'{key}' is already used by isoform: pass exist_ok=True to replace it, or choose another name."
            )
        self._extra_content[key] = value


CONFIG_MAPPING = _LazyConfigMapping()


# Tables that need the registry, built when they are first read.
CONFIG_MAPPING_NAMES: dict[str, str]
MODEL_NAMES_MAPPING: dict[str, str]
SPECIAL_MODEL_TYPE_TO_MODULE_NAME: dict[str, str]


def __getattr__(name: str) -> Any:
    if name == "CONFIG_MAPPING_NAMES":
        table = {key: arch.config for key, arch in architectures().items() if arch.config}
    elif name == "MODEL_NAMES_MAPPING":
        table = {key: arch.title for key, arch in architectures().items()}
    elif name == "SPECIAL_MODEL_TYPE_TO_MODULE_NAME":
        table = {key: arch.folder for key, arch in architectures().items() if arch.folder != key.replace("-", "_")}
    else:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()[name] = table
    return table


def model_type_to_module_name(key: str) -> str:
    """The package below `isoform.models` that a model type lives in."""
    arch = architectures().get(key)
    return arch.folder if arch else key.replace("-", "_")


def config_class_to_model_type(config: str) -> str | None:
    """The model type that belongs to the name of a configuration class."""
    registered = {cls.__name__: key for key, cls in CONFIG_MAPPING._extra_content.items()}
    arch = by_config_name().get(config)
    return arch.model_type if arch else registered.get(config)


def _unknown(model_type: object, known: Mapping[str, Any]) -> str:
    """What to say about a model type that does not exist: the nearest ones, and how to add it."""
    names = sorted(known)
    near = difflib.get_close_matches(str(model_type), names, n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Should be one of {', '.join(names)}."
    return (
        f"Unrecognized model identifier (model_type): {model_type!r}. {hint} An architecture of your own can be added"
        " with AutoConfig.register(model_type, ConfigClass)."
    )


class AutoConfig:
    """Finds the configuration class by the `model_type` in a `config.json`."""

    def __init__(self) -> None:
        raise OSError(
            "AutoConfig has no instances: call `AutoConfig.from_pretrained(name_or_path)`, which chooses the class."
        )

    @classmethod
    def for_model(cls, model_type: str, *args: Any, **kwargs: Any) -> Any:
        """A new configuration of a model type.

        Raises:
            UnknownModelTypeError: (a `ValueError`) there is no such type; the message lists the nearest.
        """
        return CONFIG_MAPPING[model_type](*args, **kwargs)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Read a configuration from a folder, a JSON file or a repository of the Hub.

        Args:
            pretrained_model_name_or_path: A folder with a `config.json`, a JSON file, or a Hub id.
            kwargs: Those of `PretrainedConfig.from_pretrained`, and `trust_remote_code=True` to run the code that the
                repository brings for its configuration (`code_revision`: at which revision).

        Raises:
            OSError: there is no such file, or it is not JSON.
            ConfigError: (a `ValueError`) the file names no known `model_type`, or holds wrong values.
            RemoteCodeError: (a `ValueError`) the configuration needs code that the caller does not trust.
        """
        trust_remote_code = kwargs.pop("trust_remote_code", None)
        code_revision = kwargs.pop("code_revision", None)
        PretrainedConfig._set_token_in_kwargs(kwargs)
        return_unused = kwargs.pop("return_unused_kwargs", False)
        values, path, unused = _load(pretrained_model_name_or_path, kwargs | {"_from_auto": True})
        model_type = values.get("model_type")
        auto_map = values.get("auto_map")
        reference = auto_map.get("AutoConfig") if isinstance(auto_map, dict) else None
        if resolve_trust_remote_code(
            trust_remote_code, pretrained_model_name_or_path, model_type in CONFIG_MAPPING, reference is not None
        ):
            config_class = get_class_from_dynamic_module(
                str(reference), pretrained_model_name_or_path, code_revision=code_revision, **kwargs
            )
            if os.path.isdir(pretrained_model_name_or_path):
                config_class.register_for_auto_class()
        else:
            config_class = _class_for(model_type, pretrained_model_name_or_path, path)
        options = unused | {"name_or_path": str(pretrained_model_name_or_path), "return_unused_kwargs": return_unused}
        return config_class._from_file(values, path, options)

    @staticmethod
    def register(model_type: str, config: type[PretrainedConfig], exist_ok: bool = False) -> None:
        """Add a configuration class of one's own.

        Args:
            model_type: Its `model_type`.
            config: The class.
            exist_ok: Replace a class of isoform that has this type.

        Raises:
            ValueError: the type is taken, or the class has another `model_type`.
        """
        if issubclass(config, PretrainedConfig) and config.model_type != model_type:
            raise ValueError(
                f"The config class has the `model_type` {config.model_type}, but is being registered as "
                f"{model_type}: register it under its own."
            )
        CONFIG_MAPPING.register(model_type, config, exist_ok=exist_ok)


def _class_for(model_type: Any, name_or_path: object, path: str) -> type[PretrainedConfig]:
    """The configuration class of a file; very old files have no model type, and the name of the folder decides."""
    if model_type is not None:
        try:
            return CONFIG_MAPPING[model_type]
        except UnknownModelTypeError as error:
            raise error.in_file(path) from None
    for pattern in sorted(CONFIG_MAPPING, key=len, reverse=True):
        if pattern in str(name_or_path):
            return CONFIG_MAPPING[pattern]
    raise UnknownModelTypeError(
        f"{name_or_path}: cannot tell the kind of model. Its config.json should have a `model_type` key, or the "
        f"name should contain one of {', '.join(CONFIG_MAPPING)}",
        file=path,
    )
