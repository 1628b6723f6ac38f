"""The old name of DeiT's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_deit import DeiTImageProcessor

__all__ = ["DeiTFeatureExtractor"]


class DeiTFeatureExtractor(DeprecatedFeatureExtractor, DeiTImageProcessor):
    """Deprecated: use `DeiTImageProcessor`."""
