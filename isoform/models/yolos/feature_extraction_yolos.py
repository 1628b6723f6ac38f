"""The old name of YOLOS's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_yolos import YolosImageProcessor

__all__ = ["YolosFeatureExtractor"]


class YolosFeatureExtractor(DeprecatedFeatureExtractor, YolosImageProcessor):
    """Deprecated: use `YolosImageProcessor`."""
