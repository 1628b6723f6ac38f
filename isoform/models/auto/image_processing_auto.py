"""`AutoImageProcessor`: finds the image processor class of a checkpoint."""

from __future__ import annotations

import functools
import os
from collections import OrderedDict
from typing import Any

from ...configuration_utils import PretrainedConfig
from ...registry import architectures
from ...utils import logging
from .auto_factory import _LazyAutoMapping
from .feature_extraction_auto import (
    HUB_OPTIONS,
    find_preprocessor,
    get_feature_extractor_config,
    preprocessor_class_from_name,
)

__all__ = ["IMAGE_PROCESSOR_MAPPING", "AutoImageProcessor"]

logger = logging.get_logger(__name__)


@functools.cache
def _mapping_names() -> OrderedDict[str, str]:
    """Model type to the name of its image processor class."""
    declared = ((name, arch.image_processor) for name, arch in architectures().items())
    return OrderedDict((name, processor) for name, processor in declared if processor)


def __getattr__(name: str) -> Any:
    if name == "IMAGE_PROCESSOR_MAPPING_NAMES":
        return _mapping_names()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


IMAGE_PROCESSOR_MAPPING = _LazyAutoMapping(None, _mapping_names)

get_image_processor_config = get_feature_extractor_config  # they are kept in the same file


def image_processor_class_from_name(class_name: str) -> type | None:
    """The image processor class with a name, of isoform or registered; None if there is none."""
    return preprocessor_class_from_name(class_name, IMAGE_PROCESSOR_MAPPING)


def with_image_processor_names(values: dict[str, Any]) -> dict[str, Any]:
    """The contents of a `preprocessor_config.json`; in old ones, the names of feature extractors become new ones."""
    values = dict(values)
    if values.get("image_processor_type") is None and "AutoImageProcessor" not in (values.get("auto_map") or {}):
        old_class = values.pop("feature_extractor_type", None)
        old_reference = (values.get("auto_map") or {}).get("AutoFeatureExtractor")
        if old_class is not None:
            values["image_processor_type"] = old_class.replace("FeatureExtractor", "ImageProcessor")
        if old_reference is not None:
            new_reference = old_reference.replace("FeatureExtractor", "ImageProcessor")
            values["auto_map"] = {**values["auto_map"], "AutoImageProcessor": new_reference}
    return values


class AutoImageProcessor:
    """Makes the image processor that belongs to a checkpoint. It has no instances, use `from_pretrained`."""

    def __init__(self) -> None:
        raise OSError(
            "AutoImageProcessor has no instances: call `AutoImageProcessor.from_pretrained(name_or_path)`, which "
            "chooses the class."
        )

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """The image processor of a checkpoint.

        Args:
            pretrained_model_name_or_path: A folder with a `preprocessor_config.json`, such a file, or a Hub id.
            kwargs: Those of `ImageProcessingMixin.from_pretrained`; `config`, a configuration to take the class from;
                `trust_remote_code=True` to run the code that the repository brings.

        Raises:
            OSError: Files are missing or broken.
            ValueError: Nothing tells the class.
        """
        from ...image_processing_utils import ImageProcessingMixin

        PretrainedConfig._set_token_in_kwargs(kwargs)
        special = {key: kwargs.pop(key) for key in ("config", "trust_remote_code", "code_revision") if key in kwargs}
        values, path, unused = ImageProcessingMixin._read(pretrained_model_name_or_path, {**kwargs, "_from_auto": True})
        values = with_image_processor_names(values)
        options = {**{key: value for key, value in kwargs.items() if key in HUB_OPTIONS}, **special}
        found = find_preprocessor(
            pretrained_model_name_or_path,
            values,
            "AutoImageProcessor",
            "image_processor_type",
            IMAGE_PROCESSOR_MAPPING,
            options,
        )
        return found.from_file_values(values, path, unused)

    @staticmethod
    def register(config_class: type, image_processor_class: type, exist_ok: bool = False) -> None:
        """Tell which image processor belongs to a configuration class of your own.

        Raises:
            ValueError: There is one already, and `exist_ok` is not set.
        """
        IMAGE_PROCESSOR_MAPPING.register(config_class, image_processor_class, exist_ok=exist_ok)
