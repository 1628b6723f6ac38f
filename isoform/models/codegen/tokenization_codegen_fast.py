"""The Rust tokenizer of CodeGen."""

from __future__ import annotations

from typing import Any

from ...tokenization_bpe import BPE_FAST_FILES_NAMES, ByteLevelBPETokenizerFast
from ...tokenization_utils_base import AddedToken
from .tokenization_codegen import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, CodeGenTokenizer, TruncatesCode

__all__ = ["VOCAB_FILES_NAMES", "CodeGenTokenizerFast"]

VOCAB_FILES_NAMES = BPE_FAST_FILES_NAMES


class CodeGenTokenizerFast(TruncatesCode, ByteLevelBPETokenizerFast):
    """Byte-level BPE tokenizer of CodeGen, in Rust.

    Args:
        vocab_file: Path of ``vocab.json``, where there is no ``tokenizer_file``.
        merges_file: Path of ``merges.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        add_prefix_space: Put a space before the text.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    slow_tokenizer_class = CodeGenTokenizer

    def __init__(
        self,
        vocab_file: str | None = None,
        merges_file: str | None = None,
        tokenizer_file: str | None = None,
        unk_token: str | AddedToken = "<|endoftext|>",
        bos_token: str | AddedToken = "<|endoftext|>",
        eos_token: str | AddedToken = "<|endoftext|>",
        add_prefix_space: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            merges_file,
            tokenizer_file=tokenizer_file,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            add_prefix_space=add_prefix_space,
            **kwargs,
        )
