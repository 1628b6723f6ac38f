"""The Rust tokenizer of Blenderbot Small; it lives beside the Python one."""

from __future__ import annotations

from .tokenization_blenderbot_small import VOCAB_FILES_NAMES, BlenderbotSmallTokenizerFast

__all__ = ["VOCAB_FILES_NAMES", "BlenderbotSmallTokenizerFast"]
