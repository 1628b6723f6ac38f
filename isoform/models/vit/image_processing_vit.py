"""Image processor of ViT: every image is resized to the same size, whatever its shape."""

from __future__ import annotations

from ...image_pipeline import ImagePipeline
from ...image_utils import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD, PILImageResampling

__all__ = ["ViTImageProcessor"]


class ViTImageProcessor(ImagePipeline):
    """Resizes to `size`, rescales and normalises."""

    defaults = {
        "do_resize": True,
        "size": {"height": 224, "width": 224},
        "resample": PILImageResampling.BILINEAR,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": IMAGENET_STANDARD_MEAN,
        "image_std": IMAGENET_STANDARD_STD,
    }
