"""The Python tokenizer of RoBERTa (Liu et al. 2019): that of GPT-2 with BERT's special tokens; BART's too."""

from __future__ import annotations

from typing import Any

from ..._tokenization_frame import Framed
from ...tokenization_bpe import (
    BPE_FILES_NAMES,
    ByteLevelBPETokenizer,
    as_added_token,
    bytes_to_unicode,
    get_pairs,
)
from ...tokenization_utils_base import AddedToken

__all__ = ["VOCAB_FILES_NAMES", "RobertaTokenizer", "bytes_to_unicode", "get_pairs"]

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys(
    (
        "roberta-base",
        "roberta-large",
        "roberta-large-mnli",
        "distilroberta-base",
        "roberta-base-openai-detector",
        "roberta-large-openai-detector",
    ),
    512,
)


class RobertaTokenizer(Framed, ByteLevelBPETokenizer):
    """Byte-level BPE tokenizer of RoBERTa, in Python.

    A space is part of the word after it, so a word has other tokens at the start of a text than elsewhere, unless
    ``add_prefix_space`` is set.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        errors: What to do with bytes that are not UTF-8 when decoding, as in :meth:`bytes.decode`.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        sep_token: Token behind each sequence, and before a second one.
        cls_token: First token, whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed; the space before it belongs to it.
        add_prefix_space: Put a space before the text.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    frame = ("cls", "sep sep", "sep")
    _mask_options = {"lstrip": True, "normalized": False}

    def __init__(
        self,
        vocab_file: str,
        merges_file: str,
        errors: str = "replace",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        add_prefix_space: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            merges_file,
            errors=errors,
            bos_token=as_added_token(bos_token),
            eos_token=as_added_token(eos_token),
            sep_token=as_added_token(sep_token),
            cls_token=as_added_token(cls_token),
            unk_token=as_added_token(unk_token),
            pad_token=as_added_token(pad_token),
            mask_token=as_added_token(mask_token, **self._mask_options),
            add_prefix_space=add_prefix_space,
            **kwargs,
        )

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Put the prefix space before ``text`` where the options ask for one and it does not begin with a space."""
        add_prefix_space = kwargs.pop("add_prefix_space", self.add_prefix_space)
        wanted = (is_split_into_words or add_prefix_space) and text and not text[0].isspace()
        return (f" {text}" if wanted else text), kwargs
