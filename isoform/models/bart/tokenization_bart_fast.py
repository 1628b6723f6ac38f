"""The Rust tokenizer of BART."""

from __future__ import annotations

from ..roberta.tokenization_roberta_fast import VOCAB_FILES_NAMES, RobertaTokenizerFast
from .tokenization_bart import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, BartTokenizer

__all__ = ["VOCAB_FILES_NAMES", "BartTokenizerFast"]


class BartTokenizerFast(RobertaTokenizerFast):
    """Byte-level BPE tokenizer of BART, in Rust. See :class:`RobertaTokenizerFast` for the arguments."""

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    slow_tokenizer_class = BartTokenizer
