"""The old name of ViT's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_vit import ViTImageProcessor

__all__ = ["ViTFeatureExtractor"]


class ViTFeatureExtractor(DeprecatedFeatureExtractor, ViTImageProcessor):
    """Deprecated: use `ViTImageProcessor`."""
