"""`ImageFeatureExtractionMixin`: the operations on images that feature extractors had before image processors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .utils.tensors import is_torch_tensor

__all__ = ["ImageFeatureExtractionMixin"]

Size = int | Sequence[int]


class ImageFeatureExtractionMixin:
    """Operations on one image: of Pillow, a NumPy array or a PyTorch tensor, with channels first or last."""

    def _ensure_format_supported(self, image: Any) -> None:
        if not (_is_pil(image) or isinstance(image, np.ndarray) or is_torch_tensor(image)):
            raise ValueError(
                f"Expected an image as PIL.Image.Image, numpy.ndarray or torch.Tensor, found {type(image)}."
            )

    def to_pil_image(self, image: Any, rescale: bool | None = None) -> Any:
        """The image as one of Pillow.

        Args:
            image: The image.
            rescale: Whether to multiply its values by 255; by default if they are of floating point.
        """
        self._ensure_format_supported(image)
        if is_torch_tensor(image):
            image = image.numpy()
        if not isinstance(image, np.ndarray):
            return image
        import PIL.Image

        if rescale is None:
            rescale = isinstance(image.flat[0], np.floating)
        if _channels_first(image):
            image = image.transpose(1, 2, 0)
        return PIL.Image.fromarray((image * 255 if rescale else image).astype(np.uint8))

    def convert_rgb(self, image: Any) -> Any:
        """An image of Pillow in RGB; other images as they are."""
        self._ensure_format_supported(image)
        return image.convert("RGB") if _is_pil(image) else image

    def rescale(self, image: np.ndarray, scale: float) -> np.ndarray:
        """The image with its values multiplied by `scale`."""
        self._ensure_format_supported(image)
        return image * scale

    def to_numpy_array(self, image: Any, rescale: bool | None = None, channel_first: bool = True) -> np.ndarray:
        """The image as a NumPy array.

        Args:
            image: The image.
            rescale: Whether to divide its values by 255; by default if they are integers.
            channel_first: Whether to move the last axis of three to the front.
        """
        self._ensure_format_supported(image)
        array = image.numpy() if is_torch_tensor(image) else np.array(image)
        if rescale is None:
            rescale = isinstance(array.flat[0], np.integer)
        if rescale:
            array = self.rescale(array.astype(np.float32), 1 / 255.0)
        return array.transpose(2, 0, 1) if channel_first and array.ndim == 3 else array

    def expand_dims(self, image: Any) -> Any:
        """An array with a new first axis; an image of Pillow as it is."""
        self._ensure_format_supported(image)
        return image if _is_pil(image) else image[None]

    def normalize(self, image: Any, mean: Any, std: Any, rescale: bool = False) -> Any:
        """`(image - mean) / std` for each channel.

        Args:
            image: The image; one of Pillow is divided by 255 first.
            mean, std: A number for each channel.
            rescale: Whether to divide the values by 255 before.
        """
        self._ensure_format_supported(image)
        if _is_pil(image):
            image = self.to_numpy_array(image, rescale=True)
        elif rescale:
            image = self.rescale(image.float() if is_torch_tensor(image) else image.astype(np.float32), 1 / 255.0)
        mean, std = (_like(image, values) for values in (mean, std))
        if _channels_first(image):
            mean, std = mean[:, None, None], std[:, None, None]
        return (image - mean) / std

    def resize(
        self,
        image: Any,
        size: Size,
        resample: int | None = None,
        default_to_square: bool = True,
        max_size: int | None = None,
    ) -> Any:
        """The image, as one of Pillow, in another size.

        Args:
            image: The image.
            size: (width, height); or one number: of both sides, or, without `default_to_square`, of the shorter one.
            resample: Filter of Pillow, bilinear by default.
            default_to_square: What one number means.
            max_size: Greatest length of the longer side, where `size` is that of the shorter one.

        Raises:
            ValueError: `max_size` is not greater than `size`.
        """
        import PIL.Image

        from .image_transforms import fit_shorter_side

        self._ensure_format_supported(image)
        image = self.to_pil_image(image)
        target = (size, size) if isinstance(size, int) else tuple(size)
        if isinstance(size, int) or len(target) == 1:
            target = (target[0], target[0])
            if not default_to_square:
                if min(image.size) == target[0]:
                    return image
                height, width = fit_shorter_side(image.size[::-1], target[0], max_size)
                target = (width, height)
        return image.resize(target, resample=PIL.Image.Resampling.BILINEAR if resample is None else resample)

    def center_crop(self, image: Any, size: Size) -> Any:
        """The middle of an image; where it is smaller, it is put into the middle of zeros.

        Args:
            image: The image.
            size: (height, width), or one number for both.

        Returns:
            An image of Pillow, or an array of (channels, height, width).
        """
        from .image_transforms import crop_center

        self._ensure_format_supported(image)
        height, width = (size, size) if isinstance(size, int) else size
        if _is_pil(image):
            top, left = (image.size[1] - height) // 2, (image.size[0] - width) // 2
            return image.crop((left, top, left + width, top + height))
        if image.ndim == 2:
            image = image[None]
        if image.shape[0] not in (1, 3):
            image = image.permute(2, 0, 1) if is_torch_tensor(image) else image.transpose(2, 0, 1)
        return crop_center(image, height, width)

    def flip_channel_order(self, image: Any) -> Any:
        """RGB as BGR, and the other way round; channels are on the first axis, or it is an image of Pillow."""
        self._ensure_format_supported(image)
        if _is_pil(image):
            image = self.to_numpy_array(image)
        return image.flip(0) if is_torch_tensor(image) else image[::-1, :, :]

    def rotate(
        self,
        image: Any,
        angle: float,
        resample: int | None = None,
        expand: int = 0,
        center: tuple[float, float] | None = None,
        translate: tuple[float, float] | None = None,
        fillcolor: Any = None,
    ) -> Any:
        """The image, as one of Pillow, turned left by an angle in degrees; see `PIL.Image.Image.rotate`."""
        import PIL.Image

        self._ensure_format_supported(image)
        return self.to_pil_image(image).rotate(
            angle,
            resample=PIL.Image.Resampling.NEAREST if resample is None else resample,
            expand=expand,
            center=center,
            translate=translate,
            fillcolor=fillcolor,
        )


def _is_pil(image: Any) -> bool:
    from .image_utils import is_pil_image

    return is_pil_image(image)


def _channels_first(image: Any) -> bool:
    return image.ndim == 3 and image.shape[0] in (1, 3)


def _like(image: Any, values: Any) -> Any:
    """Numbers as an array of the kind of an image."""
    if is_torch_tensor(image):
        import torch

        return torch.as_tensor(values)
    return values if isinstance(values, np.ndarray) else np.array(values).astype(image.dtype)
