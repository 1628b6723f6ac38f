"""Operations on single images as NumPy arrays, and on boxes and ids of segments."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .image_utils import (
    ChannelDimension,
    PILImageResampling,
    get_channel_dimension_axis,
    get_image_size,
    infer_channel_dimension_format,
    is_pil_image,
)
from .utils.generic import ExplicitEnum
from .utils.import_utils import requires_backends
from .utils.tensors import is_numpy_array, is_tensor, is_tf_tensor, is_torch_tensor, to_numpy

if TYPE_CHECKING:
    import PIL.Image

__all__ = [
    "PaddingMode",
    "center_crop",
    "center_to_corners_format",
    "convert_to_rgb",
    "corners_to_center_format",
    "flip_channel_order",
    "get_resize_output_image_size",
    "id_to_rgb",
    "normalize",
    "pad",
    "rescale",
    "resize",
    "rgb_to_id",
    "to_channel_dimension_format",
    "to_pil_image",
]

Format = ChannelDimension | str | None


def _check_array(image: Any) -> None:
    if not is_numpy_array(image):
        raise ValueError(f"Expected an image as numpy.ndarray, found {type(image).__name__}.")


def _format(image: np.ndarray, given: Format) -> ChannelDimension:
    """Where the channels are: as given, else as the shape tells."""
    return infer_channel_dimension_format(image) if given is None else ChannelDimension(given)


def to_channel_dimension_format(
    image: np.ndarray, channel_dim: ChannelDimension | str, input_channel_dim: Format = None
) -> np.ndarray:
    """The image with its channels elsewhere.

    Args:
        image: (channels, height, width) or (height, width, channels).
        channel_dim: Where they shall be: "channels_first" or "channels_last".
        input_channel_dim: Where they are; by default as the shape tells.

    Raises:
        ValueError: The image is no array, or the place of its channels cannot be told.
    """
    _check_array(image)
    current = _format(image, input_channel_dim)
    target = ChannelDimension(channel_dim)
    if current == target:
        return image
    return image.transpose((2, 0, 1) if target == ChannelDimension.FIRST else (1, 2, 0))


def _placed(image: np.ndarray, target: Format, current: Format) -> np.ndarray:
    """The image with its channels in another place, if one is given."""
    return image if target is None else to_channel_dimension_format(image, target, current)


def rescale(
    image: np.ndarray,
    scale: float,
    data_format: Format = None,
    dtype: Any = np.float32,
    input_data_format: Format = None,
) -> np.ndarray:
    """The image with its values multiplied by `scale`.

    Args:
        image: The image.
        scale: The factor.
        data_format: Where its channels shall be; by default where they are.
        dtype: Type of the result.
        input_data_format: Where its channels are; by default as the shape tells.
    """
    _check_array(image)
    return _placed(image * scale, data_format, input_data_format).astype(dtype)


def _rescale_for_pil_conversion(image: np.ndarray) -> bool:
    """Whether values must be multiplied by 255 to become bytes.

    Raises:
        ValueError: They are neither integers from 0 to 255 nor numbers from 0 to 1.
    """
    if image.dtype == np.uint8:
        return False
    integral = np.allclose(image, image.astype(int))
    if np.all(image >= 0) and np.all(image <= (255 if integral else 1)):
        return not integral
    raise ValueError(
        f"An image with values in [{image.min()}, {image.max()}] cannot be converted to bytes: expected integers in "
        "[0, 255], or numbers in [0, 1]. Rescale the image first."
    )


def to_pil_image(image: Any, do_rescale: bool | None = None, input_data_format: Format = None) -> PIL.Image.Image:
    """The image as one of Pillow.

    Args:
        image: An array of any framework, or an image of Pillow, which is returned as it is.
        do_rescale: Whether to multiply its values by 255; by default if they are from 0 to 1.
        input_data_format: Where its channels are; by default as the shape tells.

    Raises:
        ValueError: It is no image, or its values are out of range.
    """
    requires_backends(to_pil_image, ["vision"])
    import PIL.Image

    if isinstance(image, PIL.Image.Image):
        return image
    if not is_tensor(image):
        raise ValueError(f"Expected an image (of Pillow, or an array), found {type(image)}.")
    image = to_channel_dimension_format(to_numpy(image), ChannelDimension.LAST, input_data_format)
    if image.shape[-1] == 1:
        image = image[..., 0]
    if do_rescale is None:
        do_rescale = _rescale_for_pil_conversion(image)
    if do_rescale:
        image = rescale(image, 255)
    return PIL.Image.fromarray(image.astype(np.uint8))


def get_resize_output_image_size(
    input_image: np.ndarray,
    size: int | Sequence[int],
    default_to_square: bool = True,
    max_size: int | None = None,
    input_data_format: Format = None,
) -> tuple[int, int]:
    """(height, width) that an image shall be resized to.

    Args:
        input_image: The image.
        size: (height, width), returned as it is; or one number: of both sides, or, without `default_to_square`, of the
            shorter one, which keeps the shape.
        default_to_square: What one number means.
        max_size: Greatest length of the longer side, where `size` is that of the shorter one.
        input_data_format: Where the channels are; by default as the shape tells.

    Raises:
        ValueError: `size` has neither one nor two numbers, or `max_size` is not greater than it.
    """
    numbers = (size,) if isinstance(size, int) else tuple(size)
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    if len(numbers) != 1:
        raise ValueError(f"size must be one number, or height and width, found {size!r}")
    if default_to_square:
        return numbers[0], numbers[0]
    return fit_shorter_side(get_image_size(input_image, input_data_format), numbers[0], max_size)


def fit_shorter_side(image_size: tuple[int, int], shorter: int, max_size: int | None = None) -> tuple[int, int]:
    """(height, width) of the same shape with a given shorter side, or a longer one of `max_size` if that is less."""
    height, width = image_size
    longer = int(shorter * max(image_size) / min(image_size))
    if max_size is not None:
        if max_size <= shorter:
            raise ValueError(f"max_size={max_size} must be greater than size={shorter}, the length of the shorter side")
        if longer > max_size:
            shorter, longer = int(max_size * shorter / longer), max_size
    return (longer, shorter) if width <= height else (shorter, longer)


def resize(
    image: np.ndarray,
    size: Sequence[int],
    resample: int | None = None,
    reducing_gap: int | None = None,
    data_format: Format = None,
    return_numpy: bool = True,
    input_data_format: Format = None,
) -> Any:
    """The image in another size, as Pillow resizes it: in bytes.

    Args:
        image: The image. Numbers from 0 to 1 are made bytes for the time being.
        size: (height, width).
        resample: Filter of Pillow, bilinear by default.
        reducing_gap: See `PIL.Image.Image.resize`.
        data_format: Where the channels shall be; by default where they are.
        return_numpy: Return an array rather than an image of Pillow.
        input_data_format: Where the channels are; by default as the shape tells.

    Raises:
        ValueError: `size` has not two numbers, or values are out of range.
    """
    requires_backends(resize, ["vision"])
    if len(size) != 2:
        raise ValueError(f"size must be (height, width), found {size!r}")
    do_rescale = False
    if is_pil_image(image):
        data_format = data_format or input_data_format or ChannelDimension.LAST
    else:
        input_data_format = _format(image, input_data_format)
        data_format = input_data_format if data_format is None else data_format
        do_rescale = _rescale_for_pil_conversion(image)
    picture = to_pil_image(image, do_rescale, input_data_format)
    height, width = size
    if resample is None:
        resample = PILImageResampling.BILINEAR
    resized = picture.resize((width, height), resample=resample, reducing_gap=reducing_gap)
    if not return_numpy:
        return resized
    array = np.array(resized)
    if array.ndim == 2:
        array = array[..., None]
    array = to_channel_dimension_format(array, data_format, ChannelDimension.LAST)
    return rescale(array, 1 / 255) if do_rescale else array


def normalize(
    image: np.ndarray,
    mean: float | Collection[float],
    std: float | Collection[float],
    data_format: Format = None,
    input_data_format: Format = None,
) -> np.ndarray:
    """`(image - mean) / std`, in the image's dtype if that is of floating point, else in float32.

    Args:
        image: The image.
        mean: A number, or one for each channel.
        std: The same.
        data_format: Where the channels shall be; by default where they are.
        input_data_format: Where the channels are; by default as the shape tells.

    Raises:
        ValueError: The image is no array, or the numbers are not as many as the channels.
    """
    _check_array(image)
    current = _format(image, input_data_format)
    axis = get_channel_dimension_axis(image, current)
    if not np.issubdtype(image.dtype, np.floating):
        image = image.astype(np.float32)
    shape = [1] * image.ndim
    shape[axis] = image.shape[axis]

    def per_channel(name: str, values: Any) -> np.ndarray:
        if not isinstance(values, Iterable):
            values = [values] * image.shape[axis]
        array = np.array(values, dtype=image.dtype)
        if len(array) != image.shape[axis]:
            raise ValueError(f"{name} has {len(array)} numbers, but the image has {image.shape[axis]} channels")
        return array.reshape(shape)

    return _placed((image - per_channel("mean", mean)) / per_channel("std", std), data_format, current)


def center_crop(
    image: np.ndarray,
    size: Sequence[int],
    data_format: Format = None,
    input_data_format: Format = None,
    return_numpy: bool | None = None,
) -> np.ndarray:
    """The middle of an image; where it is smaller, it is put into the middle of zeros.

    Args:
        image: The image.
        size: (height, width).
        data_format: Where the channels shall be; by default where they are.
        input_data_format: Where the channels are; by default as the shape tells.
        return_numpy: Deprecated; without effect.

    Raises:
        ValueError: The image is no array, or `size` has not two numbers.
    """
    requires_backends(center_crop, ["vision"])
    if return_numpy is not None:
        warnings.warn("`return_numpy` of center_crop is deprecated and has no effect.", FutureWarning, stacklevel=2)
    _check_array(image)
    if not isinstance(size, Iterable) or len(size) != 2:
        raise ValueError(f"size must be (height, width), found {size!r}")
    current = _format(image, input_data_format)
    target = current if data_format is None else data_format
    image = to_channel_dimension_format(image, ChannelDimension.FIRST, current)
    return to_channel_dimension_format(crop_center(image, *size), target, ChannelDimension.FIRST)


def crop_center(image: Any, height: int, width: int) -> Any:
    """The middle of a NumPy array or PyTorch tensor (…, height, width), in zeros where that is smaller.

    As the documented checkpoints were made: where the number of missing rows is odd, the result has one less.
    """
    rows, columns = image.shape[-2:]
    top, left = (rows - height) // 2, (columns - width) // 2
    if top < 0 or left < 0:
        shape = (*image.shape[:-2], max(height, rows), max(width, columns))
        padded = image.new_zeros(shape) if is_torch_tensor(image) else np.zeros_like(image, shape=shape)
        above, before = (shape[-2] - rows) // 2, (shape[-1] - columns) // 2
        padded[..., above : above + rows, before : before + columns] = image
        image, top, left = padded, top + above, left + before
    return image[..., max(0, top) : top + height, max(0, left) : left + width]


def _joined(parts: Sequence[Any]) -> Any:
    """Arrays of one framework, side by side on a new last axis."""
    if is_torch_tensor(parts[0]):
        import torch

        return torch.stack(list(parts), dim=-1)
    if is_tf_tensor(parts[0]):
        import tensorflow as tf

        return tf.stack(parts, axis=-1)
    if is_numpy_array(parts[0]):
        return np.stack(parts, axis=-1)
    raise ValueError(f"Expected boxes as an array of NumPy, PyTorch or TensorFlow, found {type(parts[0]).__name__}")


def _columns(boxes: Any) -> tuple[Any, Any, Any, Any]:
    if not is_tensor(boxes):
        raise ValueError(f"Expected boxes as an array of NumPy, PyTorch or TensorFlow, found {type(boxes).__name__}")
    return boxes[..., 0], boxes[..., 1], boxes[..., 2], boxes[..., 3]


def center_to_corners_format(bboxes_center: Any) -> Any:
    """Boxes (…, 4) given by centre and size, (x, y, width, height), as (left, top, right, bottom)."""
    x, y, width, height = _columns(bboxes_center)
    return _joined([x - 0.5 * width, y - 0.5 * height, x + 0.5 * width, y + 0.5 * height])


def corners_to_center_format(bboxes_corners: Any) -> Any:
    """Boxes (…, 4) given by (left, top, right, bottom) as centre and size, (x, y, width, height)."""
    left, top, right, bottom = _columns(bboxes_corners)
    return _joined([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


def rgb_to_id(color: Any) -> Any:
    """The id of a segment that a colour stands for, red + 256 green + 65536 blue; for an image, (height, width)."""
    if not (isinstance(color, np.ndarray) and color.ndim == 3):
        return int(color[0] + 256 * color[1] + 256 * 256 * color[2])
    wide = color.astype(np.int32) if color.dtype == np.uint8 else color
    return wide[..., 0] + 256 * wide[..., 1] + 256 * 256 * wide[..., 2]


def id_to_rgb(id_map: Any) -> Any:
    """The colour that stands for the id of a segment, as a list; for an array of ids, bytes of (…, 3)."""
    if isinstance(id_map, np.ndarray):
        return np.stack([id_map // 256**channel % 256 for channel in range(3)], axis=-1).astype(np.uint8)
    return [id_map // 256**channel % 256 for channel in range(3)]


class PaddingMode(ExplicitEnum):
    """What is put around an image."""

    CONSTANT = "constant"
    REFLECT = "reflect"
    REPLICATE = "replicate"
    SYMMETRIC = "symmetric"


_NUMPY_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "symmetric": "symmetric"}


def pad(
    image: np.ndarray,
    padding: Any,
    mode: PaddingMode | str = PaddingMode.CONSTANT,
    constant_values: Any = 0.0,
    data_format: Format = None,
    input_data_format: Format = None,
) -> np.ndarray:
    """The image with something around it.

    Args:
        image: An image, or a batch of images.
        padding: One number for all sides; (before, after) for both axes; or `((top, bottom), (left, right))`.
        mode: What is put there: a constant, the image reflected (without or with its edge), or its edge repeated.
        constant_values: The constant, in the same forms as `padding`.
        data_format: Where the channels shall be; by default where they are.
        input_data_format: Where the channels are; by default as the shape tells.

    Raises:
        ValueError: `padding` or `constant_values` has another form, or `mode` is unknown.
    """
    current = _format(image, input_data_format)
    options: dict[str, Any] = {}
    if PaddingMode(mode) == PaddingMode.CONSTANT:
        options["constant_values"] = _pairs(constant_values, image.ndim, current)
    image = np.pad(image, _pairs(padding, image.ndim, current), mode=_NUMPY_MODES[mode], **options)  # type: ignore[call-overload]
    return _placed(image, data_format, current)


def _pairs(values: Any, ndim: int, channels: ChannelDimension) -> tuple[tuple[Any, Any], ...]:
    """(before, after) for each axis of an image, or of a batch."""
    if isinstance(values, (int, float)):
        values = ((values, values), (values, values))
    elif isinstance(values, tuple) and len(values) == 1:
        values = ((values[0], values[0]), (values[0], values[0]))
    elif isinstance(values, tuple) and len(values) == 2 and isinstance(values[0], (int, float)):
        values = (values, values)
    elif not (isinstance(values, tuple) and len(values) == 2 and all(isinstance(v, tuple) for v in values)):
        raise ValueError(
            "Expected a number, (before, after) or ((top, bottom), (left, right)) for padding and its values, found "
            f"{values!r}"
        )
    pairs = ((0, 0), *values) if channels == ChannelDimension.FIRST else (*values, (0, 0))
    return ((0, 0), *pairs) if ndim == 4 else pairs


def convert_to_rgb(image: Any) -> Any:
    """An image of Pillow in RGB; arrays as they are."""
    requires_backends(convert_to_rgb, ["vision"])
    return image.convert("RGB") if is_pil_image(image) else image


def flip_channel_order(image: np.ndarray, data_format: Format = None, input_data_format: Format = None) -> np.ndarray:
    """RGB as BGR, and the other way round.

    Args:
        image: The image.
        data_format: Where the channels shall be; by default where they are.
        input_data_format: Where the channels are; by default as the shape tells.
    """
    current = _format(image, input_data_format)
    flipped = image[..., ::-1] if current == ChannelDimension.LAST else image[::-1, ...]
    return _placed(flipped, data_format, current)
