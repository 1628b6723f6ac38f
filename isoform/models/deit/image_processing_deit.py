"""Image processor of DeiT."""

from __future__ import annotations

from ...image_pipeline import ImagePipeline
from ...image_utils import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD, PILImageResampling

__all__ = ["DeiTImageProcessor"]


class DeiTImageProcessor(ImagePipeline):
    """Resizes to `size`, cuts out the middle, rescales and normalises."""

    defaults = {
        "do_resize": True,
        "size": {"height": 256, "width": 256},
        "resample": PILImageResampling.BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "rescale_factor": 1 / 255,
        "do_rescale": True,
        "do_normalize": True,
        "image_mean": IMAGENET_STANDARD_MEAN,
        "image_std": IMAGENET_STANDARD_STD,
    }
    call_order = (
        "do_resize size resample do_center_crop crop_size do_rescale rescale_factor do_normalize image_mean image_std"
    )
