"""The tokenizer of GPT-NeoX (Black et al. 2022); it exists in Rust only."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer

from ...convert_slow_tokenizer import byte_level_bpe
from ...tokenization_bpe import read_merges, read_vocab
from ..gpt2.tokenization_gpt2_fast import VOCAB_FILES_NAMES, GPT2TokenizerFast

__all__ = ["VOCAB_FILES_NAMES", "GPTNeoXTokenizerFast"]

PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"gpt-neox-20b": 2048}


class GPTNeoXTokenizerFast(GPT2TokenizerFast):
    """Byte-level BPE tokenizer of GPT-NeoX-20B, in Rust.

    It works like GPT-2's; its vocabulary has tokens for runs of spaces, which suits code. See
    :class:`GPT2TokenizerFast` for the arguments.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    slow_tokenizer_class = None

    def _make_backend(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tokenizer:
        if all(args[:2]) and kwargs.get("tokenizer_file") is None and "tokenizer_object" not in kwargs:
            vocab_file, merges_file = args[:2]
            vocab, merges = read_vocab(vocab_file), read_merges(merges_file)
            return byte_level_bpe(vocab, merges, kwargs.get("add_prefix_space", False), str(merges_file))
        return super()._make_backend(args, kwargs)
