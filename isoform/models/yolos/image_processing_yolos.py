"""Image processor of YOLOS."""

from __future__ import annotations

from ...image_annotations import AnnotationFormat
from ...image_detection import DetectionPipeline

__all__ = ["AnnotionFormat", "YolosImageProcessor"]

AnnotionFormat = AnnotationFormat  # as version 4.36 spells it


class YolosImageProcessor(DetectionPipeline):
    """Resizes, rescales, normalises and pads; without a pixel mask, which YOLOS does not need."""

    model_input_names = ["pixel_values", "pixel_mask"]
    defaults = DetectionPipeline.defaults
    call_order = DetectionPipeline.call_order
