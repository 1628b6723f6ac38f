"""The Rust tokenizer of HerBERT."""

from __future__ import annotations

from typing import Any

from ..._tokenization_frame import Framed
from ...tokenization_bpe import BPE_FAST_FILES_NAMES
from ...tokenization_utils_base import AddedToken
from ...tokenization_utils_fast import PreTrainedTokenizerFast
from .tokenization_herbert import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, HerbertTokenizer

__all__ = ["VOCAB_FILES_NAMES", "HerbertTokenizerFast"]

VOCAB_FILES_NAMES = BPE_FAST_FILES_NAMES


class HerbertTokenizerFast(Framed, PreTrainedTokenizerFast):
    """BPE tokenizer of HerBERT, in Rust.

    Args:
        vocab_file: Path of ``vocab.json``, where there is no ``tokenizer_file``.
        merges_file: Path of ``merges.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        cls_token: First token, whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed.
        sep_token: Token behind each sequence.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    slow_tokenizer_class = HerbertTokenizer
    second_type = 1

    def __init__(
        self,
        vocab_file: str | None = None,
        merges_file: str | None = None,
        tokenizer_file: str | None = None,
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        sep_token: str | AddedToken = "</s>",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            merges_file,
            tokenizer_file=tokenizer_file,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            sep_token=sep_token,
            **kwargs,
        )
