"""The Python tokenizer of CodeGen (Nijkamp et al. 2022), used by Phi too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...tokenization_bpe import (
    BPE_FILES_NAMES,
    ByteLevelBPETokenizer,
    OptionalBos,
    as_added_token,
    bytes_to_unicode,
    get_pairs,
)
from ...tokenization_utils_base import AddedToken

__all__ = ["VOCAB_FILES_NAMES", "CodeGenTokenizer", "bytes_to_unicode", "get_pairs"]

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"Salesforce/codegen-350M-mono": 2048}


class TruncatesCode:
    """Mixin of tokenizers that can cut generated code off when they decode it."""

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        truncate_before_pattern: list[str] | None = None,
        **kwargs: Any,
    ) -> str:
        """The text that token ids stand for.

        Args:
            token_ids: One id, a list, an array or a tensor of ids.
            skip_special_tokens: Leave special tokens out.
            clean_up_tokenization_spaces: Remove spaces before punctuation; by default as the tokenizer was told.
            truncate_before_pattern: Regular expressions (``^`` and ``$`` match at lines). The text ends before the
                first match of any of them, before a second line that begins with ``print``, and before a second one
                that begins with ``def``.
            **kwargs: Passed to the decoder of the tokenizer.
        """
        text = super().decode(  # type: ignore[misc]
            token_ids,
            skip_special_tokens=skip_special_tokens,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            **kwargs,
        )
        return self.truncate(text, truncate_before_pattern) if truncate_before_pattern else text

    def truncate(self, completion: str, truncate_before_pattern: Sequence[str]) -> str:
        """``completion`` up to the first match; see :meth:`decode`."""
        for statement in ("^print", "^def"):
            starts = [match.start() for match in re.finditer(statement, completion, re.MULTILINE)]
            if len(starts) > 1:
                completion = completion[: starts[1]]
        matches = (re.search(pattern, completion, re.MULTILINE) for pattern in truncate_before_pattern)
        return completion[: min((match.start() for match in matches if match), default=None)]


class CodeGenTokenizer(TruncatesCode, OptionalBos, ByteLevelBPETokenizer):
    """Byte-level BPE tokenizer of CodeGen, in Python.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        errors: What to do with bytes that are not UTF-8 when decoding, as in :meth:`bytes.decode`.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        pad_token: Token for padding.
        add_prefix_space: Put a space before the text.
        add_bos_token: Put the BOS token before each sequence.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES

    def __init__(
        self,
        vocab_file: str,
        merges_file: str,
        errors: str = "replace",
        unk_token: str | AddedToken = "<|endoftext|>",
        bos_token: str | AddedToken = "<|endoftext|>",
        eos_token: str | AddedToken = "<|endoftext|>",
        pad_token: str | AddedToken | None = None,
        add_prefix_space: bool = False,
        add_bos_token: bool = False,
        **kwargs: Any,
    ) -> None:
        self.add_bos_token = add_bos_token
        super().__init__(
            vocab_file,
            merges_file,
            errors=errors,
            unk_token=as_added_token(unk_token, special=True),
            bos_token=as_added_token(bos_token, special=True),
            eos_token=as_added_token(eos_token, special=True),
            pad_token=as_added_token(pad_token, special=True),
            add_prefix_space=add_prefix_space,
            add_bos_token=add_bos_token,
            **kwargs,
        )
