"""Phonemes for CTC; texts become phonemes through the package `phonemizer`, and the program espeak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...utils import ModelOutput, logging
from ...utils.import_utils import requires_backends
from ..wav2vec2.tokenization_wav2vec2 import VOCAB_FILES_NAMES, CTCTokenizer, batched

__all__ = ["VOCAB_FILES_NAMES", "Wav2Vec2PhonemeCTCTokenizer", "Wav2Vec2PhonemeCTCTokenizerOutput"]

logger = logging.get_logger(__name__)


@dataclass
class Wav2Vec2PhonemeCTCTokenizerOutput(ModelOutput):
    """Decoded phonemes, or those of a batch.

    Attributes:
        text: The phonemes, with spaces between.
        char_offsets: `{"char", "start_offset", "end_offset"}` of each phoneme, in positions of the model's output.
    """

    text: Any
    char_offsets: Any = None


class Wav2Vec2PhonemeCTCTokenizer(CTCTokenizer):
    """Phonemes for CTC.

    Args:
        vocab_file: Path of `vocab.json`: phoneme to id.
        bos_token, eos_token, unk_token: Special tokens.
        pad_token: Padding, and the blank of CTC.
        phone_delimiter_token: What stands between phonemes.
        word_delimiter_token: What stands between words; None for nothing.
        do_phonemize: Texts are texts; otherwise they are phonemes already.
        phonemizer_lang: Their language, by espeak's code.
        phonemizer_backend: "espeak", or another one of the package `phonemizer`.
        kwargs: Options of every tokenizer.

    Raises:
        ImportError: `do_phonemize` without the package `phonemizer`.
    """

    _phone_delimiter_token: str | None

    def __init__(
        self,
        vocab_file: str,
        bos_token: str = "<s>",
        eos_token: str = "</s>",
        unk_token: str = "<unk>",
        pad_token: str = "<pad>",
        phone_delimiter_token: str = " ",
        word_delimiter_token: str | None = None,
        do_phonemize: bool = True,
        phonemizer_lang: str = "en-us",
        phonemizer_backend: str = "espeak",
        **kwargs: Any,
    ) -> None:
        self._word_delimiter_token, self._phone_delimiter_token = word_delimiter_token, phone_delimiter_token
        self.do_phonemize = do_phonemize
        self.phonemizer_lang, self.phonemizer_backend = phonemizer_lang, phonemizer_backend
        if do_phonemize:
            self.init_backend(phonemizer_lang)
        super().__init__(
            vocab_file,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            word_delimiter_token=word_delimiter_token,
            phone_delimiter_token=phone_delimiter_token,
            do_phonemize=do_phonemize,
            phonemizer_lang=phonemizer_lang,
            phonemizer_backend=phonemizer_backend,
            **kwargs,
        )

    def _add_long_tokens(self) -> None:
        """Nothing: texts are split at spaces, phonemes of several letters stay whole."""

    @property
    def phone_delimiter_token(self) -> str | None:
        """What stands between phonemes."""
        if self._phone_delimiter_token is None:
            if self.verbose:
                logger.error("phone_delimiter_token is asked for, but not set.")
            return None
        return str(self._phone_delimiter_token)

    @phone_delimiter_token.setter
    def phone_delimiter_token(self, value: str | None) -> None:
        self._phone_delimiter_token = value

    @property
    def phone_delimiter_token_id(self) -> int | None:
        """The id of what stands between phonemes; None if nothing does."""
        return None if self._phone_delimiter_token is None else self.convert_tokens_to_ids(self.phone_delimiter_token)

    @phone_delimiter_token_id.setter
    def phone_delimiter_token_id(self, value: int) -> None:
        self._phone_delimiter_token = self.convert_ids_to_tokens(value)

    def init_backend(self, phonemizer_lang: str) -> None:
        """Set the language of the phonemizer.

        Raises:
            ImportError: The package `phonemizer` is not installed.
        """
        requires_backends(self, "phonemizer")
        from phonemizer.backend import BACKENDS

        self.backend = BACKENDS[self.phonemizer_backend](phonemizer_lang, language_switch="remove-flags")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "backend"}  # it holds a library's handle

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.do_phonemize:
            self.init_backend(self.phonemizer_lang)

    def prepare_for_tokenization(  # type: ignore[override]
        self,
        text: str,
        is_split_into_words: bool = False,
        phonemizer_lang: str | None = None,
        do_phonemize: bool | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """The text; a language or `do_phonemize` that is given here holds from now on."""
        if do_phonemize is not None:
            self.do_phonemize = do_phonemize
        if phonemizer_lang is not None:
            self.phonemizer_lang = phonemizer_lang
            self.init_backend(phonemizer_lang)
        return (f" {text}" if is_split_into_words else text), {}

    def _tokenize(self, text: str) -> list[str]:
        text = text.strip()
        if self.do_phonemize:
            text = self.phonemize(text.lower(), self.phonemizer_lang)
        return [phone for phone in text.split(" ") if phone.strip()]

    def phonemize(self, text: str, phonemizer_lang: str | None = None) -> str:
        """The phonemes of a text, with the delimiters between phonemes and words."""
        from phonemizer.separator import Separator

        if phonemizer_lang is not None and phonemizer_lang != self.phonemizer_lang:
            self.init_backend(phonemizer_lang)
        elif not hasattr(self, "backend"):
            self.init_backend(self.phonemizer_lang)
        word = "" if self._word_delimiter_token is None else f"{self.word_delimiter_token} "
        separator = Separator(phone=self.phone_delimiter_token, word=word, syllable="")
        return self.backend.phonemize([text], separator=separator)[0].strip()

    def convert_tokens_to_string(  # type: ignore[override]
        self,
        tokens: list[str],
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        filter_word_delimiter_token: bool = True,
        output_char_offsets: bool = False,
    ) -> dict[str, Any]:
        """The phonemes of a row of tokens, with spaces between, and where each is.

        Args:
            tokens: One for each position.
            group_tokens: Count repetitions as one phoneme, as CTC does.
            spaces_between_special_tokens: No effect: there are spaces anyway.
            filter_word_delimiter_token: Leave delimiters of words out.
            output_char_offsets: Also give offsets.

        Returns:
            `{"text", "char_offsets"}`.
        """
        found = self._characters(tokens, group_tokens)
        if filter_word_delimiter_token and self._word_delimiter_token is not None:
            found = [entry for entry in found if entry["char"] != self.word_delimiter_token]
        text = " ".join(entry["char"] for entry in found).strip()
        return {"text": text, "char_offsets": found if output_char_offsets else None}

    def _decode(  # type: ignore[override]
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        group_tokens: bool = True,
        filter_word_delimiter_token: bool = True,
        spaces_between_special_tokens: bool = False,
        output_char_offsets: bool = False,
    ) -> Any:
        found = self.convert_tokens_to_string(
            self._tokens_of(token_ids, skip_special_tokens),
            group_tokens=group_tokens,
            filter_word_delimiter_token=filter_word_delimiter_token,
            output_char_offsets=output_char_offsets,
        )
        text = self._cleaned(found["text"], clean_up_tokenization_spaces)
        return Wav2Vec2PhonemeCTCTokenizerOutput(text, found["char_offsets"]) if output_char_offsets else text

    def decode(  # type: ignore[override]
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The phonemes of a row of ids, as CTC reads it: repetitions once, blanks left out.

        Args:
            token_ids: `(positions,)`, the most probable id of each.
            skip_special_tokens: Leave special tokens out.
            clean_up_tokenization_spaces: Remove spaces before punctuation.
            output_char_offsets: Also give where phonemes are, in a `Wav2Vec2PhonemeCTCTokenizerOutput`.
            kwargs: `group_tokens`, `filter_word_delimiter_token`.
        """
        return super().decode(
            token_ids,
            skip_special_tokens=skip_special_tokens,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            output_char_offsets=output_char_offsets,
            **kwargs,
        )

    def batch_decode(  # type: ignore[override]
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The phonemes of a batch of ids `(batch, positions)`; see `decode`. With offsets, an output of lists."""
        found: list[Any] = super().batch_decode(
            sequences,
            skip_special_tokens=skip_special_tokens,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            output_char_offsets=output_char_offsets,
            **kwargs,
        )
        return batched(found, Wav2Vec2PhonemeCTCTokenizerOutput) if output_char_offsets else found
