"""The Python tokenizer of DistilBERT (Sanh et al. 2019): BERT's, without token types."""

from __future__ import annotations

from typing import Any

from ..bert.tokenization_bert import VOCAB_FILES_NAMES, BasicTokenizer, BertTokenizer, WordpieceTokenizer, load_vocab

__all__ = ["VOCAB_FILES_NAMES", "BasicTokenizer", "DistilBertTokenizer", "WordpieceTokenizer", "load_vocab"]

PRETRAINED_INIT_CONFIGURATION: dict[str, dict[str, Any]] = {
    "distilbert-base-uncased": {"do_lower_case": True},
    "distilbert-base-uncased-distilled-squad": {"do_lower_case": True},
    "distilbert-base-cased": {"do_lower_case": False},
    "distilbert-base-cased-distilled-squad": {"do_lower_case": False},
    "distilbert-base-german-cased": {"do_lower_case": False},
    "distilbert-base-multilingual-cased": {"do_lower_case": False},
}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys(PRETRAINED_INIT_CONFIGURATION, 512)


class DistilBertTokenizer(BertTokenizer):
    """Word piece tokenizer of DistilBERT, in Python. See :class:`BertTokenizer` for the arguments."""

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    pretrained_init_configuration = PRETRAINED_INIT_CONFIGURATION
    model_input_names = ["input_ids", "attention_mask"]
