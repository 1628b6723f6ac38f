"""Base of the tokenizers that are written in Python."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ._tokenization_unicode import (  # noqa: F401 (their documented place is here)
    _insert_one_token_to_ordered_list,
    _is_control,
    _is_end_of_word,
    _is_punctuation,
    _is_start_of_word,
    _is_whitespace,
)
from .tokenization_utils_base import *  # noqa: F403 (4.36 code imports the names of the base from here, too)
from .tokenization_utils_base import (
    AddedToken,
    BatchEncoding,
    PaddingStrategy,
    PreTrainedTokenizerBase,
    TextInput,
    TruncationStrategy,
)
from .utils import logging

logger = logging.get_logger(__name__)


class Trie:
    """A set of words that a text is split at: of words that begin at the same place, the longest one counts."""

    def __init__(self) -> None:
        self._tokens: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, word: str) -> None:
        """Adds a word; the empty one is ignored."""
        if word and word not in self._tokens:
            self._tokens[word] = None
            self._pattern = None

    @property
    def data(self) -> dict[str, Any]:
        """The words as nested dictionaries, one level per character; the key `""` marks the end of a word."""
        root: dict[str, Any] = {}
        for word in self._tokens:
            node = root
            for character in word:
                node = node.setdefault(character, {})
            node[""] = 1
        return root

    def split(self, text: str) -> list[str]:
        """Splits a text into the words of the set and what is between them."""
        if not self._tokens:
            return [text] if text else []
        if self._pattern is None:
            # An alternation takes the first alternative that matches, so the longest must come first.
            words = sorted(self._tokens, key=len, reverse=True)
            self._pattern = re.compile(f"({'|'.join(map(re.escape, words))})")
        return [part for part in self._pattern.split(text) if part]

    def cut_text(self, text: str, offsets: Sequence[int]) -> list[str]:
        """Cuts a text at offsets in ascending order."""
        parts, start = [], 0
        for end in (*offsets, len(text)):
            if end > start:
                parts.append(text[start:end])
                start = end
        return parts


class PreTrainedTokenizer(PreTrainedTokenizerBase):
    """Base of the tokenizers that are written in Python.

    A tokenizer implements `vocab_size`, `get_vocab`, `_tokenize`, `_convert_token_to_id`, `_convert_id_to_token` and
    `save_vocabulary`, and where needed `convert_tokens_to_string`, `build_inputs_with_special_tokens`,
    `create_token_type_ids_from_sequences` and `get_special_tokens_mask`. It loads its vocabulary before it calls
    `super().__init__`, which puts the special tokens into it.

    Args:
        added_tokens_decoder: Added tokens by id.
        **kwargs: See `PreTrainedTokenizerBase`.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.tokens_trie = Trie()
        self._added_tokens_decoder: dict[int, AddedToken] = {}
        self.added_tokens_decoder = kwargs.pop("added_tokens_decoder", {})
        super().__init__(**kwargs)
        missing = [token for token in self.all_special_tokens_extended if str(token) not in self._added_tokens_encoder]
        if missing:
            self._add_tokens(missing, special_tokens=True)
        self._decode_use_source_tokenizer = False

    is_fast = False

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary, without added tokens."""
        raise NotImplementedError

    # ---- added tokens ----

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """The ids of the added tokens, in the order of ids."""
        return {token.content: index for index, token in sorted(self._added_tokens_decoder.items())}

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id, in the order of ids."""
        return dict(sorted(self._added_tokens_decoder.items()))

    @added_tokens_decoder.setter
    def added_tokens_decoder(self, value: dict[int, AddedToken | str]) -> None:
        for index, token in value.items():
            if not isinstance(token, (str, AddedToken)) or not isinstance(index, int):
                raise TypeError(
                    f"added_tokens_decoder: expected ids with tokens (str or AddedToken), found {index!r}: {token!r}"
                )
            self._added_tokens_decoder[index] = AddedToken(token) if isinstance(token, str) else token
        self._update_trie()

    def get_added_vocab(self) -> dict[str, int]:
        """The ids of the added tokens."""
        return dict(self._added_tokens_encoder)

    def __len__(self) -> int:
        """The size of the vocabulary, with added tokens."""
        return len(self.get_vocab())

    def _add_tokens(self, new_tokens: Sequence[str | AddedToken], special_tokens: bool = False) -> int:
        vocab = dict(self.get_vocab())
        size_before = len(vocab)
        next_id = size_before
        for new_token in new_tokens:
            if not isinstance(new_token, (str, AddedToken)):
                raise TypeError(
                    f"each token must be a str or an AddedToken, found {new_token!r} of type {type(new_token)}."
                )
            token = self._as_added(new_token, special_tokens)
            if token is None:
                continue
            if token.content not in vocab:
                vocab[token.content] = next_id
                next_id += 1
            if token.special and token.content not in self.all_special_tokens:
                self._additional_special_tokens = [*(self._additional_special_tokens or ()), token]
            index = vocab[token.content]
            self._added_tokens_decoder[index] = token
            self._added_tokens_encoder[token.content] = index
            if self.verbose:
                logger.info(f"Adding {token} to the vocabulary")
        self._update_trie()
        return next_id - size_before

    def _as_added(self, token: str | AddedToken, special: bool) -> AddedToken | None:
        """The token to add; `None` if there is nothing to do."""
        if not str(token):
            return None
        if isinstance(token, str):
            if token in self._added_tokens_encoder:
                return None
            special = special or token in self.all_special_tokens
            token = AddedToken(token, normalized=not special, special=special)
        elif special and not token.special:
            # In place, so that the tokenizer's attributes show it too. `normalized` would follow `special` if not set.
            token.__setstate__({"special": True, "normalized": token.normalized})
        if not token.special and token.normalized and getattr(self, "do_lower_case", False):
            token = AddedToken(**{**token.__getstate__(), "content": token.content.lower()})
        return None if self._added(token.content) == token else token

    def _added(self, text: str) -> AddedToken | None:
        index = self._added_tokens_encoder.get(text)
        return None if index is None else self._added_tokens_decoder.get(index)

    def _update_trie(self, unique_no_split_tokens: Iterable[str] = ()) -> None:
        """Rebuilds what is derived from the added tokens."""
        self._added_tokens_encoder = {token.content: index for index, token in self._added_tokens_decoder.items()}
        for token in itertools.chain(self._added_tokens_encoder, unique_no_split_tokens):
            self.tokens_trie.add(token)

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens encoding adds to a text, or to a pair."""
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    # ---- text to tokens ----

    def tokenize(self, text: TextInput, **kwargs: Any) -> list[str]:  # type: ignore[override]
        """Splits a text into tokens; added tokens are never split.

        Args:
            text: The text.
            **kwargs: `split_special_tokens`: treat added tokens as plain text; others go to `prepare_for_tokenization`.
        """
        plain = kwargs.pop("split_special_tokens", self.split_special_tokens)
        text, kwargs = self.prepare_for_tokenization(text, **kwargs)
        if kwargs:
            logger.warning(f"Keyword arguments {kwargs} not recognized.")
        if getattr(self, "do_lower_case", False):
            text = self._lower(text)
        if plain:
            return self._tokenize(text)
        added = self._added_tokens_encoder
        tokens: list[str] = []
        for part in self._split_at_added_tokens(text):
            if part in added:
                tokens.append(part)
            elif part:
                tokens += self._tokenize(part)
        return tokens

    def _lower(self, text: str) -> str:
        """Lower case, except for special tokens and added tokens that are matched after normalisation."""
        kept = self.all_special_tokens
        kept += [t.content for t in self._added_tokens_decoder.values() if not t.special and t.normalized]
        if not kept:
            return text.lower()
        parts = re.split(f"({'|'.join(map(re.escape, kept))})", text)
        # Letter by letter: `str.lower` depends on the neighbours (Greek sigma), tokens must not.
        return "".join(part if i % 2 else "".join(map(str.lower, part)) for i, part in enumerate(parts))

    def _split_at_added_tokens(self, text: str) -> list[str]:
        """The added tokens in a text and what is between them, after `lstrip`, `rstrip` and `single_word`."""
        parts = self.tokens_trie.split(text)
        for i, part in enumerate(parts):
            token = self._added(part)
            if token is None:
                continue
            left, right = parts[i - 1] if i > 0 else "", parts[i + 1] if i + 1 < len(parts) else ""
            if token.rstrip and right:
                parts[i + 1] = right.lstrip()
            if token.lstrip and left:
                parts[i - 1] = left.rstrip()
            if token.single_word:
                if left and left[-1] != " ":
                    parts[i - 1] += part
                    parts[i] = ""
                elif right and right[0] != " ":
                    parts[i + 1] = part + parts[i + 1]
                    parts[i] = ""
        return parts

    def _tokenize(self, text: str) -> list[str]:
        """Splits a text without added tokens into tokens."""
        raise NotImplementedError

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Changes a text before it is split. Returns it with the keyword arguments that were not used."""
        return text, kwargs

    # ---- tokens and ids ----

    def convert_tokens_to_ids(self, tokens: str | list[str]) -> Any:
        """The id of a token, or the ids of a list of tokens."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            return self._convert_token_to_id_with_added_voc(tokens)
        return [self._convert_token_to_id_with_added_voc(token) for token in tokens]

    def _convert_token_to_id_with_added_voc(self, token: str | None) -> int | None:
        if token is None:
            return None
        index = self._added_tokens_encoder.get(token)
        return self._convert_token_to_id(token) if index is None else index

    def _convert_token_to_id(self, token: str) -> int | None:
        raise NotImplementedError

    def convert_ids_to_tokens(self, ids: int | list[int], skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of a list of ids.

        Args:
            ids: One id or several.
            skip_special_tokens: Leave special tokens out of a list.
        """
        if isinstance(ids, int):
            return self._token_of(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        return [self._token_of(int(index)) for index in ids if int(index) not in skipped]

    def _token_of(self, index: int) -> str | None:
        token = self._added_tokens_decoder.get(index)
        return self._convert_id_to_token(index) if token is None else token.content

    def _convert_id_to_token(self, index: int) -> str | None:
        raise NotImplementedError

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text that tokens stand for."""
        return " ".join(tokens)

    # ---- encoding ----

    def _encode_plus(
        self, text: Any, text_pair: Any = None, *, return_offsets_mapping: bool = False, **options: Any
    ) -> BatchEncoding:
        _refuse_offsets(return_offsets_mapping)
        words, own = options.pop("is_split_into_words", False), _tokenize_options(options)
        settings = _as_public(options)
        return self.prepare_for_model(
            self._ids_of(text, words, own, single=True),
            pair_ids=None if text_pair is None else self._ids_of(text_pair, words, own, single=True),
            prepend_batch_axis=True,
            **settings,
        )

    def _batch_encode_plus(
        self, batch_text_or_text_pairs: Sequence[Any], *, return_offsets_mapping: bool = False, **options: Any
    ) -> BatchEncoding:
        _refuse_offsets(return_offsets_mapping)
        words, own = options.pop("is_split_into_words", False), _tokenize_options(options)
        pairs = []
        for index, entry in enumerate(batch_text_or_text_pairs):
            paired = isinstance(entry, (list, tuple)) and not (words and not isinstance(entry[0], (list, tuple)))
            if paired and len(entry) != 2:
                raise ValueError(
                    f"entry {index} of the batch: expected a text or a pair of texts, found {len(entry)} items. "
                    "Pass is_split_into_words=True for lists of words."
                )
            first, second = entry if paired else (entry, None)
            second_ids = None if second is None else self._ids_of(second, words, own)
            pairs.append((self._ids_of(first, words, own), second_ids))
        return self._batch_prepare_for_model(pairs, **options)

    def _ids_of(self, text: Any, words: bool, options: dict[str, Any], single: bool = False) -> list[int]:
        """The ids of a text, of a list of words, of a list of tokens, or of a list of ids."""
        if isinstance(text, str):
            return self.convert_tokens_to_ids(self.tokenize(text, **options))
        if isinstance(text, (list, tuple)) and text:
            if isinstance(text[0], str):
                if not words:
                    return self.convert_tokens_to_ids(list(text))
                tokens = (self.tokenize(word, is_split_into_words=True, **options) for word in text)
                return self.convert_tokens_to_ids(list(itertools.chain.from_iterable(tokens)))
            if isinstance(text[0], int) and not words:
                return list(text)
        found = repr(text) if len(repr(text)) < 80 else f"{repr(text)[:77]}..."
        kinds = "a text or, because of `is_split_into_words=True`, a list of words"
        if not words:
            kinds = "a text, a list of words or a list of token ids"
        raise ValueError(f"Input {found} is not valid: expected {kinds}.")

    def _batch_prepare_for_model(
        self,
        batch_ids_pairs: Sequence[tuple[list[int], list[int] | None]],
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        **options: Any,
    ) -> BatchEncoding:
        """Prepares each of a batch, then pads them together."""
        columns: dict[str, list[Any]] = {}
        for ids, pair_ids in batch_ids_pairs:
            row = self.prepare_for_model(
                ids,
                pair_ids,
                add_special_tokens=add_special_tokens,
                padding=PaddingStrategy.DO_NOT_PAD.value,
                truncation=truncation_strategy.value,
                max_length=max_length,
                return_attention_mask=False,  # comes with the padding
                **options,
            )
            for key, value in row.items():
                columns.setdefault(key, []).append(value)
        return self.pad(
            columns,
            padding=padding_strategy.value,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            return_attention_mask=return_attention_mask,
            return_tensors=return_tensors,
        )

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 at special tokens, 0 at others.

        Args:
            token_ids_0: Ids of the first text.
            token_ids_1: Ids of the second text.
            already_has_special_tokens: The ids hold special tokens already; if not, the mask is for what
                `build_inputs_with_special_tokens` makes of them (models override this).
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError(
                    "With `already_has_special_tokens=True`, `token_ids_0` holds both texts: do not pass `token_ids_1`."
                )
            return super().get_special_tokens_mask(token_ids_0, already_has_special_tokens=True)
        return [0] * (len(token_ids_0) + len(token_ids_1 or ()))

    # ---- decoding ----

    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = True,
        **kwargs: Any,
    ) -> str:
        self._decode_use_source_tokenizer = kwargs.pop("use_source_tokenizer", False)
        tokens = self.convert_ids_to_tokens(token_ids, skip_special_tokens=skip_special_tokens)
        tokens = [tokens] if isinstance(tokens, str) else tokens
        # Added tokens stand for themselves; what is between them is joined the way of the vocabulary.
        whole = set(self._added_tokens_encoder).difference(self.all_special_tokens)
        whole.update(
            t for t in self.additional_special_tokens or () if self.convert_tokens_to_ids(t) >= self.vocab_size
        )
        runs = [(is_whole, list(run)) for is_whole, run in itertools.groupby(tokens, key=whole.__contains__)]
        texts: list[str] = []
        for position, (is_whole, pieces) in enumerate(runs, 1):
            part = pieces if is_whole else [self.convert_tokens_to_string(pieces)]
            if part[0] or position == len(runs):  # as in the reference, what has no text counts at the end alone
                texts += part
        text = (" " if spaces_between_special_tokens else "").join(texts)
        return self._cleaned(text, clean_up_tokenization_spaces)


def _refuse_offsets(asked: bool) -> None:
    if asked:
        raise NotImplementedError(
            "`return_offsets_mapping` needs a fast tokenizer (PreTrainedTokenizerFast): Python tokenizers do not "
            "keep track of offsets."
        )


_ENCODE_OPTIONS = frozenset(
    {
        "add_special_tokens",
        "max_length",
        "pad_to_multiple_of",
        "padding_strategy",
        "return_attention_mask",
        "return_length",
        "return_overflowing_tokens",
        "return_special_tokens_mask",
        "return_tensors",
        "return_token_type_ids",
        "stride",
        "truncation_strategy",
        "verbose",
    }
)


def _tokenize_options(options: dict[str, Any]) -> dict[str, Any]:
    """Takes the arguments that are for `tokenize` out of those of an encoding method."""
    return {key: options.pop(key) for key in list(options) if key not in _ENCODE_OPTIONS}


def _as_public(options: dict[str, Any]) -> dict[str, Any]:
    """The strategies under the names that `prepare_for_model` has for them."""
    settings = dict(options)
    settings["padding"] = settings.pop("padding_strategy", PaddingStrategy.DO_NOT_PAD).value
    settings["truncation"] = settings.pop("truncation_strategy", TruncationStrategy.DO_NOT_TRUNCATE).value
    return settings
