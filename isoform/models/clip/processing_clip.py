"""Processor of CLIP: texts and images."""

from __future__ import annotations

from ...processing_utils import ImageTextProcessor

__all__ = ["CLIPProcessor"]


class CLIPProcessor(ImageTextProcessor):
    """CLIP's tokenizer and image processor in one."""

    image_processor_class = "CLIPImageProcessor"
    tokenizer_class = ("CLIPTokenizer", "CLIPTokenizerFast")
