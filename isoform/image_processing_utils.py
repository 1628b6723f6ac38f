"""What image processors are built on: files, sizes, and the operations that the subclasses share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from .feature_extraction_utils import BatchFeature, Preprocessor, PreprocessorMixin
from .image_transforms import center_crop, normalize, rescale
from .image_utils import ChannelDimension, load_image
from .utils import logging
from .utils.constants import IMAGE_PROCESSOR_NAME

__all__ = [
    "IMAGE_PROCESSOR_NAME",
    "VALID_SIZE_DICT_KEYS",
    "BaseImageProcessor",
    "BatchFeature",
    "DeprecatedFeatureExtractor",
    "ImageProcessingMixin",
    "convert_to_size_dict",
    "get_size_dict",
    "is_valid_size_dict",
]

logger = logging.get_logger(__name__)

VALID_SIZE_DICT_KEYS = (
    {"height", "width"},
    {"shortest_edge"},
    {"shortest_edge", "longest_edge"},
    {"longest_edge"},
)


class ImageProcessingMixin(PreprocessorMixin):
    """Loading and saving of image processors."""

    type_key = "image_processor_type"
    # Settings of the constructor that normalises what it is given: replaced before it is called, not after.
    normalized: ClassVar[tuple[str, ...]] = ("size", "crop_size")

    @classmethod
    def get_image_processor_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The contents of a `preprocessor_config.json`, and those kwargs that did not serve to find it."""
        values, _, kwargs = cls._read(pretrained_model_name_or_path, kwargs)
        return values, kwargs

    @classmethod
    def from_dict(  # type: ignore[override]  # the name of the argument is documented
        cls: type[Preprocessor], image_processor_dict: dict[str, Any], **kwargs: Any
    ) -> Preprocessor:
        """An image processor from the contents of a file; kwargs replace settings that exist.

        `return_unused_kwargs=True` returns a pair, with the kwargs that are no setting.
        """
        values = dict(image_processor_dict)
        for name in cls.normalized:  # type: ignore[attr-defined]
            if name in kwargs and name in values:
                values[name] = kwargs.pop(name)
        return super().from_dict(values, **kwargs)  # type: ignore[misc]

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoImageProcessor") -> None:
        """Make `save_pretrained` copy the source of this class too, so that `auto_class` can load it elsewhere."""
        cls._register(auto_class)

    def fetch_images(self, image_url_or_urls: Any) -> Any:
        """The image at an address or a path; a list of them for a (nested) list.

        Raises:
            TypeError: It is neither a string nor a list.
        """
        if isinstance(image_url_or_urls, list):
            return [self.fetch_images(item) for item in image_url_or_urls]
        if isinstance(image_url_or_urls, str):
            return load_image(image_url_or_urls)
        raise TypeError(f"Expected an address, or a list of addresses, found {type(image_url_or_urls).__name__}")


class BaseImageProcessor(ImageProcessingMixin):
    """Base class of image processors. A subclass defines `preprocess`."""

    def __call__(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare an image, or a batch of images: see `preprocess`."""
        return self.preprocess(images, **kwargs)

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare an image, or a batch of images."""
        raise NotImplementedError(f"{type(self).__name__} does not define `preprocess`")

    def rescale(
        self,
        image: np.ndarray,
        scale: float,
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The image times a factor, in float32: see `image_transforms.rescale`."""
        return rescale(image, scale, data_format=data_format, input_data_format=input_data_format, **kwargs)

    def normalize(
        self,
        image: np.ndarray,
        mean: float | Iterable[float],
        std: float | Iterable[float],
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """`(image - mean) / std` for each channel: see `image_transforms.normalize`."""
        return normalize(image, mean, std, data_format=data_format, input_data_format=input_data_format, **kwargs)  # type: ignore[arg-type]

    def center_crop(
        self,
        image: np.ndarray,
        size: dict[str, int],
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The middle of an image, padded with zeros where it is smaller.

        Raises:
            ValueError: `size` has no "height" or no "width".
        """
        height, width = height_and_width(get_size_dict(size))
        return center_crop(
            image, (height, width), data_format=data_format, input_data_format=input_data_format, **kwargs
        )


class DeprecatedFeatureExtractor(BaseImageProcessor):
    """Makes an image processor one that says that its name is deprecated; stands first among the base classes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        new = next(base.__name__ for base in type(self).__mro__ if base.__name__.endswith("ImageProcessor"))
        warnings.warn(f"{type(self).__name__} is deprecated: use {new}.", FutureWarning, stacklevel=2)
        super().__init__(*args, **kwargs)


def height_and_width(size: Mapping[str, int], name: str = "size") -> tuple[int, int]:
    """The numbers of `{"height": …, "width": …}`.

    Raises:
        ValueError: One is missing.
    """
    if "height" not in size or "width" not in size:
        raise ValueError(f'{name} must have the keys "height" and "width", found {", ".join(size)}')
    return size["height"], size["width"]


def is_valid_size_dict(size_dict: Any) -> bool:
    """Whether this is a dictionary with one of the sets of keys in `VALID_SIZE_DICT_KEYS`."""
    return isinstance(size_dict, dict) and set(size_dict) in VALID_SIZE_DICT_KEYS


def convert_to_size_dict(
    size: Any, max_size: int | None = None, default_to_square: bool = True, height_width_order: bool = True
) -> dict[str, int]:
    """A size that is no dictionary as one; see `get_size_dict`."""
    if isinstance(size, int) and default_to_square:
        if max_size is not None:
            raise ValueError(f"size={size} is that of both sides, so max_size={max_size} cannot be given as well")
        return {"height": size, "width": size}
    if isinstance(size, int):
        return {"shortest_edge": size} if max_size is None else {"shortest_edge": size, "longest_edge": max_size}
    if isinstance(size, (tuple, list)) and len(size) >= 2:
        height, width = size[:2] if height_width_order else size[1::-1]
        return {"height": height, "width": width}
    if size is None and max_size is not None:
        if default_to_square:
            raise ValueError(f"max_size={max_size} needs a size, or default_to_square=False")
        return {"longest_edge": max_size}
    raise ValueError(f"Expected a size as a number, (height, width) or a dictionary, found {size!r}")


def get_size_dict(
    size: int | Iterable[int] | dict[str, int] | None = None,
    max_size: int | None = None,
    height_width_order: bool = True,
    default_to_square: bool = True,
    param_name: str = "size",
) -> dict[str, int]:
    """A size in the form that image processors keep.

    Args:
        size: A number: `{"height": size, "width": size}`, or without `default_to_square` `{"shortest_edge": size}`; a
            pair: `{"height": …, "width": …}`; a dictionary: itself; None: `{"longest_edge": max_size}`.
        max_size: Greatest length of the longer side, for `shortest_edge`.
        height_width_order: Whether a pair is (height, width) rather than (width, height).
        default_to_square: What one number means.
        param_name: What errors call it.

    Raises:
        ValueError: There is no such size, or the dictionary has other keys.
    """
    if isinstance(size, dict):
        size_dict = size
    else:
        size_dict = convert_to_size_dict(size, max_size, default_to_square, height_width_order)
        logger.info(f"{param_name} should be a dictionary: {size!r} is taken as {size_dict}.")
    if not is_valid_size_dict(size_dict):
        known = " or ".join("{" + ", ".join(sorted(keys)) + "}" for keys in VALID_SIZE_DICT_KEYS)
        raise ValueError(f"{param_name} must have the keys {known}, found {{{', '.join(map(str, size_dict))}}}")
    return size_dict
