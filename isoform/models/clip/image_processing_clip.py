"""Image processor of CLIP."""

from __future__ import annotations

from ...image_pipeline import ImagePipeline
from ...image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD, PILImageResampling

__all__ = ["CLIPImageProcessor"]


class CLIPImageProcessor(ImagePipeline):
    """Resizes the shorter side to `size`, cuts out the middle, rescales and normalises."""

    square_size = False
    defaults = {
        "do_resize": True,
        "size": {"shortest_edge": 224},
        "resample": PILImageResampling.BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": OPENAI_CLIP_MEAN,
        "image_std": OPENAI_CLIP_STD,
        "do_convert_rgb": True,
    }
