"""The old name of CLIP's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_clip import CLIPImageProcessor

__all__ = ["CLIPFeatureExtractor"]


class CLIPFeatureExtractor(DeprecatedFeatureExtractor, CLIPImageProcessor):
    """Deprecated: use `CLIPImageProcessor`."""
