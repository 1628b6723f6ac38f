"""The Python tokenizer of CLIP (Radford et al. 2021): byte-level BPE of lower-case words, with marked ends of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import regex

from ..._tokenization_frame import Framed
from ...tokenization_bpe import (
    BPE_FILES_NAMES,
    END_OF_WORD,
    ByteLevelBPETokenizer,
    as_added_token,
    bytes_to_unicode,
    get_pairs,
    merge_symbols,
)
from ...tokenization_utils_base import AddedToken
from ...utils import logging
from ..bert.tokenization_bert import BasicTokenizer

__all__ = ["VOCAB_FILES_NAMES", "BasicTokenizer", "CLIPTokenizer", "bytes_to_unicode", "get_pairs"]

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"openai/clip-vit-base-patch32": 77}
PRETRAINED_INIT_CONFIGURATION: dict[str, dict[str, Any]] = {"openai/clip-vit-base-patch32": {}}

# Words of CLIP: English clitics, letters, single digits, other signs.
CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
# Never split, even where special tokens are treated as text.
_WHOLE = ("<|startoftext|>", "<|endoftext|>")
# The published file has more merges than its vocabulary of 49,152 tokens, 256 bytes and 2 special ones among them.
_MERGE_LINES = slice(1, 1 + 49152 - 256 - 2)


class CLIPTokenizer(Framed, ByteLevelBPETokenizer):
    """Byte-level BPE tokenizer of CLIP, in Python. All text becomes lower case.

    Text is repaired by the package ``ftfy`` where that is installed, as it was for training; otherwise its accents are
    composed, and ideographs stand alone.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        errors: What to do with bytes that are not UTF-8 when decoding, as in :meth:`bytes.decode`.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        pad_token: Token for padding.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    frame = ("bos", "eos eos", "eos")
    word_pattern = rf"(?i){'|'.join(map(regex.escape, _WHOLE))}|{CLIP_WORDS}"
    _merge_lines = (_MERGE_LINES, False)

    def __init__(
        self,
        vocab_file: str,
        merges_file: str,
        errors: str = "replace",
        unk_token: str | AddedToken = "<|endoftext|>",
        bos_token: str | AddedToken = "<|startoftext|>",
        eos_token: str | AddedToken = "<|endoftext|>",
        pad_token: str | AddedToken = "<|endoftext|>",
        **kwargs: Any,
    ) -> None:
        try:
            from ftfy import fix_text
        except ImportError:
            logger.info("ftfy is not installed: CLIPTokenizer uses BERT's way to clean text.")
            fix_text = None
        self.fix_text = fix_text
        self.nlp = BasicTokenizer(strip_accents=False, do_split_on_punc=False)
        super().__init__(
            vocab_file,
            merges_file,
            errors=errors,
            unk_token=as_added_token(unk_token),
            bos_token=as_added_token(bos_token),
            eos_token=as_added_token(eos_token),
            pad_token=pad_token,
            **kwargs,
        )

    def merge_word(self, word: str) -> list[str]:
        """The pieces of one word; the last one ends in ``</w>``."""
        return [word] if word in _WHOLE else merge_symbols([*word[:-1], word[-1:] + END_OF_WORD], self.bpe_ranks)

    def _tokenize(self, text: str) -> list[str]:
        if self.fix_text is None:
            text = " ".join(self.nlp.tokenize(text))
        else:
            text = regex.sub(r"\s+", " ", self.fix_text(text)).strip().lower()
        return super()._tokenize(text)

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for, with spaces between words."""
        return super().convert_tokens_to_string(tokens).replace(END_OF_WORD, " ").strip()
