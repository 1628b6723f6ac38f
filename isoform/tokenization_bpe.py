"""Byte-pair encoding shared by GPT-2, CodeGen, CTRL and all other tokenizers with a vocabulary and a list of merges.

The algorithm is that of Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016); the
mapping of bytes to printable characters comes from GPT-2 (Radford et al., 2019).
"""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import regex
from tokenizers import Tokenizer
from tokenizers.models import BPE

from ._tokenization_files import vocabulary_path
from ._tokenization_frame import Frame, Framed
from ._tokenization_prepare import InputPreparation
from .errors import TokenizerError
from .tokenization_utils import PreTrainedTokenizer
from .tokenization_utils_base import AddedToken, BatchEncoding
from .tokenization_utils_fast import PreTrainedTokenizerFast
from .utils import logging
from .utils.files import atomic_write

logger = logging.get_logger(__name__)

BPE_FILES_NAMES = {"vocab_file": "vocab.json", "merges_file": "merges.txt"}
BPE_FAST_FILES_NAMES = {**BPE_FILES_NAMES, "tokenizer_file": "tokenizer.json"}

# Words of GPT-2: English clitics, letters, digits or other signs with at most one space before them, white space. The
# last space of a run belongs to the word after it.
GPT2_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

# What the last symbol of a word carries in many vocabularies.
END_OF_WORD = "</w>"

# How many words a tokenizer remembers the pieces of; when they are exceeded it starts afresh.
WORD_CACHE_SIZE = 1 << 16

# Options of byte-level BPE models in Rust.
RUST_OPTIONS = {"continuing_subword_prefix": "", "end_of_word_suffix": ""}

# The lines of a merges.txt between its header and what follows its last line feed.
AFTER_HEADER = slice(1, -1)

Pair = tuple[str, str]


@lru_cache(maxsize=1)
def bytes_to_unicode() -> dict[int, str]:
    """A printable character for each of the 256 bytes, so that pieces of any text can be written as visible strings.

    Visible Latin-1 characters stand for themselves, the other bytes are given the characters from U+0100 on, in order.
    """
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = sorted(set(range(256)).difference(visible))
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + i) for i, byte in enumerate(hidden)}


def get_pairs(word: Sequence[str]) -> set[Pair]:
    """The pairs of neighbours in a sequence of symbols."""
    return set(pairwise(word))


def merge_symbols(symbols: Sequence[str], ranks: dict[Pair, int]) -> list[str]:
    """Apply byte-pair merges to the symbols of a word.

    Again and again, all occurrences of the neighbouring pair that has the lowest rank are joined, from left to right,
    until no pair is in ``ranks``. Takes O(n log n) steps for n symbols.
    """
    parts = list(symbols)  # a symbol that was joined to the one on its left becomes ""
    following = list(range(1, len(parts) + 1))
    previous = list(range(-1, len(parts) - 1))
    queue = [(ranks[pair], i) for i, pair in enumerate(pairwise(symbols)) if pair in ranks]
    heapq.heapify(queue)
    while queue:
        rank = queue[0][0]
        joined = []
        # One round per rank: pairs that the round itself creates wait for the next one.
        while queue and queue[0][0] == rank:
            left = heapq.heappop(queue)[1]
            right = following[left]
            if right >= len(parts) or ranks.get((parts[left], parts[right])) != rank:
                continue  # one of the two was joined to another symbol meanwhile
            parts[left] += parts[right]
            parts[right] = ""
            following[left] = after = following[right]
            if after < len(parts):
                previous[after] = left
            joined.append(left)
        for left in joined:
            for start in (previous[left], left):
                if start >= 0 and following[start] < len(parts):
                    new_rank = ranks.get((parts[start], parts[following[start]]))
                    if new_rank is not None:
                        heapq.heappush(queue, (new_rank, start))
    return [part for part in parts if part]


def read_vocab(path: str | os.PathLike[str]) -> dict[str, int]:
    """Read a ``vocab.json``: an object that gives each token its id.

    Raises:
        TokenizerError: The file is missing, truncated or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            vocab = json.load(file)
    except (OSError, TypeError) as error:
        raise TokenizerError(f"Cannot read the vocabulary {path!r}: {error}") from error
    except ValueError as error:
        raise TokenizerError(f"{path}: not valid JSON ({error}); is the file truncated? Download it again.") from error
    if not isinstance(vocab, dict):
        raise TokenizerError(f"{path}: expected an object of tokens and ids, found a {type(vocab).__name__}.")
    if set(map(type, vocab.values())) - {int} or min(vocab.values(), default=0) < 0:
        token, index = next(item for item in vocab.items() if type(item[1]) is not int or item[1] < 0)
        raise TokenizerError(f"{path}: the id of token {token!r} must be an integer from 0 on, found {index!r}.")
    return vocab


def read_merges(path: str | os.PathLike[str], part: slice = AFTER_HEADER, frequencies: bool = False) -> dict[Pair, int]:
    """Read a ``merges.txt``: a header line, then one pair of symbols per line, the first to be merged first.

    As in the reference, the first line is taken for the header whatever it says, and a last line without line feed is
    ignored; both deserve a warning.

    Args:
        path: The file.
        part: Which lines count; what follows the last line feed is a line, too.
        frequencies: Lines may have further columns, which are ignored.

    Returns:
        The rank of each pair, from 0 on.

    Raises:
        TokenizerError: The file is missing, or one of its lines is not a pair.
    """
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, TypeError) as error:
        raise TokenizerError(f"Cannot read the merges {path!r}: {error}") from error
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{path}: not UTF-8 text ({error}). Download it again.") from error
    if part.start == 1 and not lines[0].startswith("#"):
        logger.warning(f"{path}: the first line, {lines[0][:40]!r}, is skipped as if it were the '#version' header.")
    if part.stop == -1 and lines[-1].strip():
        logger.warning(f"{path}: the last line, {lines[-1][:40]!r}, does not end with a line feed and is ignored.")
    pairs: list[Any] = list(map(tuple, map(str.split, lines[part])))
    if frequencies:
        pairs = [pair[:2] for pair in pairs]
    ranks = dict(zip(pairs, range(len(pairs)), strict=True))
    ranks.pop((), None)  # empty lines
    if set(map(len, ranks)) - {2}:
        number = next(number for number, pair in enumerate(pairs) if len(pair) not in (0, 2))
        raise TokenizerError(
            f"{path}, line {number + part.start + 1}: expected two symbols separated by a space, found "
            f"{lines[number + part.start][:80]!r}."
        )
    return ranks


def read_rust_bpe(
    vocab_file: str | os.PathLike[str], merges_file: str | os.PathLike[str], **options: Any
) -> BPE | None:
    """The model of the Rust library, read by itself, which takes half the time of :func:`read_vocab` and the rest.

    Returns:
        None where the files are not of the plainest kind: the library would take them for something else, or its errors
        would not say what is wrong.
    """
    try:
        with open(merges_file, "rb") as file:
            merges = file.read()
        if not merges.startswith(b"#version") or not merges.endswith(b"\n") or b"\n#version" in merges:
            return None
        with open(vocab_file, "rb") as file:
            text = file.read()
        tokenizer = Tokenizer(BPE.from_file(os.fspath(vocab_file), os.fspath(merges_file), **options))
    except Exception:  # the library has no exceptions of its own
        return None
    # It leaves out entries whose ids are no numbers. (Colons of tokens may be counted, too: then it is None.)
    size = tokenizer.get_vocab_size()
    return tokenizer.model if any(text.count(colon) == size for colon in (b'": ', b'":')) else None


def known_special_tokens(model: BPE, settings: Mapping[str, Any]) -> dict[str, int]:
    """The ids of those special tokens among the settings of a tokenizer that are in the vocabulary of a model."""
    tokens = [settings.get(name) for name in PreTrainedTokenizer.SPECIAL_TOKENS_ATTRIBUTES[:-1]]
    names = map(str, [*filter(None, tokens), *(settings.get("additional_special_tokens") or ())])
    ids = {name: model.token_to_id(name) for name in names}
    return {name: index for name, index in ids.items() if index is not None}


def write_vocab(vocab: dict[str, int], path: str | os.PathLike[str]) -> None:
    """Write a ``vocab.json``."""
    with atomic_write(path) as file:
        file.write(json.dumps(vocab, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_merges(merges: Iterable[Pair], path: str | os.PathLike[str]) -> None:
    """Write a ``merges.txt``, with its header."""
    with atomic_write(path) as file:
        file.write("#version: 0.2\n")
        file.writelines(f"{left} {right}\n" for left, right in merges)


def as_added_token(token: str | AddedToken | None, **options: bool) -> AddedToken | None:
    """A special token given as text, as an :class:`AddedToken` with ``options``; anything else as it is."""
    return AddedToken(token, **options) if isinstance(token, str) else token


class BPETokenizer(PreTrainedTokenizer):
    """Base of the Python tokenizers with a ``vocab.json`` and a ``merges.txt``.

    A subclass says how text is cut into words (``_tokenize``), and, where a word has more to it than its characters,
    how it becomes pieces (``merge_word``).

    Args:
        vocab_file: Path of the vocabulary.
        merges_file: Path of the merges.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.

    Attributes:
        encoder: Token to id.
        decoder: Id to token.
        bpe_ranks: Pair of symbols to rank, lowest first.
    """

    vocab_files_names = BPE_FILES_NAMES

    # Which lines of the merges count, and whether they have further columns.
    _merge_lines: tuple[slice, bool] = (AFTER_HEADER, False)

    def __init__(self, vocab_file: str, merges_file: str, **kwargs: Any) -> None:
        self.vocab_file, self.merges_file = vocab_file, merges_file
        # Where the Rust library has read the files already, as it is to be converted to, special tokens are enough.
        self.rust_model: BPE | None = kwargs.pop("_rust_model", None)
        if self.rust_model is None:
            self.encoder = read_vocab(vocab_file)
            self.bpe_ranks = read_merges(merges_file, *self._merge_lines)
        else:
            self.encoder, self.bpe_ranks = known_special_tokens(self.rust_model, kwargs), {}
        self.decoder = dict(zip(self.encoder.values(), self.encoder, strict=True))
        self.cache: dict[str, tuple[str, ...]] = {}
        super().__init__(**kwargs)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, not counting those that were added."""
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        """All tokens, added ones included, and their ids."""
        return {**self.encoder, **self.added_tokens_encoder}

    def merge_word(self, word: str) -> list[str]:
        """The pieces of one word, computed."""
        return merge_symbols(word, self.bpe_ranks)

    def split_word(self, word: str) -> tuple[str, ...]:
        """The pieces of one word, remembered."""
        pieces = self.cache.get(word)
        if pieces is None:
            pieces = tuple(self.merge_word(word))
            if len(self.cache) >= WORD_CACHE_SIZE:
                self.cache.clear()
            self.cache[word] = pieces
        return pieces

    def bpe(self, token: str) -> str:
        """The pieces of one word, separated by spaces."""
        return " ".join(self.split_word(token))

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self.encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder.get(index)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write ``vocab.json`` and ``merges.txt``; returns their paths."""
        vocab_path = vocabulary_path(save_directory, filename_prefix, self.vocab_files_names["vocab_file"])
        merges_path = vocabulary_path(save_directory, filename_prefix, self.vocab_files_names["merges_file"])
        write_vocab(self.encoder, vocab_path)
        write_merges(sorted(self.bpe_ranks, key=self.bpe_ranks.__getitem__), merges_path)
        return vocab_path, merges_path

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "cache": {}}


class MarkedBPETokenizer(BPETokenizer):
    """Base of the Python tokenizers that mark pieces which do not end a word with ``@@``."""

    def merge_word(self, word: str) -> list[str]:
        """The pieces of one word; all but the last end in ``@@``."""
        *inner, last = merge_symbols([*word[:-1], word[-1:] + END_OF_WORD], self.bpe_ranks)
        return [f"{piece}@@" for piece in inner] + [last.removesuffix(END_OF_WORD)]

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder.get(index, self.unk_token)

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for."""
        return " ".join(tokens).replace("@@ ", "").strip()


class ByteLevelBPETokenizer(BPETokenizer):
    """Base of the Python tokenizers whose symbols are the bytes of UTF-8, so that no text is unknown to them.

    Args:
        vocab_file: Path of the vocabulary.
        merges_file: Path of the merges.
        errors: What to do with bytes that are not UTF-8 when decoding, as in :meth:`bytes.decode`.
        **kwargs: ``add_prefix_space``: put a space before the text, so that a first word is treated like any other; and
            options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    model_input_names = ["input_ids", "attention_mask"]
    word_pattern = GPT2_WORDS

    def __init__(self, vocab_file: str, merges_file: str, errors: str = "replace", **kwargs: Any) -> None:
        self.errors = errors
        self.add_prefix_space = kwargs.get("add_prefix_space", False)
        self.byte_encoder = bytes_to_unicode()
        self.byte_decoder = {char: byte for byte, char in self.byte_encoder.items()}
        self.pat = regex.compile(self.word_pattern)
        super().__init__(vocab_file, merges_file, errors=errors, **kwargs)

    def _tokenize(self, text: str) -> list[str]:
        tokens: list[str] = []
        for word in self.pat.findall(text):
            tokens.extend(self.split_word(word.encode("utf-8").decode("latin-1").translate(self.byte_encoder)))
        return tokens

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for."""
        text = "".join(tokens)
        try:
            raw = bytes(map(self.byte_decoder.__getitem__, text))
        except KeyError:  # a character that no byte is written as (in an added token) stands for itself
            raw = b"".join(bytes([self.byte_decoder[c]]) if c in self.byte_decoder else c.encode() for c in text)
        return raw.decode("utf-8", errors=self.errors)

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Put the prefix space before ``text`` where the options ask for one."""
        add_prefix_space = kwargs.pop("add_prefix_space", self.add_prefix_space)
        return (" " + text if is_split_into_words or add_prefix_space else text), kwargs


class OptionalBos(Framed):
    """Mixin of slow tokenizers with the option ``add_bos_token``: the BOS token goes before each sequence."""

    add_bos_token: bool

    def _frame(self) -> Frame:
        bos: list[Any] = [self.bos_token_id] if self.add_bos_token else []  # type: ignore[attr-defined]
        return bos, bos, []

    # As in the reference, the BOS tokens have no types.
    create_token_type_ids_from_sequences = InputPreparation.create_token_type_ids_from_sequences  # type: ignore[assignment]


class SplitWordsError(TokenizerError, AssertionError):
    """A tokenizer was given words although it needs to see the spaces before them."""


class ByteLevelBPETokenizerFast(PreTrainedTokenizerFast):
    """Base of the Rust tokenizers whose symbols are the bytes of UTF-8.

    Args:
        vocab_file: Path of a ``vocab.json``, where there is no ``tokenizer_file``.
        merges_file: Path of a ``merges.txt``, where there is no ``tokenizer_file``.
        tokenizer_file: Path of a ``tokenizer.json``.
        add_prefix_space: Put a space before the text, so that a first word is treated like any other.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = BPE_FAST_FILES_NAMES
    model_input_names = ["input_ids", "attention_mask"]
    _makes_slow_tokenizer = True

    def __init__(
        self,
        vocab_file: str | None = None,
        merges_file: str | None = None,
        tokenizer_file: str | None = None,
        add_prefix_space: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file, merges_file, tokenizer_file=tokenizer_file, add_prefix_space=add_prefix_space, **kwargs
        )
        self.add_prefix_space = add_prefix_space
        # tokenizer.json has a setting of its own; the argument wins.
        pre_tokenizer = self.backend_tokenizer.pre_tokenizer
        if getattr(pre_tokenizer, "add_prefix_space", add_prefix_space) != add_prefix_space:
            pre_tokenizer.add_prefix_space = add_prefix_space

    def _make_backend(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tokenizer:
        given = ("tokenizer_object", "tokenizer_file", "from_slow", "__slow_tokenizer")
        slow = self.slow_tokenizer_class
        ours = slow is not None and slow.__module__.startswith(f"{__package__}.")  # users' classes may read the files
        if slow is not None and ours and all(args[:2]) and not any(kwargs.get(name) for name in given):
            model = read_rust_bpe(*args[:2], **RUST_OPTIONS)
            special = [kwargs[name] for name in self.SPECIAL_TOKENS_ATTRIBUTES[:-1] if kwargs.get(name)]
            if model is not None and set(map(str, special)) <= set(known_special_tokens(model, kwargs)):
                kwargs["__slow_tokenizer"] = slow(*args, _rust_model=model, **kwargs)
        return super()._make_backend(args, kwargs)

    def _batch_encode_plus(self, *args: Any, **kwargs: Any) -> BatchEncoding:
        self._check_split_words(kwargs.get("is_split_into_words", False))
        return super()._batch_encode_plus(*args, **kwargs)

    def _encode_plus(self, *args: Any, **kwargs: Any) -> BatchEncoding:
        self._check_split_words(kwargs.get("is_split_into_words", False))
        return super()._encode_plus(*args, **kwargs)

    def _check_split_words(self, is_split_into_words: bool) -> None:
        if is_split_into_words and not self.add_prefix_space:
            raise SplitWordsError(
                f"{type(self).__name__} takes words that are split already (is_split_into_words=True) only when it was "
                "made with add_prefix_space=True: otherwise the pieces of a word depend on the word before."
            )
