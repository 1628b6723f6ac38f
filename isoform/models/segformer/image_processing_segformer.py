"""Image processor of SegFormer, which UPerNet uses too."""

from __future__ import annotations

from ...image_segmentation import SegmentationMaps
from ...image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, PILImageResampling

__all__ = ["SegformerImageProcessor"]


class SegformerImageProcessor(SegmentationMaps):
    """Resizes to `size`, rescales and normalises; maps of labels too."""

    maps_resample = PILImageResampling.NEAREST
    defaults = {
        "do_resize": True,
        "size": {"height": 512, "width": 512},
        "resample": PILImageResampling.BILINEAR,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": IMAGENET_DEFAULT_MEAN,
        "image_std": IMAGENET_DEFAULT_STD,
        "do_reduce_labels": False,
    }
