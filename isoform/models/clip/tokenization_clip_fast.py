"""The Rust tokenizer of CLIP."""

from __future__ import annotations

from typing import Any

from tokenizers import pre_tokenizers

from ..._tokenization_frame import Framed
from ...errors import TokenizerError
from ...tokenization_bpe import BPE_FAST_FILES_NAMES, END_OF_WORD
from ...tokenization_utils_base import AddedToken
from ...tokenization_utils_fast import PreTrainedTokenizerFast
from .tokenization_clip import PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES, CLIPTokenizer

__all__ = ["VOCAB_FILES_NAMES", "CLIPTokenizerFast"]

VOCAB_FILES_NAMES = BPE_FAST_FILES_NAMES


class CLIPTokenizerFast(Framed, PreTrainedTokenizerFast):
    """Byte-level BPE tokenizer of CLIP, in Rust. All text becomes lower case.

    Args:
        vocab_file: Path of ``vocab.json``, where there is no ``tokenizer_file``.
        merges_file: Path of ``merges.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        unk_token: Token for what is not in the vocabulary.
        bos_token: Token for the beginning of a text.
        eos_token: Token for the end of a text.
        pad_token: Token for padding.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.

    Raises:
        TokenizerError: ``tokenizer_file`` is one of the first versions, which split text in another way.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = CLIPTokenizer
    frame = ("bos", "eos eos", "eos")

    def __init__(
        self,
        vocab_file: str | None = None,
        merges_file: str | None = None,
        tokenizer_file: str | None = None,
        unk_token: str | AddedToken = "<|endoftext|>",
        bos_token: str | AddedToken = "<|startoftext|>",
        eos_token: str | AddedToken = "<|endoftext|>",
        pad_token: str | AddedToken = "<|endoftext|>",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file,
            merges_file,
            tokenizer_file=tokenizer_file,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            **kwargs,
        )
        found = self.backend_tokenizer.pre_tokenizer
        if not isinstance(found, pre_tokenizers.Sequence):
            raise TokenizerError(
                f"{tokenizer_file or 'tokenizer_object'}: expected a CLIP tokenizer, whose pre_tokenizer is a "
                f"sequence, found {type(found).__name__}. Files of the first versions split text in another way: "
                "convert the vocabulary again with from_slow=True."
            )

    def _text_of(self, ids: list[int], skip_special_tokens: bool) -> str:
        return super()._text_of(ids, skip_special_tokens).replace(END_OF_WORD, " ").strip()
