"""The Python tokenizer of CLIP (Radford et al. 2021): byte-level BPE of lower-case words, with marked ends of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import regex

from ..._tokenization_frame import Framed
from ...tokenization_bpe import (
    BPE_FILES_NAMES,
    ByteLevelBPETokenizer,
    as_added_token,
    bytes_to_unicode,
    get_pairs,
    merge_symbols,
)
from ...tokenization_utils_base import AddedToken
from ...utils import logging
from ..bert.tokenization_bert import BasicTokenizer, whitespace_tokenize

__all__ = ["VOCAB_FILES_NAMES", "BasicTokenizer", "CLIPTokenizer", "bytes_to_unicode", "get_pairs"]

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"openai/clip-vit-base-patch32": 77}
PRETRAINED_INIT_CONFIGURATION: dict[str, dict[str, Any]] = {"openai/clip-vit-base-patch32": {}}

END_OF_WORD = "</w>"
# Words of CLIP: English clitics, letters, single digits, other signs.
CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
# How many merges of the published file there are for the 49,152 entries of the vocabulary: the rest of it is not used.
_MERGES = 49152 - 256 - 2


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
