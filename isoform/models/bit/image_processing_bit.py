"""Image processor of BiT, which DINOv2 uses too."""

from __future__ import annotations

from ...image_pipeline import ImagePipeline
from ..clip.image_processing_clip import CLIPImageProcessor

__all__ = ["BitImageProcessor"]


class BitImageProcessor(ImagePipeline):
    """Resizes the shorter side to `size`, cuts out the middle, rescales and normalises; with CLIP's settings."""

    square_size = False
    defaults = CLIPImageProcessor.defaults
