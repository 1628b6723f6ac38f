"""The old name of ConvNeXT's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_convnext import ConvNextImageProcessor

__all__ = ["ConvNextFeatureExtractor"]


class ConvNextFeatureExtractor(DeprecatedFeatureExtractor, ConvNextImageProcessor):
    """Deprecated: use `ConvNextImageProcessor`."""
