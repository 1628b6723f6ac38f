"""Image processor of ConvNeXT."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from ...image_pipeline import ImagePipeline
from ...image_transforms import center_crop, fit_shorter_side
from ...image_utils import (
    IMAGENET_STANDARD_MEAN,
    IMAGENET_STANDARD_STD,
    ChannelDimension,
    PILImageResampling,
)

__all__ = ["ConvNextImageProcessor"]

_NO_CROP_FROM = 384


class ConvNextImageProcessor(ImagePipeline):
    """Rescales, normalises, and resizes in one of two ways.

    Images for a `size` of 384 or more are resized to a square. For a smaller one, their shorter side is resized to
    `size / crop_pct`, and the middle of `size` is cut out.
    """

    square_size = False
    resize_options = ("crop_pct",)
    defaults = {
        "do_resize": True,
        "size": {"shortest_edge": 384},
        "crop_pct": 224 / 256,
        "resample": PILImageResampling.BILINEAR,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": IMAGENET_STANDARD_MEAN,
        "image_std": IMAGENET_STANDARD_STD,
    }

    def check(self, call: SimpleNamespace) -> None:
        super().check(call)
        if call.do_resize and _edge(call.size) < _NO_CROP_FROM and call.crop_pct is None:
            raise ValueError(f"crop_pct must be given if size is less than {_NO_CROP_FROM}")

    def target_size(self, image_size: tuple[int, int], size: Mapping[str, int], **options: Any) -> tuple[int, int]:
        edge = _edge(size)
        if edge >= _NO_CROP_FROM:
            return edge, edge
        return fit_shorter_side(image_size, int(edge / options["crop_pct"]))

    def plan(self, image_size: tuple[int, int], call: SimpleNamespace) -> Any:
        plan = super().plan(image_size, call)
        edge = _edge(call.size) if call.do_resize else _NO_CROP_FROM
        return plan if edge >= _NO_CROP_FROM else plan._replace(crop=(edge, edge))

    def resize(  # type: ignore[override]  # the order of arguments is documented
        self,
        image: np.ndarray,
        size: dict[str, int],
        crop_pct: float | None = None,
        resample: int | None = PILImageResampling.BICUBIC,
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The image resized, and cut out for a `size` of less than 384: see the class."""
        size = self.size_dict(size)
        edge = _edge(size)
        channels = {"data_format": data_format, "input_data_format": input_data_format}
        image = super().resize(image, size, resample, crop_pct=crop_pct, **channels, **kwargs)
        if edge >= _NO_CROP_FROM:
            return image
        return center_crop(image, (edge, edge), input_data_format=data_format or input_data_format)


def _edge(size: Mapping[str, int]) -> int:
    if "shortest_edge" not in size:
        raise ValueError(f'size must have the key "shortest_edge", found {", ".join(size)}')
    return size["shortest_edge"]
