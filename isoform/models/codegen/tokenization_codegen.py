"""The Python tokenizer of CodeGen (Nijkamp et al. 2022), used by Phi too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...tokenization_utils_base import PreTrainedTokenizerBase
from ..gpt2.tokenization_gpt2 import VOCAB_FILES_NAMES, GPT2Tokenizer, bytes_to_unicode, get_pairs

__all__ = ["VOCAB_FILES_NAMES", "CodeGenTokenizer", "bytes_to_unicode", "get_pairs"]

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


class CodeGenTokenizer(TruncatesCode, GPT2Tokenizer):
    """Byte-level BPE tokenizer of CodeGen, in Python. See :class:`GPT2Tokenizer` for the arguments."""

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    _token_options = {"special": True}
    default_chat_template = PreTrainedTokenizerBase.default_chat_template
