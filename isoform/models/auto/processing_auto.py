"""`AutoProcessor`: finds the processor class of a checkpoint."""

from __future__ import annotations

import functools
import os
from collections import OrderedDict
from typing import Any

from ...configuration_utils import PretrainedConfig
from ...dynamic_module_utils import get_class_from_dynamic_module, resolve_trust_remote_code
from ...registry import architectures
from .auto_factory import _LazyAutoMapping
from .configuration_auto import AutoConfig
from .feature_extraction_auto import HUB_OPTIONS, get_feature_extractor_config, preprocessor_class_from_name
from .tokenization_auto import get_tokenizer_config

__all__ = ["PROCESSOR_MAPPING", "AutoProcessor"]


@functools.cache
def _mapping_names() -> OrderedDict[str, str]:
    """Model type to the name of its processor class."""
    declared = ((name, arch.processor) for name, arch in architectures().items())
    return OrderedDict((name, processor) for name, processor in declared if processor)


def __getattr__(name: str) -> Any:
    if name == "PROCESSOR_MAPPING_NAMES":
        return _mapping_names()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


PROCESSOR_MAPPING = _LazyAutoMapping(None, _mapping_names)


def processor_class_from_name(class_name: str) -> type | None:
    """The processor class with a name, of isoform or registered; None if there is none."""
    return preprocessor_class_from_name(class_name, PROCESSOR_MAPPING)


class AutoProcessor:
    """Makes the processor that belongs to a checkpoint. It has no instances, use `from_pretrained`."""

    def __init__(self) -> None:
        raise OSError(
            "AutoProcessor has no instances: call `AutoProcessor.from_pretrained(name_or_path)`, which chooses the "
            "class."
        )

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """The processor of a checkpoint; where it has none, its tokenizer, image processor or feature extractor.

        The class is that of `processor_class` in `preprocessor_config.json`, in `tokenizer_config.json` or in
        `config.json`, else the one that belongs to the configuration's class.

        Args:
            pretrained_model_name_or_path: A folder, or a Hub id.
            kwargs: Those of the processor's `from_pretrained`; `config`, a configuration to take the class from;
                `trust_remote_code=True` to run the code that the repository brings.

        Raises:
            OSError: Files are missing or broken.
            ValueError: The checkpoint has nothing of all that.
        """
        name = pretrained_model_name_or_path
        PretrainedConfig._set_token_in_kwargs(kwargs)
        config, trust = kwargs.pop("config", None), kwargs.pop("trust_remote_code", None)
        code_revision = kwargs.pop("code_revision", None)
        kwargs["_from_auto"] = True
        hub = {key: kwargs[key] for key in HUB_OPTIONS if key in kwargs}
        class_name, reference = _named(get_feature_extractor_config(name, **hub))
        if class_name is None:
            class_name, found_reference = _named(get_tokenizer_config(name, **hub))
            reference = reference or found_reference
        problem: Exception | None = None
        if class_name is None:
            if not isinstance(config, PretrainedConfig):
                config, problem = _configuration(name, trust, hub)
            class_name, found_reference = _named(vars(config) if config is not None else {})
            reference = reference or found_reference
        found: Any = processor_class_from_name(class_name) if class_name is not None else None
        if found is None and type(config) in PROCESSOR_MAPPING:
            found = PROCESSOR_MAPPING[type(config)]
        if resolve_trust_remote_code(trust, name, found is not None, reference is not None):
            found = get_class_from_dynamic_module(str(reference), name, code_revision=code_revision, **hub)
            if os.path.isdir(name):
                found.register_for_auto_class()
        if found is not None:
            return found.from_pretrained(name, trust_remote_code=trust, **kwargs)
        return _only_part(name, config, problem, trust, kwargs)

    @staticmethod
    def register(config_class: type, processor_class: type, exist_ok: bool = False) -> None:
        """Tell which processor belongs to a configuration class of your own.

        Raises:
            ValueError: There is one already, and `exist_ok` is not set.
        """
        PROCESSOR_MAPPING.register(config_class, processor_class, exist_ok=exist_ok)


def _named(values: dict[str, Any]) -> tuple[str | None, str | None]:
    """The class that a file names, and the reference to one in the repository's code."""
    auto_map = values.get("auto_map")
    return values.get("processor_class"), auto_map.get("AutoProcessor") if isinstance(auto_map, dict) else None


def _configuration(name: Any, trust: bool | None, hub: dict[str, Any]) -> tuple[Any, Exception | None]:
    """The configuration of a checkpoint; or None, and why there is none."""
    try:
        return AutoConfig.from_pretrained(name, trust_remote_code=trust, **hub), None
    except (OSError, ValueError) as error:
        return None, error


def _only_part(name: Any, config: Any, problem: Exception | None, trust: bool | None, kwargs: dict[str, Any]) -> Any:
    """The tokenizer, image processor or feature extractor of a checkpoint without a processor."""
    from .feature_extraction_auto import AutoFeatureExtractor
    from .image_processing_auto import AutoImageProcessor
    from .tokenization_auto import AutoTokenizer

    problems = []
    for auto in (AutoTokenizer, AutoImageProcessor, AutoFeatureExtractor):
        options = dict(kwargs) if config is None else {**kwargs, "config": config}
        try:
            return auto.from_pretrained(name, trust_remote_code=trust, **options)
        except (OSError, ValueError, KeyError) as error:
            problems.append(f"{auto.__name__}: {error}")
    if isinstance(problem, OSError) and not os.path.isdir(name):
        raise problem
    raise ValueError(
        f"{os.fspath(name)} has no processor, and no tokenizer, image processor or feature extractor either.\n"
        + "\n".join(problems)
    )
