"""Images as they come in: what is one, where its channels are, how large it is, and reading it from anywhere."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from .image_feature_extraction import ImageFeatureExtractionMixin
from .utils.constants import (
    IMAGENET_DEFAULT_MEAN,
    IMAGENET_DEFAULT_STD,
    IMAGENET_STANDARD_MEAN,
    IMAGENET_STANDARD_STD,
    OPENAI_CLIP_MEAN,
    OPENAI_CLIP_STD,
)
from .utils.generic import ExplicitEnum
from .utils.import_utils import is_vision_available, requires_backends
from .utils.tensors import is_jax_tensor, is_numpy_array, is_tf_tensor, is_torch_tensor, to_numpy

if is_vision_available():
    import PIL.Image

    PILImageResampling = PIL.Image.Resampling

if TYPE_CHECKING:
    import torch

__all__ = [
    "IMAGENET_DEFAULT_MEAN",
    "IMAGENET_DEFAULT_STD",
    "IMAGENET_STANDARD_MEAN",
    "IMAGENET_STANDARD_STD",
    "OPENAI_CLIP_MEAN",
    "OPENAI_CLIP_STD",
    "ChannelDimension",
    "ImageFeatureExtractionMixin",
    "ImageInput",
    "PILImageResampling",
    "get_channel_dimension_axis",
    "get_image_size",
    "infer_channel_dimension_format",
    "is_batched",
    "is_pil_image",
    "is_scaled_image",
    "is_valid_annotation_coco_detection",
    "is_valid_annotation_coco_panoptic",
    "is_valid_image",
    "load_image",
    "make_list_of_images",
    "to_numpy_array",
    "valid_coco_detection_annotations",
    "valid_coco_panoptic_annotations",
    "valid_images",
]

ImageInput = Union[
    "PIL.Image.Image", np.ndarray, "torch.Tensor", list["PIL.Image.Image"], list[np.ndarray], list["torch.Tensor"]
]


class ChannelDimension(ExplicitEnum):
    """Where the channels of an image are: (channels, height, width) or (height, width, channels)."""

    FIRST = "channels_first"
    LAST = "channels_last"


def is_pil_image(img: Any) -> bool:
    """Whether this is an image of Pillow."""
    return is_vision_available() and isinstance(img, PIL.Image.Image)


def is_valid_image(img: Any) -> bool:
    """Whether this is an image of Pillow, or an array of any framework."""
    return is_pil_image(img) or is_numpy_array(img) or is_torch_tensor(img) or is_tf_tensor(img) or is_jax_tensor(img)


def valid_images(imgs: Any) -> bool:
    """Whether this is an image, or a (nested) list of nothing but images."""
    if isinstance(imgs, (list, tuple)):
        return all(valid_images(img) for img in imgs)
    return is_valid_image(imgs)


def is_batched(img: Any) -> bool:
    """Whether this is a list of images."""
    return isinstance(img, (list, tuple)) and is_valid_image(img[0])


def is_scaled_image(image: np.ndarray) -> bool:
    """Whether the values of an image seem to be divided by 255 already: not bytes, and all between 0 and 1."""
    return image.dtype != np.uint8 and bool(np.min(image) >= 0 and np.max(image) <= 1)


def make_list_of_images(images: Any, expected_ndims: int = 3) -> list[Any]:
    """A list of images, from an image, a batch of images in one array, or a list.

    Args:
        images: An image of Pillow; an array of an image, of `expected_ndims` axes, or of a batch, with one more; or a
            list, which is returned as it is.
        expected_ndims: Axes of one image.

    Raises:
        ValueError: It is something else.
    """
    if is_batched(images):
        return images
    if is_pil_image(images):
        return [images]
    if not is_valid_image(images):
        raise ValueError(
            "Expected an image or a list of images (PIL.Image.Image, numpy.ndarray, torch.Tensor, tf.Tensor or "
            f"jax.ndarray), found {type(images).__name__}."
        )
    if images.ndim == expected_ndims + 1:
        return list(images)
    if images.ndim == expected_ndims:
        return [images]
    raise ValueError(
        f"Expected images of {expected_ndims} dimensions, or a batch of {expected_ndims + 1}, found {images.ndim}."
    )


def to_numpy_array(img: Any) -> np.ndarray:
    """An image as a NumPy array; one of Pillow becomes (height, width, channels), without the last axis if grey.

    Raises:
        ValueError: It is no image.
    """
    if not is_valid_image(img):
        raise ValueError(f"Expected an image (of Pillow, or an array), found {type(img).__name__}.")
    return np.array(img) if is_pil_image(img) else to_numpy(img)


def infer_channel_dimension_format(
    image: np.ndarray, num_channels: int | tuple[int, ...] | None = None
) -> ChannelDimension:
    """Where the channels of an image are, judged by the lengths of its axes; first, if both places are possible.

    Args:
        image: Array of an image, or of a batch.
        num_channels: The possible numbers of channels, 1 and 3 by default.

    Raises:
        ValueError: It has neither 3 nor 4 axes, or no axis that could be that of the channels.
    """
    if num_channels is None:
        num_channels = (1, 3)
    elif isinstance(num_channels, int):
        num_channels = (num_channels,)
    if image.ndim not in (3, 4):
        raise ValueError(
            f"Expected an image of 3 dimensions, or a batch of 4, found {image.ndim}. For a grey image add an axis, or "
            'convert it to RGB (`image.convert("RGB")` in Pillow).'
        )
    if image.shape[image.ndim - 3] in num_channels:
        return ChannelDimension.FIRST
    if image.shape[-1] in num_channels:
        return ChannelDimension.LAST
    raise ValueError(
        f"Cannot tell which axis of an image of shape {tuple(image.shape)} holds the channels: none that could has a "
        f"length of {' or '.join(map(str, num_channels))}. Pass input_data_format, or convert the image to RGB."
    )


def get_channel_dimension_axis(image: np.ndarray, input_data_format: ChannelDimension | str | None = None) -> int:
    """The axis of the channels of an image.

    Raises:
        ValueError: It is not given, and cannot be told.
    """
    if input_data_format is None:
        input_data_format = infer_channel_dimension_format(image)
    if input_data_format == ChannelDimension.FIRST:
        return image.ndim - 3
    if input_data_format == ChannelDimension.LAST:
        return image.ndim - 1
    raise _unknown_format(input_data_format)


def get_image_size(image: np.ndarray, channel_dim: ChannelDimension | str | None = None) -> tuple[int, int]:
    """Height and width of an image.

    Args:
        image: Array of the image.
        channel_dim: Where its channels are, if that is known.

    Raises:
        ValueError: `channel_dim` is no such place, or was not given and cannot be told.
    """
    if channel_dim is None:
        channel_dim = infer_channel_dimension_format(image)
    if channel_dim == ChannelDimension.FIRST:
        return image.shape[-2], image.shape[-1]
    if channel_dim == ChannelDimension.LAST:
        return image.shape[-3], image.shape[-2]
    raise _unknown_format(channel_dim)


def _unknown_format(found: Any) -> ValueError:
    known = ", ".join(repr(member.value) for member in ChannelDimension)
    return ValueError(f"Expected a place of channels ({known}), found {found!r}.")


def _has_list_of_dicts(annotation: Any, keys: tuple[str, ...], list_key: str) -> bool:
    if not isinstance(annotation, dict) or any(key not in annotation for key in (*keys, list_key)):
        return False
    items = annotation[list_key]
    return isinstance(items, (list, tuple)) and (len(items) == 0 or isinstance(items[0], dict))


def is_valid_annotation_coco_detection(annotation: Any) -> bool:
    """Whether this is an annotation of COCO's detection task: `{"image_id": …, "annotations": [{…}, …]}`."""
    return _has_list_of_dicts(annotation, ("image_id",), "annotations")


def is_valid_annotation_coco_panoptic(annotation: Any) -> bool:
    """Whether this is one of COCO's panoptic task: `{"image_id": …, "file_name": …, "segments_info": [{…}, …]}`."""
    return _has_list_of_dicts(annotation, ("image_id", "file_name"), "segments_info")


def valid_coco_detection_annotations(annotations: Iterable[Any]) -> bool:
    """Whether all are annotations of COCO's detection task."""
    return all(map(is_valid_annotation_coco_detection, annotations))


def valid_coco_panoptic_annotations(annotations: Iterable[Any]) -> bool:
    """Whether all are annotations of COCO's panoptic task."""
    return all(map(is_valid_annotation_coco_panoptic, annotations))


def load_image(image: Any, timeout: float | None = None) -> PIL.Image.Image:
    """Reads an image, turns it upright as its metadata say, and converts it to RGB.

    Args:
        image: A path, an `http(s)` address, the contents of a file as bytes or in base64 (also as a `data:` address),
            a file that is open for reading bytes, an image of Pillow, or an array: (height, width), or with 1, 3 or 4
            channels first or last, of bytes or of numbers from 0 to 1.
        timeout: Seconds to wait for a server.

    Raises:
        ValueError: It is none of these.
        OSError: A file cannot be read, or is no image.
    """
    requires_backends(load_image, ["vision"])
    import PIL.ImageOps

    if isinstance(image, (str, os.PathLike)):
        opened = _open_text(os.fspath(image), timeout)
    elif isinstance(image, (bytes, bytearray, memoryview)):
        opened = PIL.Image.open(BytesIO(image))
    elif is_pil_image(image):
        opened = image
    elif is_valid_image(image):
        opened = _from_array(image)
    elif hasattr(image, "read"):
        opened = PIL.Image.open(image)
    else:
        raise ValueError(
            "Expected an image: a path, a URL, base64, bytes, an open file, an image of Pillow or an array. Found "
            f"{type(image).__name__}."
        )
    return PIL.ImageOps.exif_transpose(opened).convert("RGB")


def _open_text(text: str, timeout: float | None) -> PIL.Image.Image:
    """The image that a path, an address or base64 stands for."""
    if text.startswith(("http://", "https://")):
        return PIL.Image.open(BytesIO(_download(text, timeout)))
    if os.path.isfile(text):
        return PIL.Image.open(text)
    encoded = text.partition(",")[2] if text.startswith("data:image/") else text
    try:
        return PIL.Image.open(BytesIO(base64.b64decode("".join(encoded.split()), validate=True)))
    except (binascii.Error, ValueError, OSError) as error:
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        raise ValueError(
            f"{shown!r} is not an image: expected the path of an existing file, an address that begins with http:// or "
            f"https://, or a file in base64 ({error})."
        ) from error


def _download(url: str, timeout: float | None) -> bytes:
    """The contents of an address.

    Raises:
        OSError: It cannot be had.
    """
    from urllib.request import Request, urlopen

    from .utils.hub import http_user_agent

    with urlopen(Request(url, headers={"User-Agent": http_user_agent()}), timeout=timeout) as reply:
        return reply.read()


def _from_array(image: Any) -> PIL.Image.Image:
    from .image_transforms import to_pil_image

    array = to_numpy_array(image)
    if array.ndim == 2:
        array = array[..., None]
    return to_pil_image(array, input_data_format=infer_channel_dimension_format(array, (1, 3, 4)))
