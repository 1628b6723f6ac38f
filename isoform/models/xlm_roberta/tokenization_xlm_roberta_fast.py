"""The Rust tokenizer of XLM-RoBERTa."""

from __future__ import annotations

from typing import Any

from ..._tokenization_frame import Framed
from ...tokenization_bpe import as_added_token
from ...tokenization_sentencepiece import SentencePieceTokenizerFast
from ...tokenization_utils_base import AddedToken
from .tokenization_xlm_roberta import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, XLMRobertaTokenizer

__all__ = ["VOCAB_FILES_NAMES", "XLMRobertaTokenizerFast"]

VOCAB_FILES_NAMES = {"vocab_file": "sentencepiece.bpe.model", "tokenizer_file": "tokenizer.json"}


class XLMRobertaTokenizerFast(Framed, SentencePieceTokenizerFast):
    """SentencePiece tokenizer of XLM-RoBERTa, in Rust.

    Args:
        vocab_file: Path of ``sentencepiece.bpe.model``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        sep_token: Token behind each sequence, and before a second one.
        cls_token: First token, whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed; the space before it belongs to it.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = XLMRobertaTokenizer
    frame = ("cls", "sep sep", "sep")

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            tokenizer_file=tokenizer_file,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=as_added_token(mask_token, lstrip=True),
            **kwargs,
        )
