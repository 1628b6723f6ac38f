"""Tokenizers of translation models: a token says which language a text is in."""

from __future__ import annotations

from typing import Any

from ._tokenization_frame import Frame, Framed
from .errors import TokenizerError
from .tokenization_utils_base import BatchEncoding


class LanguageError(TokenizerError, KeyError):
    """A language is not set, or the tokenizer does not know it."""

    __str__ = Exception.__str__  # a KeyError would show the representation of its message


class Languages(Framed):
    """Mixin of tokenizers with a source and a target language, whose token is put around the text.

    A tokenizer sets `src_lang_default` and `tgt_lang_default` and implements `_language_id`.
    """

    src_lang_default: str
    tgt_lang_default: str
    legacy_behaviour = False

    tgt_lang: str | None
    _src_lang: str
    prefix_tokens: list[int]
    suffix_tokens: list[int]

    def _language_id(self, language: str) -> int:
        """The id of the token of a language.

        Raises:
            KeyError: The tokenizer does not know it.
        """
        raise NotImplementedError

    def _set_languages(self, src_lang: str | None, tgt_lang: str | None) -> None:
        """Sets both languages; to be called at the end of the constructor."""
        self.tgt_lang = tgt_lang
        self.src_lang = src_lang or self.src_lang_default

    @property
    def src_lang(self) -> str:
        """The language of the texts that are to be translated."""
        return self._src_lang

    @src_lang.setter
    def src_lang(self, new_src_lang: str) -> None:
        self.set_src_lang_special_tokens(new_src_lang)
        self._src_lang = new_src_lang

    def set_src_lang_special_tokens(self, src_lang: str) -> None:
        """Frame texts as those of a source language."""
        self._use_language(src_lang, "src_lang")

    def set_tgt_lang_special_tokens(self, tgt_lang: str) -> None:
        """Frame texts as those of a target language."""
        self._use_language(tgt_lang, "tgt_lang")

    def _use_language(self, language: str | None, name: str) -> None:
        if language is None:
            raise LanguageError(
                f"{type(self).__name__}: {name} is not set. Set `tokenizer.{name}` to a language such as "
                f"{self.tgt_lang_default!r}."
            )
        try:
            token = self._language_id(language)
        except KeyError:
            raise LanguageError(
                f"{type(self).__name__}: unknown {name} {language!r}; a language is written like "
                f"{self.src_lang_default!r} or {self.tgt_lang_default!r}."
            ) from None
        end: list[Any] = [self.eos_token_id]  # type: ignore[attr-defined]
        self._use_affixes(token, *(([], [*end, token]) if self.legacy_behaviour else ([token], end)))

    def _use_affixes(self, token: int, prefix: list[int], suffix: list[int]) -> None:
        self.cur_lang_code = token
        self.prefix_tokens, self.suffix_tokens = prefix, suffix

    def _frame(self) -> Frame:
        return self.prefix_tokens, [], self.suffix_tokens

    def _switch_to_input_mode(self) -> None:
        self.set_src_lang_special_tokens(self.src_lang)

    def _switch_to_target_mode(self) -> None:
        self.set_tgt_lang_special_tokens(self.tgt_lang)  # type: ignore[arg-type]

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        src_lang: str | None = None,
        tgt_texts: list[str] | None = None,
        tgt_lang: str | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Deprecated: sets the languages, and encodes source texts, and target texts as `labels`."""
        self.src_lang = src_lang or self.src_lang_default
        self.tgt_lang = tgt_lang or self.tgt_lang_default
        return super().prepare_seq2seq_batch(src_texts, tgt_texts, **kwargs)  # type: ignore[misc]

    def _build_translation_inputs(
        self,
        raw_inputs: Any,
        return_tensors: str | None = None,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        **extra_kwargs: Any,
    ) -> BatchEncoding:
        """The inputs of `generate` for a translation, the token of the target language among them."""
        if src_lang is None or tgt_lang is None:
            raise ValueError(
                f"Translation requires a `src_lang` and a `tgt_lang` for this model, such as {self.src_lang_default!r} "
                f"and {self.tgt_lang_default!r}; found {src_lang!r} and {tgt_lang!r}."
            )
        self.src_lang = src_lang
        inputs = self(raw_inputs, add_special_tokens=True, return_tensors=return_tensors, **extra_kwargs)  # type: ignore[operator]
        inputs["forced_bos_token_id"] = self._language_id(tgt_lang)
        return inputs
