"""The Rust tokenizer of BERT."""

from __future__ import annotations

from typing import Any

from ..._tokenization_frame import Framed
from ...tokenization_utils_base import AddedToken
from ...tokenization_utils_fast import PreTrainedTokenizerFast
from .tokenization_bert import (
    PRETRAINED_INIT_CONFIGURATION,
    PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES,
    BertTokenizer,
)

__all__ = ["VOCAB_FILES_NAMES", "BertTokenizerFast"]

VOCAB_FILES_NAMES = {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"}


class BertTokenizerFast(Framed, PreTrainedTokenizerFast):
    """Word piece tokenizer of BERT, in Rust.

    Args:
        vocab_file: Path of ``vocab.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        do_lower_case: Write words in lower case.
        unk_token: Token for words that cannot be split.
        sep_token: Token behind each sequence.
        pad_token: Token for padding.
        cls_token: First token, whose last hidden state stands for the whole.
        mask_token: Token for what is to be guessed.
        tokenize_chinese_chars: Make a word of each ideograph (not wanted for Japanese).
        strip_accents: Take accents off; by default where ``do_lower_case`` is set.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    pretrained_init_configuration = PRETRAINED_INIT_CONFIGURATION
    slow_tokenizer_class = BertTokenizer
    second_type = 1

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        do_lower_case: bool = True,
        unk_token: str | AddedToken = "[UNK]",
        sep_token: str | AddedToken = "[SEP]",
        pad_token: str | AddedToken = "[PAD]",
        cls_token: str | AddedToken = "[CLS]",
        mask_token: str | AddedToken = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            tokenizer_file=tokenizer_file,
            do_lower_case=do_lower_case,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            tokenize_chinese_chars=tokenize_chinese_chars,
            strip_accents=strip_accents,
            **kwargs,
        )
        self.do_lower_case = do_lower_case
        # tokenizer.json has settings of its own; the arguments win.
        normalizer = self.backend_tokenizer.normalizer
        wanted = {
            "lowercase": do_lower_case,
            "strip_accents": strip_accents,
            "handle_chinese_chars": tokenize_chinese_chars,
        }
        for name, value in wanted.items():
            if getattr(normalizer, name, value) != value:
                setattr(normalizer, name, value)
