"""The old name of BEiT's image processor."""

from __future__ import annotations

from ...image_processing_utils import DeprecatedFeatureExtractor
from .image_processing_beit import BeitImageProcessor

__all__ = ["BeitFeatureExtractor"]


class BeitFeatureExtractor(DeprecatedFeatureExtractor, BeitImageProcessor):
    """Deprecated: use `BeitImageProcessor`."""
