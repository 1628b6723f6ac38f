"""The old name of DPT's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_dpt import DPTImageProcessor

__all__ = ["DPTFeatureExtractor"]


class DPTFeatureExtractor(DeprecatedFeatureExtractor, DPTImageProcessor):
    """Deprecated: use `DPTImageProcessor`."""
