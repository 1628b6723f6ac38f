"""The Python tokenizer of GPT-2 (Radford et al. 2019), used by OPT, GPT-J and many others too."""

from __future__ import annotations

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

__all__ = ["VOCAB_FILES_NAMES", "GPT2Tokenizer", "bytes_to_unicode", "get_pairs"]

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys(
    ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2"), 1024
)

# The messages one after the other, each followed by the EOS token.
EOS_CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}{{ eos_token }}{% endfor %}"


class GPT2Tokenizer(OptionalBos, ByteLevelBPETokenizer):
    """Byte-level BPE tokenizer of GPT-2, in Python.

    A space is part of the word after it, so a word has other tokens at the start of a text than elsewhere, unless
    ``add_prefix_space`` is set.

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
    # Options of special tokens that are given as text.
    _token_options: dict[str, bool] = {}

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
            unk_token=as_added_token(unk_token, **self._token_options),
            bos_token=as_added_token(bos_token, **self._token_options),
            eos_token=as_added_token(eos_token, **self._token_options),
            pad_token=as_added_token(pad_token, **self._token_options),
            add_prefix_space=add_prefix_space,
            add_bos_token=add_bos_token,
            **kwargs,
        )

    @property
    def default_chat_template(self) -> str:
        """The template of conversations for checkpoints that bring none."""
        return EOS_CHAT_TEMPLATE
