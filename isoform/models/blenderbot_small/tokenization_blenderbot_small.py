"""The tokenizers of Blenderbot Small (Roller et al. 2020)."""

from __future__ import annotations

from typing import Any

import regex
from tokenizers import processors

from ..._tokenization_frame import Framed
from ...convert_slow_tokenizer import byte_level_bpe
from ...tokenization_bpe import (
    BPE_FILES_NAMES,
    ByteLevelBPETokenizerFast,
    MarkedBPETokenizer,
    get_pairs,
    read_merges,
    read_vocab,
)
from ...tokenization_utils_base import AddedToken

__all__ = ["VOCAB_FILES_NAMES", "BlenderbotSmallTokenizer", "BlenderbotSmallTokenizerFast", "get_pairs"]

VOCAB_FILES_NAMES = {**BPE_FILES_NAMES, "tokenizer_config_file": "tokenizer_config.json"}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"facebook/blenderbot_small-90M": 512}

# Turns of users begin with a space, and two spaces separate turns.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ ' ' if message.role == 'user' }}{{ message.content }}"
    "{{ '  ' if not loop.last }}{% endfor %}{{ eos_token }}"
)


class BlenderbotSmallTokenizer(MarkedBPETokenizer):
    """BPE tokenizer of Blenderbot Small. All text becomes lower case; pieces that do not end a word end in ``@@``.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    default_chat_template = CHAT_TEMPLATE

    def __init__(
        self,
        vocab_file: str,
        merges_file: str,
        bos_token: str | AddedToken = "__start__",
        eos_token: str | AddedToken = "__end__",
        unk_token: str | AddedToken = "__unk__",
        pad_token: str | AddedToken = "__null__",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            merges_file,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            **kwargs,
        )

    def merge_word(self, word: str) -> list[str]:
        """The pieces of what stands between two spaces: its punctuation is split off, a line feed has a name."""
        word = regex.sub(r"([.,!?()])", r" \1", word).replace("'", " ' ")
        word = regex.sub(r"\s{2,}", " ", word).replace("\n", " __newln__")
        pieces: list[str] = []
        for part in word.split(" "):
            if part:
                pieces += super().merge_word(part.lower())
        return pieces

    def _tokenize(self, text: str) -> list[str]:
        return [piece for word in regex.findall(r"\S+\n?", text) for piece in self.split_word(word)]

    def _convert_token_to_id(self, token: str) -> int | None:
        return super()._convert_token_to_id(token.lower())


class BlenderbotSmallTokenizerFast(Framed, ByteLevelBPETokenizerFast):
    """Byte-level BPE tokenizer with the special tokens of Blenderbot, in Rust.

    The vocabularies of the published checkpoints are not of this kind: use :class:`BlenderbotSmallTokenizer` for them,
    as ``AutoTokenizer`` does.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        add_prefix_space: Put a space before the text, so that a first word is treated like any other.
        trim_offsets: Leave the space out of the offsets of a word.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.

    Raises:
        TokenizerError: A merge uses or makes a token that is not in the vocabulary.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    frame = ("bos", "eos eos", "eos")
    default_chat_template = CHAT_TEMPLATE

    def __init__(
        self,
        vocab_file: str | None = None,
        merges_file: str | None = None,
        unk_token: str | AddedToken = "<|endoftext|>",
        bos_token: str | AddedToken = "<|endoftext|>",
        eos_token: str | AddedToken = "<|endoftext|>",
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        **kwargs: Any,
    ) -> None:
        if vocab_file and merges_file and not {"tokenizer_object", "tokenizer_file"} & set(kwargs):
            backend = byte_level_bpe(
                read_vocab(vocab_file), read_merges(merges_file), add_prefix_space, str(merges_file)
            )
            backend.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
            kwargs["tokenizer_object"] = backend
        super().__init__(
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )
