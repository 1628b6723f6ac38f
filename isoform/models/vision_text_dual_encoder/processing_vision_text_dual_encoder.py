"""Processor of dual encoders: texts and images."""

from __future__ import annotations

from ...processing_utils import ImageTextProcessor

__all__ = ["VisionTextDualEncoderProcessor"]


class VisionTextDualEncoderProcessor(ImageTextProcessor):
    """Any tokenizer and any image processor in one."""
