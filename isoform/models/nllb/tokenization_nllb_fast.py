"""The Rust tokenizer of NLLB."""

from __future__ import annotations

from typing import Any

from ..._tokenization_frame import frame_processor
from ...tokenization_bpe import as_added_token
from ...tokenization_sentencepiece import SentencePieceTokenizerFast
from ...tokenization_utils_base import AddedToken
from .tokenization_nllb import (
    FAIRSEQ_LANGUAGE_CODES,
    PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES,
    NllbLanguages,
    NllbTokenizer,
    with_languages,
)

__all__ = ["FAIRSEQ_LANGUAGE_CODES", "VOCAB_FILES_NAMES", "NllbTokenizerFast"]

VOCAB_FILES_NAMES = {"vocab_file": "sentencepiece.bpe.model", "tokenizer_file": "tokenizer.json"}


class NllbTokenizerFast(NllbLanguages, SentencePieceTokenizerFast):
    """SentencePiece tokenizer of NLLB, in Rust.

    Args:
        vocab_file: Path of ``sentencepiece.bpe.model``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of ``tokenizer.json``.
        bos_token: Token for the beginning of a text.
        eos_token: Token behind each text.
        sep_token: Token that separates texts.
        cls_token: Token whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed; the space before it belongs to it.
        src_lang: Language of the texts; by default English, ``eng_Latn``.
        tgt_lang: Language of target texts.
        additional_special_tokens: Further special tokens.
        legacy_behaviour: Write ``… </s> eng_Latn``, as the first versions did.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = NllbTokenizer

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        additional_special_tokens: list[str | AddedToken] | None = None,
        legacy_behaviour: bool = False,
        **kwargs: Any,
    ) -> None:
        self.legacy_behaviour = legacy_behaviour
        super().__init__(
            vocab_file,
            tokenizer_file=tokenizer_file,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=as_added_token(mask_token, lstrip=True),
            src_lang=src_lang,
            tgt_lang=tgt_lang,
            additional_special_tokens=with_languages(additional_special_tokens),
            legacy_behaviour=legacy_behaviour,
            **kwargs,
        )
        self._set_languages(src_lang, tgt_lang)

    def _use_affixes(self, token: int, prefix: list[int], suffix: list[int]) -> None:
        changed = (prefix, suffix) != (getattr(self, "prefix_tokens", None), getattr(self, "suffix_tokens", None))
        super()._use_affixes(token, prefix, suffix)
        if changed:
            self._tokenizer.post_processor = frame_processor(self)
