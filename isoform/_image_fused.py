"""Many images at once in PyTorch: antialiased resizing of bytes, then rescaling and normalising as one multiply-add.

PyTorch resizes bytes with vector instructions and weights of 16 bits, Pillow one value at a time with weights of 22.
The results differ by at most 1 of 255, and rarely. Only where the bicubic filter barely shrinks an image, or enlarges
it, may a difference reach 2 (one pixel in a million): there Pillow is used.
"""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import torch
from torch.nn.functional import interpolate

from .image_transforms import crop_center, resize
from .image_utils import ChannelDimension

__all__ = ["Picture", "Plan", "can_resize", "transform"]

BILINEAR, BICUBIC = 2, 3  # of `PIL.Image.Resampling`
_MODES = {BILINEAR: "bilinear", BICUBIC: "bicubic"}
_BICUBIC_MIN_SHRINKAGE = 1.6
_CHUNK = 2**18  # values that are worked on at once
_LARGE = 2**24  # bytes
_PILLOW_VERSION = int(PIL.__version__.partition(".")[0])


class Plan(NamedTuple):
    """What is to become of one image."""

    size: tuple[int, int]  # (height, width) to resize to
    crop: tuple[int, int] | None = None  # (height, width) of the middle to cut out afterwards

    @property
    def result(self) -> tuple[int, int]:
        """(height, width) at last: `crop_center` may make an image one smaller than asked for."""
        if self.crop is None:
            return self.size
        height, width = (new if new <= old else new - (new - old) % 2 for old, new in zip(self.size, self.crop))
        return height, width


class Picture:
    """An RGB image of Pillow that shows the shape of the array it can be made into, and is so late and one by one."""

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(self, image: PIL.Image.Image) -> None:
        self.image = image
        self.shape = (image.height, image.width, 3)

    @property
    def size(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1] * 3

    def array(self) -> np.ndarray:
        """The array."""
        return np.array(self.image)


def can_resize(resample: Any) -> bool:
    """Whether PyTorch has this filter."""
    return resample in _MODES


def transform(
    images: Sequence[np.ndarray | Picture],
    plans: Sequence[Plan],
    *,
    resample: int = BILINEAR,
    factors: Sequence[tuple[float, float]] = (),
    channels_last: bool = False,
    result_channels_last: bool = False,
    pad: bool = False,
) -> torch.Tensor | list[torch.Tensor]:
    """Resize, crop, and compute `image * factor + summand`.

    Args:
        images: Bytes, (channels, height, width) or (height, width, channels).
        plans: What is to become of each.
        resample: A filter for which `can_resize` is true.
        factors: (factor, summand) of each channel; none to keep bytes.
        channels_last: Where the channels of the images are.
        result_channels_last: Where those of the result are.
        pad: Put images of different sizes into the upper left corner of zeros of the largest height and width.

    Returns:
        A batch in float32 (or bytes); a list of images if their sizes differ and `pad` is not set.
    """
    sizes = [plan.result for plan in plans]
    channels = images[0].shape[-1 if channels_last else 0]
    dtype = torch.float32 if factors else torch.uint8
    multiply, add = torch.tensor(factors or [(1, 0)], dtype=torch.float32).T[..., None, None]

    def room(count: int, height: int, width: int) -> torch.Tensor:
        """A tensor (count, channels, height, width), laid out in memory as the result shall be."""
        if result_channels_last:
            return _allocated((count, height, width, channels), dtype, zeros=pad).permute(0, 3, 1, 2)
        return _allocated((count, channels, height, width), dtype, zeros=pad)

    if pad or len(set(sizes)) == 1:
        batch = room(len(images), max(height for height, _ in sizes), max(width for _, width in sizes))
        places = [batch[index, :, :height, :width] for index, (height, width) in enumerate(sizes)]
    else:
        batch, places = None, [room(1, *size)[0] for size in sizes]
    scratch: dict[tuple[int, ...], np.ndarray] = {}  # fresh memory for each image would cost more than its contents
    for image, plan, place in zip(images, plans, places):
        pixels = torch.from_numpy(_loaded(image, scratch))
        pixels = _resized(pixels.permute(2, 0, 1) if channels_last else pixels, plan.size, resample)
        if plan.crop is not None:
            pixels = crop_center(pixels, *plan.crop)
        rows = max(1, _CHUNK // (channels * pixels.shape[2]))
        for part, values in zip(place.split(rows, dim=1), pixels.split(rows, dim=1)):
            part.copy_(values)
            if factors:  # at once, while these rows are in the processor's cache
                part.mul_(multiply).add_(add)
    if not result_channels_last:
        return places if batch is None else batch
    return [place.permute(1, 2, 0) for place in places] if batch is None else batch.permute(0, 2, 3, 1)


def _allocated(shape: tuple[int, ...], dtype: torch.dtype, zeros: bool) -> torch.Tensor:
    """New memory. A large batch gets huge pages where the system has them, which are several times quicker to get."""
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return (torch.zeros if zeros else torch.empty)(shape, dtype=dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # filled with zeros
    with contextlib.suppress(OSError):  # a kernel without huge pages
        memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=dtype).view(shape)


def _loaded(image: np.ndarray | Picture, scratch: dict[tuple[int, ...], np.ndarray]) -> np.ndarray:
    """The image as an array that PyTorch accepts, valid until the next image of the same shape."""
    if isinstance(image, Picture):
        array = scratch.setdefault(image.shape, np.empty(image.shape, np.uint8))
        array[:] = np.asarray(image.image)
        return array
    return image if image.flags.writeable and min(image.strides) >= 0 else image.copy()


def _resized(pixels: torch.Tensor, size: tuple[int, int], resample: int) -> torch.Tensor:
    """Bytes (channels, height, width) in another size."""
    shape = (pixels.shape[1], pixels.shape[2])
    if shape == size:
        return pixels
    if resample == BICUBIC and min(old / new for old, new in zip(shape, size)) < _BICUBIC_MIN_SHRINKAGE:
        return _resized_by_pillow(pixels, size, resample)
    for step in ((size[0], shape[1]), size) if _vertically_first(shape, size) else (size,):
        pixels = interpolate(pixels[None], size=step, mode=_MODES[resample], antialias=True)[0]
    return pixels


def _resized_by_pillow(pixels: torch.Tensor, size: tuple[int, int], resample: int) -> torch.Tensor:
    image = np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
    last = ChannelDimension.LAST
    return torch.from_numpy(resize(image, size, resample, input_data_format=last)).permute(2, 0, 1)


def _vertically_first(shape: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether Pillow would resize the height before the width; PyTorch always begins with the width.

    Bytes are rounded in between, so that the order shows. Since Pillow 13 an image that loses more than twice as many
    rows as columns begins with its height.
    """
    (rows, columns), (height, width) = shape, size
    return _PILLOW_VERSION >= 13 and height < rows and rows - height > 2 * (columns - width)
