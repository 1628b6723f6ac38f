"""The Rust tokenizer of T5."""

from __future__ import annotations

from typing import Any

from ..._tokenization_frame import Framed
from ...tokenization_sentencepiece import SentencePieceTokenizerFast
from ...tokenization_utils_base import AddedToken
from .tokenization_t5 import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, Sentinels, T5Tokenizer, sentinels

__all__ = ["VOCAB_FILES_NAMES", "T5TokenizerFast"]

VOCAB_FILES_NAMES = {"vocab_file": "spiece.model", "tokenizer_file": "tokenizer.json"}


class T5TokenizerFast(Framed, Sentinels, SentencePieceTokenizerFast):
    """SentencePiece tokenizer of T5, in Rust. It always puts a space after special tokens, like ``legacy=True``.

    Args:
        vocab_file: Path of ``spiece.model``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        eos_token: Token behind each sequence.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        extra_ids: Number of sentinel tokens; ``<extra_id_0>`` is the last token of the vocabulary.
        additional_special_tokens: Further special tokens.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = T5Tokenizer
    frame = ("", "eos", "eos")

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        eos_token: str | AddedToken = "</s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        extra_ids: int = 100,
        additional_special_tokens: list[str | AddedToken] | None = None,
        **kwargs: Any,
    ) -> None:
        self._extra_ids = extra_ids
        super().__init__(
            vocab_file,
            tokenizer_file=tokenizer_file,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            extra_ids=extra_ids,
            additional_special_tokens=sentinels(extra_ids, additional_special_tokens)[0],
            **kwargs,
        )
