"""`AutoFeatureExtractor`: finds the feature extractor class of a checkpoint."""

from __future__ import annotations

import functools
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...configuration_utils import PretrainedConfig
from ...dynamic_module_utils import get_class_from_dynamic_module, resolve_trust_remote_code
from ...registry import architectures, exports
from ...utils.constants import FEATURE_EXTRACTOR_NAME
from .auto_factory import _LazyAutoMapping
from .configuration_auto import AutoConfig

__all__ = ["FEATURE_EXTRACTOR_MAPPING", "AutoFeatureExtractor"]

# Options that say where files are looked for; all others go to the preprocessor.
HUB_OPTIONS = (
    "cache_dir",
    "force_download",
    "resume_download",
    "proxies",
    "token",
    "revision",
    "local_files_only",
    "subfolder",
)


@functools.cache
def _mapping_names() -> OrderedDict[str, str]:
    """Model type to the name of its feature extractor class."""
    declared = ((name, arch.feature_extractor) for name, arch in architectures().items())
    return OrderedDict((name, extractor) for name, extractor in declared if extractor)


def __getattr__(name: str) -> Any:
    if name == "FEATURE_EXTRACTOR_MAPPING_NAMES":
        return _mapping_names()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


FEATURE_EXTRACTOR_MAPPING = _LazyAutoMapping(None, _mapping_names)


def feature_extractor_class_from_name(class_name: str) -> type | None:
    """The feature extractor class with a name, of isoform or registered; None if there is none."""
    return preprocessor_class_from_name(class_name, FEATURE_EXTRACTOR_MAPPING)


def preprocessor_class_from_name(class_name: str, mapping: _LazyAutoMapping) -> type | None:
    """The class with a name, of isoform's preprocessors or of those registered in `mapping`; None if there is none."""
    for candidate in mapping._extra_content.values():
        if getattr(candidate, "__name__", None) == class_name:
            return candidate
    export = exports().get(class_name)
    kinds = (".feature_extraction_", ".image_processing_", ".processing_")
    return export.load(class_name) if export is not None and any(kind in export.module for kind in kinds) else None


def get_feature_extractor_config(
    pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
) -> dict[str, Any]:
    """The contents of a checkpoint's `preprocessor_config.json`; an empty dictionary if it has none.

    Args:
        pretrained_model_name_or_path: A folder, or a Hub id.
        kwargs: `cache_dir`, `force_download`, `token`, `revision`, `local_files_only`.
    """
    from ...feature_extraction_utils import _read_json
    from ...utils.hub import get_file_from_repo

    PretrainedConfig._set_token_in_kwargs(kwargs)
    path = get_file_from_repo(pretrained_model_name_or_path, FEATURE_EXTRACTOR_NAME, **kwargs)
    return {} if path is None else _read_json(path)


def find_preprocessor(
    name: str | os.PathLike[str],
    values: dict[str, Any],
    auto_class: str,
    type_key: str,
    mapping: _LazyAutoMapping,
    kwargs: dict[str, Any],
    class_from_name: Callable[[str], type | None] | None = None,
) -> Any:
    """The class of the preprocessor of a checkpoint.

    It is the one that `values[type_key]` names, else that of the configuration, else the one in `mapping` for the
    configuration's class; or, where the caller trusts it, the one that the repository brings.

    Args:
        name: The checkpoint.
        values: Contents of its `preprocessor_config.json`.
        auto_class: "AutoFeatureExtractor", the entry of `auto_map` that names the repository's own class.
        type_key: "feature_extractor_type".
        mapping: Configuration class to class.
        kwargs: Of the caller; `config`, `trust_remote_code` and `code_revision` are taken out of it.
        class_from_name: How a name becomes a class, if not by `preprocessor_class_from_name`.

    Raises:
        ValueError: Nothing tells the class.
        RemoteCodeError: The repository has a class of its own, which the caller does not trust.
    """
    config, trust = kwargs.pop("config", None), kwargs.pop("trust_remote_code", None)
    code_revision = kwargs.pop("code_revision", None)
    hub = {key: kwargs[key] for key in HUB_OPTIONS if key in kwargs}
    class_name, reference = values.get(type_key), (values.get("auto_map") or {}).get(auto_class)
    if class_name is None and reference is None:
        if not isinstance(config, PretrainedConfig):
            config = AutoConfig.from_pretrained(name, trust_remote_code=trust, **hub)
        class_name = getattr(config, type_key, None)
        reference = (getattr(config, "auto_map", None) or {}).get(auto_class)
    found: Any = None
    if class_name is not None:
        found = class_from_name(class_name) if class_from_name else preprocessor_class_from_name(class_name, mapping)
    if found is None and type(config) in mapping:
        found = mapping[type(config)]
    if resolve_trust_remote_code(trust, name, found is not None, reference is not None):
        found = get_class_from_dynamic_module(str(reference), name, code_revision=code_revision, **hub)
        if os.path.isdir(name):
            found.register_for_auto_class()
    if found is None:
        known = ", ".join(sorted(mapping._model_mapping))
        named = f"{type_key} {class_name!r}, which isoform lacks" if class_name else f"no {type_key}"
        raise ValueError(
            f"Unrecognized preprocessor in {os.fspath(name)}: its {FEATURE_EXTRACTOR_NAME} has {named}, and its "
            f"config.json has none of the model types with one ({known}). Use the class itself, or add it to the file."
        )
    return found


class AutoFeatureExtractor:
    """Makes the feature extractor that belongs to a checkpoint. It has no instances, use `from_pretrained`."""

    def __init__(self) -> None:
        raise OSError(
            "AutoFeatureExtractor has no instances: call `AutoFeatureExtractor.from_pretrained(name_or_path)`, which "
            "chooses the class."
        )

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """The feature extractor of a checkpoint.

        Args:
            pretrained_model_name_or_path: A folder with a `preprocessor_config.json`, such a file, or a Hub id.
            kwargs: Those of `FeatureExtractionMixin.from_pretrained`; `config`, a configuration to take the class from;
                `trust_remote_code=True` to run the code that the repository brings.

        Raises:
            OSError: Files are missing or broken.
            ValueError: Nothing tells the class.
        """
        from ...feature_extraction_utils import FeatureExtractionMixin

        PretrainedConfig._set_token_in_kwargs(kwargs)
        special = {key: kwargs.pop(key) for key in ("config", "trust_remote_code", "code_revision") if key in kwargs}
        values, path, unused = FeatureExtractionMixin._read(
            pretrained_model_name_or_path, {**kwargs, "_from_auto": True}
        )
        options = {**{k: v for k, v in kwargs.items() if k in HUB_OPTIONS}, **special}
        found = find_preprocessor(
            pretrained_model_name_or_path,
            values,
            "AutoFeatureExtractor",
            "feature_extractor_type",
            FEATURE_EXTRACTOR_MAPPING,
            options,
        )
        return found.from_file_values(values, path, unused)

    @staticmethod
    def register(config_class: type, feature_extractor_class: type, exist_ok: bool = False) -> None:
        """Tell which feature extractor belongs to a configuration class of your own.

        Raises:
            ValueError: There is one already, and `exist_ok` is not set.
        """
        FEATURE_EXTRACTOR_MAPPING.register(config_class, feature_extractor_class, exist_ok=exist_ok)
