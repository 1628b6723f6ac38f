"""The old name of SegFormer's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_segformer import SegformerImageProcessor

__all__ = ["SegformerFeatureExtractor"]


class SegformerFeatureExtractor(DeprecatedFeatureExtractor, SegformerImageProcessor):
    """Deprecated: use `SegformerImageProcessor`."""
