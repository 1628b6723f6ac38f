"""Image processor of DPT."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from ...image_pipeline import ImagePipeline
from ...image_processing_utils import height_and_width
from ...image_segmentation import SemanticSegmentation
from ...image_transforms import pad
from ...image_utils import (
    IMAGENET_STANDARD_MEAN,
    IMAGENET_STANDARD_STD,
    ChannelDimension,
    PILImageResampling,
    get_image_size,
)

__all__ = ["DPTImageProcessor"]


class DPTImageProcessor(SemanticSegmentation, ImagePipeline):
    """Resizes to `size`, rescales, normalises, and pads.

    `do_pad` surrounds the result by zeros, up to multiples of `size_divisor`.

    `keep_aspect_ratio` and `ensure_multiple_of` belong to the method `resize`: with the first, both sides are scaled by
    the same factor (of those that make one of them right, the one nearer to 1); then both are rounded to multiples of
    the second. `preprocess` takes them but resizes to exactly `size`, as version 4.36 does.
    """

    resize_resample = PILImageResampling.BICUBIC
    resize_options = ("keep_aspect_ratio", "ensure_multiple_of")
    defaults = {
        "do_resize": True,
        "size": {"height": 384, "width": 384},
        "resample": PILImageResampling.BILINEAR,
        "keep_aspect_ratio": False,
        "ensure_multiple_of": 1,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": IMAGENET_STANDARD_MEAN,
        "image_std": IMAGENET_STANDARD_STD,
        "do_pad": False,
        "size_divisor": None,
    }
    call_order = (
        "do_resize size keep_aspect_ratio ensure_multiple_of resample do_rescale rescale_factor do_normalize "
        "image_mean image_std do_pad size_divisor"
    )

    def check(self, call: SimpleNamespace) -> None:
        super().check(call)
        if call.do_pad and call.size_divisor is None:
            raise ValueError("size_divisor must be given if do_pad is true")

    def resize_settings(self, call: SimpleNamespace) -> dict[str, Any]:
        return {}  # the results of checkpoints that have such settings would be others than with version 4.36

    def target_size(self, image_size: tuple[int, int], size: Mapping[str, int], **options: Any) -> tuple[int, int]:
        target, multiple = height_and_width(size), options.get("ensure_multiple_of", 1)
        vertical, horizontal = (new / old for new, old in zip(target, image_size))
        if options.get("keep_aspect_ratio", False):
            vertical = horizontal = horizontal if abs(1 - horizontal) < abs(1 - vertical) else vertical
        scaled = (vertical * image_size[0], horizontal * image_size[1])
        height, width = (round(length / multiple) * multiple for length in scaled)
        return height, width

    def plan(self, image_size: tuple[int, int], call: SimpleNamespace) -> Any:
        return None if call.do_pad else super().plan(image_size, call)

    def transform(self, image: np.ndarray, call: SimpleNamespace) -> np.ndarray:
        image = super().transform(image, call)
        if call.do_pad:
            image = self.pad_image(image, call.size_divisor, input_data_format=call.input_data_format)
        return image

    def pad_image(
        self,
        image: np.ndarray,
        size_divisor: int,
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
    ) -> np.ndarray:
        """The image in the middle of zeros, with height and width that are multiples of `size_divisor`.

        Args:
            image: The image.
            size_divisor: Of what they are multiples.
            data_format: Where the channels shall be; by default where they are.
            input_data_format: Where the channels are; by default as the shape tells.
        """
        missing = [-length % size_divisor for length in get_image_size(image, input_data_format)]
        padding = tuple((count // 2, count - count // 2) for count in missing)
        return pad(image, padding, data_format=data_format, input_data_format=input_data_format)
