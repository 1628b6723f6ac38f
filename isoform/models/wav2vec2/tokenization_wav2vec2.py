"""Tokenizers for connectionist temporal classification: characters, one for each position of a sound."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any

from ..._tokenization_batch import BatchEncoding
from ..._tokenization_files import read_json, vocabulary_path, write_json
from ...errors import TokenizerError
from ...tokenization_utils import PreTrainedTokenizer
from ...tokenization_utils_base import AddedToken
from ...utils import ModelOutput, logging
from ...utils.generic import PaddingStrategy, TensorType

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = {"vocab_file": "vocab.json", "tokenizer_config_file": "tokenizer_config.json"}

Offsets = list[dict[str, Any]]


@dataclass
class Wav2Vec2CTCTokenizerOutput(ModelOutput):
    """A decoded text, or the texts of a batch.

    Attributes:
        text: The text.
        char_offsets: `{"char", "start_offset", "end_offset"}` of each character, in positions of the model's output.
        word_offsets: `{"word", "start_offset", "end_offset"}` of each word. Times `inputs_to_logits_ratio /
            sampling_rate` these are seconds.
    """

    text: Any
    char_offsets: Any = None
    word_offsets: Any = None


class CTCTokenizer(PreTrainedTokenizer):
    """What tokenizers for CTC share: the vocabulary, added tokens that never strip, and offsets.

    Args:
        vocab_file: Path of `vocab.json`: token to id, or such a table for each language.
        language: The language whose table to use.
        kwargs: Options of every tokenizer.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    model_input_names = ["input_ids", "attention_mask"]
    _word_delimiter_token: str | None

    def __init__(self, vocab_file: str, language: str | None = None, **kwargs: Any) -> None:
        self.vocab: dict[str, Any] = read_json(vocab_file)
        self._use(self._table(language, str(vocab_file)))
        super().__init__(**kwargs)
        self._add_long_tokens()

    def _table(self, language: str | None, source: str) -> dict[str, int]:
        """The table of a language, or the only one.

        Raises:
            TokenizerError: There is no such language, or an id is no int.
        """
        table: Any = self.vocab
        if language is not None:
            if not isinstance(table.get(language), Mapping):
                known = ", ".join(name for name, value in table.items() if isinstance(value, Mapping))
                found = f"one of {known}" if known else "no language at all, the vocabulary is not nested"
                raise TokenizerError(f"{source}: target_lang={language!r} is not there; found {found}")
            table = table[language]
        wrong = next((item for item in table.items() if not isinstance(item[1], int)), None)
        if wrong is not None:
            hint = ": pass target_lang, one of the languages" if isinstance(wrong[1], Mapping) else ""
            raise TokenizerError(f"{source}: expected the id (int) of token {wrong[0]!r}, found a "
                                 f"{type(wrong[1]).__name__}{hint}")  # fmt: skip
        return dict(table)

    def _use(self, table: dict[str, int]) -> None:
        self.encoder = table
        self.decoder = {index: token for token, index in table.items()}

    def _add_long_tokens(self) -> None:
        """Tokens of several characters must not be split into characters."""
        long = [token for token in self.encoder if len(token) > 1]
        self.add_tokens([AddedToken(token, rstrip=True, lstrip=True, normalized=False) for token in long])

    @property
    def word_delimiter_token(self) -> str | None:
        """The token between words."""
        if self._word_delimiter_token is None:
            if self.verbose:
                logger.error("word_delimiter_token is asked for, but not set.")
            return None
        return str(self._word_delimiter_token)

    @word_delimiter_token.setter
    def word_delimiter_token(self, value: str | None) -> None:
        self._word_delimiter_token = value

    @property
    def word_delimiter_token_id(self) -> int | None:
        """The id of the token between words; None if there is none."""
        return None if self._word_delimiter_token is None else self.convert_tokens_to_ids(self.word_delimiter_token)

    @word_delimiter_token_id.setter
    def word_delimiter_token_id(self, value: int) -> None:
        self._word_delimiter_token = self.convert_ids_to_tokens(value)

    @property
    def vocab_size(self) -> int:
        return len(self.decoder)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self.added_tokens_encoder}

    def _add_tokens(self, new_tokens: Sequence[str | AddedToken], special_tokens: bool = False) -> int:
        # Spaces around an added token mean something here: nothing is stripped.
        plain = [
            AddedToken(t, rstrip=False, lstrip=False, normalized=True, special=special_tokens)
            if isinstance(t, str)
            else t
            for t in new_tokens
        ]
        return super()._add_tokens(plain, special_tokens)

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self.encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder.get(index, self.unk_token)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        path = vocabulary_path(save_directory, filename_prefix, VOCAB_FILES_NAMES["vocab_file"])
        write_json(path, self.vocab)
        return (path,)

    # ---- decoding ----

    def _characters(self, tokens: Sequence[str], group_tokens: bool) -> Offsets:
        """The characters of a row of tokens, with the positions that each lasts; blanks are left out."""
        runs = [(token, len(list(run))) for token, run in groupby(tokens)] if group_tokens else [(t, 1) for t in tokens]
        ends = accumulate(length for _, length in runs)
        blank = self.pad_token
        return [
            {"char": token, "start_offset": end - length, "end_offset": end}
            for (token, length), end in zip(runs, ends, strict=True)
            if token != blank
        ]

    def _tokens_of(self, token_ids: int | list[int], skip_special_tokens: bool) -> list[str]:
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        return self.convert_ids_to_tokens(ids, skip_special_tokens=skip_special_tokens)


class Wav2Vec2CTCTokenizer(CTCTokenizer):
    """Characters for CTC.

    Args:
        vocab_file: Path of `vocab.json`: token to id, or such a table for each language.
        bos_token, eos_token, unk_token: Special tokens.
        pad_token: Padding, and the blank of CTC.
        word_delimiter_token: What stands for a space.
        replace_word_delimiter_char: What it becomes in texts.
        do_lower_case: The vocabulary is of upper-case letters, texts are of lower-case ones.
        target_lang: The language, of a nested vocabulary.
        kwargs: Options of every tokenizer.
    """

    def __init__(
        self,
        vocab_file: str,
        bos_token: str = "<s>",
        eos_token: str = "</s>",
        unk_token: str = "<unk>",
        pad_token: str = "<pad>",
        word_delimiter_token: str = "|",
        replace_word_delimiter_char: str = " ",
        do_lower_case: bool = False,
        target_lang: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._word_delimiter_token = word_delimiter_token
        self.do_lower_case = do_lower_case
        self.replace_word_delimiter_char = replace_word_delimiter_char
        self.target_lang = target_lang
        super().__init__(
            vocab_file,
            target_lang,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            do_lower_case=do_lower_case,
            word_delimiter_token=word_delimiter_token,
            replace_word_delimiter_char=replace_word_delimiter_char,
            target_lang=target_lang,
            **kwargs,
        )

    def set_target_lang(self, target_lang: str) -> None:
        """Use the table of another language of a nested vocabulary.

        Raises:
            ValueError: The vocabulary is not nested, or has no such language.
        """
        table = self._table(target_lang, "the vocabulary")
        self.target_lang = self.init_kwargs["target_lang"] = target_lang
        self._use(table)
        self._add_long_tokens()

    def _tokenize(self, text: str) -> list[str]:
        if self.do_lower_case:
            text = text.upper()
        return list(text.replace(" ", self.word_delimiter_token or " "))

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        return (f" {text}" if is_split_into_words else text), kwargs

    def convert_tokens_to_string(  # type: ignore[override]
        self,
        tokens: list[str],
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
    ) -> dict[str, Any]:
        """The text of a row of tokens, and where its parts are.

        Args:
            tokens: One for each position.
            group_tokens: Count repetitions as one character, as CTC does.
            spaces_between_special_tokens: Put spaces between all tokens.
            output_char_offsets, output_word_offsets: Also give these, see `Wav2Vec2CTCTokenizerOutput`.

        Returns:
            `{"text", "char_offsets", "word_offsets"}`, None for what was not asked for.
        """
        if not tokens:
            return {"text": "", "char_offsets": [], "word_offsets": []}
        found = self._characters(tokens, group_tokens)
        for entry in found:
            if entry["char"] == self.word_delimiter_token:
                entry["char"] = self.replace_word_delimiter_char
        text = (" " if spaces_between_special_tokens else "").join(entry["char"] for entry in found).strip()
        return {
            "text": text.lower() if self.do_lower_case else text,
            "char_offsets": found if output_char_offsets else None,
            "word_offsets": self._get_word_offsets(found, self.replace_word_delimiter_char)
            if output_word_offsets
            else None,
        }

    @staticmethod
    def _get_word_offsets(offsets: Offsets, word_delimiter_char: str = " ") -> Offsets:
        """Offsets of the words, from those of the characters."""
        words = []
        for is_word, run in groupby(offsets, key=lambda entry: entry["char"] != word_delimiter_char):
            if is_word:
                entries = list(run)
                word = "".join(entry["char"] for entry in entries)
                start, end = entries[0]["start_offset"], entries[-1]["end_offset"]
                words.append({"word": word, "start_offset": start, "end_offset": end})
        return words

    def _decode(  # type: ignore[override]
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        output_word_offsets: bool = False,
        output_char_offsets: bool = False,
    ) -> Any:
        found = self.convert_tokens_to_string(
            self._tokens_of(token_ids, skip_special_tokens),
            group_tokens=group_tokens,
            spaces_between_special_tokens=spaces_between_special_tokens,
            output_word_offsets=output_word_offsets,
            output_char_offsets=output_char_offsets,
        )
        text = self._cleaned(found.pop("text"), clean_up_tokenization_spaces)
        return Wav2Vec2CTCTokenizerOutput(text, **found) if output_word_offsets or output_char_offsets else text

    def decode(  # type: ignore[override]
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The text of a row of ids, as CTC reads it: repetitions once, blanks left out.

        Args:
            token_ids: `(positions,)`, the most probable id of each.
            skip_special_tokens: Leave special tokens out.
            clean_up_tokenization_spaces: Remove spaces before punctuation.
            output_char_offsets, output_word_offsets: Also give where characters and words are.
            kwargs: `group_tokens=False` keeps repetitions (for labels); `spaces_between_special_tokens`.

        Returns:
            The text, or with offsets a `Wav2Vec2CTCTokenizerOutput`.
        """
        return super().decode(
            token_ids,
            skip_special_tokens=skip_special_tokens,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            output_char_offsets=output_char_offsets,
            output_word_offsets=output_word_offsets,
            **kwargs,
        )

    def batch_decode(  # type: ignore[override]
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The texts of a batch of ids `(batch, positions)`; see `decode`. With offsets, an output of lists."""
        found: list[Any] = super().batch_decode(
            sequences,
            skip_special_tokens=skip_special_tokens,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            output_char_offsets=output_char_offsets,
            output_word_offsets=output_word_offsets,
            **kwargs,
        )
        return batched(found, Wav2Vec2CTCTokenizerOutput) if output_char_offsets or output_word_offsets else found


def batched(outputs: list[Any], output_class: Any) -> Any:
    """One output of lists from a list of outputs."""
    return output_class(**{name: [output[name] for output in outputs] for name in outputs[0]})


class Wav2Vec2Tokenizer(Wav2Vec2CTCTokenizer):
    """Deprecated: use `Wav2Vec2Processor`, or `Wav2Vec2CTCTokenizer`. Called, it prepares sounds rather than texts."""

    model_input_names = ["input_values", "attention_mask"]

    def __init__(
        self,
        vocab_file: str,
        bos_token: str = "<s>",
        eos_token: str = "</s>",
        unk_token: str = "<unk>",
        pad_token: str = "<pad>",
        word_delimiter_token: str = "|",
        do_lower_case: bool = False,
        do_normalize: bool = False,
        return_attention_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        warnings.warn(
            "Wav2Vec2Tokenizer is deprecated: use Wav2Vec2Processor or Wav2Vec2CTCTokenizer.",
            FutureWarning,
            stacklevel=2,
        )
        self.return_attention_mask, self.do_normalize = return_attention_mask, do_normalize
        super().__init__(
            vocab_file,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            word_delimiter_token=word_delimiter_token,
            do_lower_case=do_lower_case,
            do_normalize=do_normalize,
            return_attention_mask=return_attention_mask,
            **kwargs,
        )

    def __call__(  # type: ignore[override]
        self,
        raw_speech: Any,
        padding: bool | str | PaddingStrategy = False,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | TensorType | None = None,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Prepare sounds; see `Wav2Vec2FeatureExtractor`."""
        from .feature_extraction_wav2vec2 import Wav2Vec2FeatureExtractor

        extractor = Wav2Vec2FeatureExtractor(
            do_normalize=self.do_normalize, return_attention_mask=self.return_attention_mask
        )
        options = {"padding": padding, "max_length": max_length, "pad_to_multiple_of": pad_to_multiple_of}
        features = extractor(raw_speech, sampling_rate=extractor.sampling_rate, **options)  # type: ignore[arg-type]
        return BatchEncoding(dict(features), tensor_type=return_tensors)
