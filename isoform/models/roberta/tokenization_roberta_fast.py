"""The Rust tokenizer of RoBERTa."""

from __future__ import annotations

from typing import Any

from tokenizers import processors

from ..._tokenization_frame import Framed
from ...convert_slow_tokenizer import roberta_processor
from ...tokenization_bpe import BPE_FAST_FILES_NAMES, ByteLevelBPETokenizerFast, as_added_token
from ...tokenization_utils_base import AddedToken
from .tokenization_roberta import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, RobertaTokenizer

__all__ = ["VOCAB_FILES_NAMES", "RobertaTokenizerFast"]

VOCAB_FILES_NAMES = BPE_FAST_FILES_NAMES


class RobertaTokenizerFast(Framed, ByteLevelBPETokenizerFast):
    """Byte-level BPE tokenizer of RoBERTa, in Rust.

    Args:
        vocab_file: Path of ``vocab.json``, where there is no ``tokenizer_file``.
        merges_file: Path of ``merges.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        errors: What to do with bytes that are not UTF-8 when decoding, as in :meth:`bytes.decode`.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        sep_token: Token behind each sequence, and before a second one.
        cls_token: First token, whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed; the space before it belongs to it.
        add_prefix_space: Put a space before the text.
        trim_offsets: Leave the space out of the offsets of a word.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    slow_tokenizer_class = RobertaTokenizer
    frame = ("bos", "eos eos", "eos")

    def __init__(
        self,
        vocab_file: str | None = None,
        merges_file: str | None = None,
        tokenizer_file: str | None = None,
        errors: str = "replace",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            merges_file,
            tokenizer_file=tokenizer_file,
            errors=errors,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=as_added_token(mask_token, **self.slow_tokenizer_class._mask_options),
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )
        # tokenizer.json has settings of its own; the arguments win.
        if isinstance(self.backend_tokenizer.post_processor, processors.RobertaProcessing):
            self.backend_tokenizer.post_processor = roberta_processor(
                self, "sep", "cls", add_prefix_space, trim_offsets
            )

    @property
    def mask_token(self) -> str | None:  # type: ignore[override]
        """The mask token as text, or `None`. When it is set as text, the space before it becomes a part of it."""
        return RobertaTokenizer.mask_token.__get__(self)

    @mask_token.setter
    def mask_token(self, value: str | AddedToken | None) -> None:
        self._mask_token = as_added_token(value, lstrip=True)
