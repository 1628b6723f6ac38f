"""Image processor of BEiT."""

from __future__ import annotations

from ...image_segmentation import SegmentationMaps
from ...image_utils import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD, PILImageResampling

__all__ = ["BeitImageProcessor"]


class BeitImageProcessor(SegmentationMaps):
    """Resizes to `size`, cuts out the middle, rescales and normalises; maps of labels too."""

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
        "do_reduce_labels": False,
    }
    call_order = (
        "do_resize size resample do_center_crop crop_size do_rescale rescale_factor do_normalize image_mean image_std "
        "do_reduce_labels"
    )
