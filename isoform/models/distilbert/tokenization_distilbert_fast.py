"""The Rust tokenizer of DistilBERT."""

from __future__ import annotations

from ..bert.tokenization_bert_fast import VOCAB_FILES_NAMES, BertTokenizerFast
from .tokenization_distilbert import (
    PRETRAINED_INIT_CONFIGURATION,
    PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES,
    DistilBertTokenizer,
)

__all__ = ["VOCAB_FILES_NAMES", "DistilBertTokenizerFast"]


class DistilBertTokenizerFast(BertTokenizerFast):
    """Word piece tokenizer of DistilBERT, in Rust. See :class:`BertTokenizerFast` for the arguments."""

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    pretrained_init_configuration = PRETRAINED_INIT_CONFIGURATION
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = DistilBertTokenizer
