"""The Rust tokenizer of CodeGen."""

from __future__ import annotations

from ...tokenization_utils_base import PreTrainedTokenizerBase
from ..gpt2.tokenization_gpt2_fast import VOCAB_FILES_NAMES, GPT2TokenizerFast
from .tokenization_codegen import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, CodeGenTokenizer, TruncatesCode

__all__ = ["VOCAB_FILES_NAMES", "CodeGenTokenizerFast"]


class CodeGenTokenizerFast(TruncatesCode, GPT2TokenizerFast):
    """Byte-level BPE tokenizer of CodeGen, in Rust. See :class:`GPT2TokenizerFast` for the arguments."""

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    slow_tokenizer_class = CodeGenTokenizer
    default_chat_template = PreTrainedTokenizerBase.default_chat_template
