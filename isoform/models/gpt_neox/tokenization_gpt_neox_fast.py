"""The tokenizer of GPT-NeoX (Black et al. 2022); it exists in Rust only."""

from __future__ import annotations

from typing import Any

from ...convert_slow_tokenizer import byte_level_bpe
from ...tokenization_bpe import BPE_FAST_FILES_NAMES, ByteLevelBPETokenizerFast, read_merges, read_vocab
from ...tokenization_utils_base import AddedToken
from ..gpt2.tokenization_gpt2 import EOS_CHAT_TEMPLATE

__all__ = ["VOCAB_FILES_NAMES", "GPTNeoXTokenizerFast"]

VOCAB_FILES_NAMES = BPE_FAST_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"gpt-neox-20b": 2048}


class GPTNeoXTokenizerFast(ByteLevelBPETokenizerFast):
    """Byte-level BPE tokenizer of GPT-NeoX-20B, in Rust.

    It works like GPT-2's; its vocabulary has tokens for runs of spaces, which suits code.

    Args:
        vocab_file: Path of a ``vocab.json``, where there is no ``tokenizer_file``.
        merges_file: Path of a ``merges.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        add_prefix_space: Put a space before the text.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES

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
        if vocab_file and merges_file and not tokenizer_file and "tokenizer_object" not in kwargs:
            kwargs["tokenizer_object"] = byte_level_bpe(
                read_vocab(vocab_file), read_merges(merges_file), add_prefix_space, str(merges_file)
            )
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

    @property
    def default_chat_template(self) -> str:
        """The template of conversations for checkpoints that bring none."""
        return EOS_CHAT_TEMPLATE
