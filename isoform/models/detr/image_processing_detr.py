"""Image processor of DETR."""

from __future__ import annotations

from ...image_annotations import AnnotationFormat
from ...image_detection import DetectionPipeline

__all__ = ["AnnotionFormat", "DetrImageProcessor"]

AnnotionFormat = AnnotationFormat  # as version 4.36 spells it


class DetrImageProcessor(DetectionPipeline):
    """Resizes, rescales, normalises and pads, with a mask of the pixels that are no padding."""

    model_input_names = ["pixel_values", "pixel_mask"]
    returns_pixel_mask = True
    defaults = DetectionPipeline.defaults
    call_order = DetectionPipeline.call_order
