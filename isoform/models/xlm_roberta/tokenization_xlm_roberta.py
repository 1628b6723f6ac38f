"""The Python tokenizer of XLM-RoBERTa (Conneau et al. 2019)."""

from __future__ import annotations

from typing import Any

from ...tokenization_bpe import as_added_token
from ...tokenization_sentencepiece import SPIECE_UNDERLINE, FairseqTokenizer
from ...tokenization_utils_base import AddedToken

__all__ = ["SPIECE_UNDERLINE", "VOCAB_FILES_NAMES", "XLMRobertaTokenizer"]

VOCAB_FILES_NAMES = {"vocab_file": "sentencepiece.bpe.model"}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys(
    (
        "xlm-roberta-base",
        "xlm-roberta-large",
        "xlm-roberta-large-finetuned-conll02-dutch",
        "xlm-roberta-large-finetuned-conll02-spanish",
        "xlm-roberta-large-finetuned-conll03-english",
        "xlm-roberta-large-finetuned-conll03-german",
    ),
    512,
)


class XLMRobertaTokenizer(FairseqTokenizer):
    """SentencePiece tokenizer of XLM-RoBERTa, in Python.

    Args:
        vocab_file: Path of ``sentencepiece.bpe.model``.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        sep_token: Token behind each sequence, and before a second one.
        cls_token: First token, whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed; the space before it belongs to it.
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES

    def __init__(
        self,
        vocab_file: str,
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        sp_model_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            sp_model_kwargs=sp_model_kwargs,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            cls_token=cls_token,
            pad_token=pad_token,
            mask_token=as_added_token(mask_token, lstrip=True, normalized=False),
            **kwargs,
        )
