"""The Python tokenizer of BART (Lewis et al. 2019): RoBERTa's."""

from __future__ import annotations

from ..roberta.tokenization_roberta import VOCAB_FILES_NAMES, RobertaTokenizer, bytes_to_unicode, get_pairs

__all__ = ["VOCAB_FILES_NAMES", "BartTokenizer", "bytes_to_unicode", "get_pairs"]

PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys(
    (
        "facebook/bart-base",
        "facebook/bart-large",
        "facebook/bart-large-mnli",
        "facebook/bart-large-cnn",
        "facebook/bart-large-xsum",
        "yjernite/bart_eli5",
    ),
    1024,
)


class BartTokenizer(RobertaTokenizer):
    """Byte-level BPE tokenizer of BART, in Python. See :class:`RobertaTokenizer` for the arguments."""

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    _mask_options = {"lstrip": True}
