"""The old name of DETR's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_detr import DetrImageProcessor

__all__ = ["DetrFeatureExtractor"]


class DetrFeatureExtractor(DeprecatedFeatureExtractor, DetrImageProcessor):
    """Deprecated: use `DetrImageProcessor`."""
