"""Base of the tokenizers that run in Rust, in the library `tokenizers`."""

from __future__ import annotations

import copy
import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from tokenizers import Tokenizer as TokenizerFast
from tokenizers.decoders import Decoder as DecoderFast

from ._tokenization_files import _prefixed, vocabulary_path
from ._tokenization_training import TRAINERS, train_backend
from .errors import TokenizerError
from .tokenization_utils_base import *  # noqa: F403 (4.36 code imports the names of the base from here, too)
from .tokenization_utils_base import (
    LARGE_INTEGER,
    AddedToken,
    BatchEncoding,
    EncodingFast,
    PaddingStrategy,
    PreTrainedTokenizerBase,
    TruncationStrategy,
    _plain_ids,
)
from .utils import logging
from .utils.files import atomic_files, atomic_write
from .utils.generic import is_tensor, to_py_obj

logger = logging.get_logger(__name__)

TOKENIZER_FILE = "tokenizer.json"
VOCAB_FILES_NAMES = {"tokenizer_file": TOKENIZER_FILE}
MODEL_TO_TRAINER_MAPPING = TRAINERS


class PreTrainedTokenizerFast(PreTrainedTokenizerBase):
    """Base of the tokenizers that run in Rust; by itself a tokenizer for any `tokenizer.json`.

    Args:
        tokenizer_object: A `tokenizers.Tokenizer`; it is copied.
        tokenizer_file: Path of a `tokenizer.json`.
        from_slow: Convert the Python tokenizer even if there is a `tokenizer.json`.
        added_tokens_decoder: Added tokens by id.
        **kwargs: See `PreTrainedTokenizerBase`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    slow_tokenizer_class: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        added = kwargs.pop("added_tokens_decoder", {})
        self._tokenizer = self._make_backend(args, kwargs)
        self._lock = _Lock()
        self._adopt_backend_settings(kwargs)
        self._decode_use_source_tokenizer = False
        super().__init__(**kwargs)
        self._add_missing_tokens(added)

    def _make_backend(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TokenizerFast:
        """The Rust tokenizer: as given, from `tokenizer.json`, or converted from a Python tokenizer."""
        given = kwargs.pop("tokenizer_object", None)
        slow = kwargs.pop("__slow_tokenizer", None)
        path = kwargs.pop("tokenizer_file", None)
        from_slow = kwargs.pop("from_slow", False)
        if from_slow and slow is None and self.slow_tokenizer_class is None:
            raise ValueError(
                f"{type(self).__name__} has no slow version to convert from: pass `from_slow=False`. For "
                "SentencePiece models, install sentencepiece."
            )
        if given is not None:
            return copy.deepcopy(given)
        if path is not None and not from_slow:
            return load_backend(path)
        if slow is None and self.slow_tokenizer_class is not None:
            slow = self.slow_tokenizer_class(*args, **kwargs)
        if slow is None:
            raise ValueError(
                "Nothing to build this fast tokenizer from. It takes a tokenizer.json (`tokenizer_file`), a "
                "`tokenizer_object`, or a slow tokenizer to convert, for which sentencepiece may have to be "
                "installed."
            )
        from .convert_slow_tokenizer import convert_slow_tokenizer

        kwargs.update(slow.init_kwargs)
        return convert_slow_tokenizer(slow)

    def _adopt_backend_settings(self, kwargs: dict[str, Any]) -> None:
        """Padding and truncation that are part of `tokenizer.json` become defaults."""
        truncation, padding = self._tokenizer.truncation, self._tokenizer.padding
        if truncation is not None:
            kwargs.setdefault("max_length", truncation["max_length"])
            kwargs.setdefault("truncation_side", truncation["direction"])
            kwargs.setdefault("stride", truncation["stride"])
            kwargs.setdefault("truncation_strategy", truncation["strategy"])
        if padding is not None:
            kwargs.setdefault("pad_token", padding["pad_token"])
            kwargs.setdefault("pad_token_type_id", padding["pad_type_id"])
            kwargs.setdefault("padding_side", padding["direction"])
            kwargs.setdefault("max_length", padding["length"])
            kwargs.setdefault("pad_to_multiple_of", padding["pad_to_multiple_of"])

    def _add_missing_tokens(self, added: dict[int, AddedToken]) -> None:
        """Puts added and special tokens that the backend does not have, or has with other options, into it."""
        present = {token.content: token for token in self._tokenizer.get_added_tokens_decoder().values()}
        wanted = {str(token): token for _, token in sorted(added.items())}
        tokens: list[str | AddedToken] = [t for t in wanted.values() if present.get(str(t)) != t]
        specials = self.all_special_tokens_extended
        tokens += [token for token in specials if str(token) not in present and str(token) not in wanted]
        names = {str(token) for token in specials}

        def is_special(token: str | AddedToken) -> bool:
            return str(token) in names or (isinstance(token, AddedToken) and token.special)

        for special, group in groupby(tokens, key=is_special):
            self._add_tokens(list(group), special_tokens=special)

    # ---- vocabulary ----

    is_fast = True

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether the files of the Python tokenizer can be written: whether its vocabulary file is known."""
        return True

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary, without added tokens."""
        return self._tokenizer.get_vocab_size(with_added_tokens=False)

    def get_vocab(self) -> dict[str, int]:
        """The vocabulary, with added tokens: token to id."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    @property
    def vocab(self) -> dict[str, int]:
        """The vocabulary, with added tokens: token to id."""
        return self.get_vocab()

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id, in the order of ids."""
        return dict(sorted(self._tokenizer.get_added_tokens_decoder().items()))

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """The ids of the added tokens, in the order of ids."""
        return {token.content: index for index, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """The ids of the added tokens."""
        return self.added_tokens_encoder

    def __len__(self) -> int:
        """The size of the vocabulary, with added tokens."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    @property
    def backend_tokenizer(self) -> TokenizerFast:
        """The Rust tokenizer."""
        return self._tokenizer

    @property
    def decoder(self) -> DecoderFast:
        """The decoder of the Rust tokenizer."""
        return self._tokenizer.decoder

    def _add_tokens(self, new_tokens: Sequence[str | AddedToken], special_tokens: bool = False) -> int:
        if special_tokens:
            return self._tokenizer.add_special_tokens(list(new_tokens))
        return self._tokenizer.add_tokens(list(new_tokens))

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens encoding adds to a text, or to a pair."""
        return self._tokenizer.num_special_tokens_to_add(pair)

    def convert_tokens_to_ids(self, tokens: str | list[str]) -> Any:
        """The id of a token, or the ids of a list of tokens; that of `unk_token` for unknown ones."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            return self._convert_token_to_id_with_added_voc(tokens)
        return [self._convert_token_to_id_with_added_voc(token) for token in tokens]

    def _convert_token_to_id_with_added_voc(self, token: str) -> int | None:
        index = self._tokenizer.token_to_id(token)
        if index is None and self._unk_token is not None and token != str(self._unk_token):
            return self.unk_token_id
        return index

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._tokenizer.id_to_token(int(index))

    def convert_ids_to_tokens(self, ids: int | list[int], skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of a list of ids.

        Args:
            ids: One id or several.
            skip_special_tokens: Leave special tokens out of a list.
        """
        token_of = self._tokenizer.id_to_token
        if isinstance(ids, int):
            return token_of(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        return [token_of(int(index)) for index in ids if int(index) not in skipped]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text that tokens stand for."""
        return self.backend_tokenizer.decoder.decode(tokens)

    # ---- encoding ----

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """The tokens of a text, followed by those of a second text if there is one."""
        return self.encode_plus(text=text, text_pair=pair, add_special_tokens=add_special_tokens, **kwargs).tokens()

    def set_truncation_and_padding(
        self,
        padding_strategy: PaddingStrategy,
        truncation_strategy: TruncationStrategy,
        max_length: int | None,
        stride: int,
        pad_to_multiple_of: int | None,
    ) -> None:
        """Sets up the Rust tokenizer, which keeps these settings; nothing is done where they are in force."""
        backend = self._tokenizer
        current = backend.truncation
        if truncation_strategy is TruncationStrategy.DO_NOT_TRUNCATE or (max_length or 0) > LARGE_INTEGER:
            if current is not None:
                backend.no_truncation()
        else:
            target = {
                "max_length": max_length,
                "stride": stride,
                "strategy": truncation_strategy.value,
                "direction": self.truncation_side,
            }
            if current is None or any(current.get(key) != value for key, value in target.items()):
                _check_stride(backend, max_length, stride)
                backend.enable_truncation(**target)
        current = backend.padding
        if padding_strategy is PaddingStrategy.DO_NOT_PAD:
            if current is not None:
                backend.no_padding()
        else:
            target = {
                "length": max_length if padding_strategy is PaddingStrategy.MAX_LENGTH else None,
                "direction": self.padding_side,
                "pad_id": self.pad_token_id,
                "pad_token": self.pad_token,
                "pad_type_id": self.pad_token_type_id,
                "pad_to_multiple_of": pad_to_multiple_of,
            }
            if current != target:
                backend.enable_padding(**target)

    def _batch_encode_plus(
        self,
        batch_text_or_text_pairs: Sequence[Any],
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        **columns: Any,
    ) -> BatchEncoding:
        batch = batch_text_or_text_pairs
        if not isinstance(batch, (list, tuple)):
            raise TypeError(f"batch_text_or_text_pairs must be a list or tuple, found {type(batch)}")
        setup = padding_strategy, truncation_strategy, max_length, stride, pad_to_multiple_of
        encodings = self._encode(batch, is_split_into_words, add_special_tokens, setup)
        data, encodings = self._columns(encodings, max_length, **columns)
        return BatchEncoding(data, encodings, tensor_type=return_tensors)

    def _encode_plus(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_overflowing_tokens: bool = False,
        **columns: Any,
    ) -> BatchEncoding:
        setup = padding_strategy, truncation_strategy, max_length, stride, pad_to_multiple_of
        # As in the reference, an empty second text is none (unlike in a batch).
        entry = (text, text_pair) if text_pair else text
        encodings = self._encode([entry], is_split_into_words, add_special_tokens, setup)
        data, encodings = self._columns(
            encodings, max_length, return_overflowing_tokens=return_overflowing_tokens, **columns
        )
        if return_tensors is None and not return_overflowing_tokens:
            # One text: no batch axis. `length` alone keeps it.
            data = {key: column if key == "length" else column[0] for key, column in data.items()}
        return BatchEncoding(data, encodings, tensor_type=return_tensors)

    def _encode(
        self, batch: Sequence[Any], words: bool, add_special_tokens: bool, setup: tuple[Any, ...]
    ) -> list[EncodingFast]:
        with self._lock:  # the setup is part of the Rust tokenizer: another thread must not change it meanwhile
            self.set_truncation_and_padding(*setup)
            try:
                if len(batch) == 1 and type(batch[0]) is str:
                    return [self._tokenizer.encode(batch[0], None, words, add_special_tokens)]
                return self._tokenizer.encode_batch(batch, words, add_special_tokens)
            except TypeError as error:
                raise _describe_bad_input(self._tokenizer, batch, words, error) from error
            except BaseException as error:
                if type(error).__name__ == "PanicException":  # which `except Exception` does not catch
                    raise ValueError(str(error)) from error
                raise

    def _columns(
        self,
        encodings: list[EncodingFast],
        max_length: int | None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
    ) -> tuple[dict[str, list[Any]], list[EncodingFast]]:
        """The columns that were asked for, and the encodings with their overflow, which counts as rows."""
        names = self.model_input_names
        origin: list[int] = []
        if return_overflowing_tokens:
            groups = [[encoding, *encoding.overflowing] for encoding in encodings]
            origin = [index for index, group in enumerate(groups) for _ in group]
            encodings = list(chain.from_iterable(groups))
        ids = [encoding.ids for encoding in encodings]
        data: dict[str, list[Any]] = {"input_ids": ids}
        if "token_type_ids" in names if return_token_type_ids is None else return_token_type_ids:
            data["token_type_ids"] = [encoding.type_ids for encoding in encodings]
        if "attention_mask" in names if return_attention_mask is None else return_attention_mask:
            data["attention_mask"] = [encoding.attention_mask for encoding in encodings]
        if return_special_tokens_mask:
            data["special_tokens_mask"] = [encoding.special_tokens_mask for encoding in encodings]
        if return_offsets_mapping:
            data["offset_mapping"] = [encoding.offsets for encoding in encodings]
        if return_length:
            data["length"] = [len(row) for row in ids]
        if return_overflowing_tokens:
            data["overflow_to_sample_mapping"] = origin
        if max_length is None and verbose and ids and self.model_max_length < LARGE_INTEGER:
            self._eventual_warn_about_too_long_sequence(max(ids, key=len), max_length, verbose)
        return data, encodings

    # ---- decoding ----

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """The texts of a batch of ids, `(batch, sequence)`. See `decode`."""
        kind = type(self)
        base = PreTrainedTokenizerFast
        as_one = all(getattr(kind, n) is getattr(base, n) for n in ("decode", "_decode", "_text_of"))
        rows: list[Any] = to_py_obj(sequences) if is_tensor(sequences) else [_plain_ids(row) for row in sequences]
        if kwargs or not as_one or not all(isinstance(row, list) for row in rows):
            return super().batch_decode(rows, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
        texts = self._tokenizer.decode_batch(rows, skip_special_tokens=skip_special_tokens)
        return [self._cleaned(text, clean_up_tokenization_spaces) for text in texts]

    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        self._decode_use_source_tokenizer = kwargs.pop("use_source_tokenizer", False)
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        return self._cleaned(self._text_of(ids, skip_special_tokens), clean_up_tokenization_spaces)

    def _text_of(self, ids: list[int], skip_special_tokens: bool) -> str:
        """The text that ids stand for, before spaces are cleaned up."""
        return self._tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)

    # ---- files and training ----

    def _save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        file_names: tuple[str, ...],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
    ) -> tuple[str, ...]:
        """Writes `tokenizer.json`, and the files of the Python tokenizer where there is one."""
        folder = os.fspath(save_directory)
        if self.slow_tokenizer_class is None and legacy_format is True:
            raise ValueError(
                "`legacy_format=True` asks for the files of a slow tokenizer, which this one cannot write: leave "
                "it at `None`, or pass False."
            )
        if legacy_format is not False and self.slow_tokenizer_class is not None and self.can_save_slow_tokenizer:
            file_names += self._save_vocabulary_files(folder, filename_prefix)
        if legacy_format is not True:
            path = os.path.join(folder, _prefixed(TOKENIZER_FILE, filename_prefix))
            with atomic_write(path) as stream:
                stream.write(portable(self.backend_tokenizer.to_str(pretty=True)))
            file_names += (path,)
        return file_names

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Writes the vocabulary files of the Rust tokenizer's model, without added tokens; returns their paths."""
        vocabulary_path(save_directory, filename_prefix, "")
        with atomic_files(save_directory) as stage:
            written = self._tokenizer.model.save(str(stage), filename_prefix)
            names = [os.path.basename(path) for path in written]
        return tuple(os.path.join(save_directory, name) for name in names)

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[str] | Iterable[list[str]] | Iterator[Any],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: list[str | AddedToken] | None = None,
        special_tokens_map: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> PreTrainedTokenizerFast:
        """Trains a new tokenizer of the same kind, with the same special tokens, on other texts.

        Args:
            text_iterator: Texts, or batches of texts.
            vocab_size: How many tokens the new vocabulary is to have.
            length: How many items the iterator yields, for the progress bar.
            new_special_tokens: Special tokens to add.
            special_tokens_map: New names of special tokens: old to new.
            **kwargs: Passed to the trainer of the library `tokenizers`.
        """
        renamed = special_tokens_map or {}
        backend = train_backend(
            self._tokenizer,
            text_iterator,
            vocab_size,
            length,
            new_special_tokens or [],
            renamed,
            self._unk_token,
            kwargs,
        )
        settings = copy.deepcopy(self.init_kwargs)
        for name in self.SPECIAL_TOKENS_ATTRIBUTES[:-1]:
            token = getattr(self, f"_{name}")
            if token is not None:
                settings[name] = _renamed(token, renamed)
        extra = [_renamed(token, renamed) for token in self._additional_special_tokens or ()]
        extra += new_special_tokens or []
        if extra:
            settings["additional_special_tokens"] = extra
        settings.pop("added_tokens_decoder", None)
        return type(self)(tokenizer_object=backend, **settings)


class _Lock:
    """A lock that can be copied and pickled with the tokenizer it belongs to, and that a forked process gets anew."""

    def __init__(self) -> None:
        self.lock, self.process = threading.RLock(), os.getpid()

    def __enter__(self) -> None:
        if self.process != os.getpid():  # another thread of the parent may have held it
            self.__init__()  # type: ignore[misc]
        self.lock.acquire()

    def __exit__(self, *error: object) -> None:
        self.lock.release()

    def __reduce__(self) -> tuple[type[_Lock], tuple[()]]:
        return _Lock, ()


def load_backend(path: str | os.PathLike[str]) -> TokenizerFast:
    """Reads a `tokenizer.json`.

    Raises:
        OSError: There is no such file.
        TokenizerError: The file is truncated, or is no tokenizer.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: there is no such file; expected a tokenizer.json")
    try:
        return TokenizerFast.from_file(os.fspath(path))
    except Exception as error:  # the Rust library raises plain exceptions
        raise TokenizerError(
            f"{path}: expected the description of a tokenizer (tokenizer.json), found something else, or only a part "
            f"of one: {error}. Download it again, or delete it to convert the vocabulary files."
        ) from error


_TEXT = r'"(?:[^"\\]|\\.)*"'
_MERGE = re.compile(rf"\[\s+({_TEXT}),\s+({_TEXT})\s+\]")
_METASPACE = re.compile(rf'("type": "Metaspace",(\s+)"replacement": {_TEXT},)\s+"prepend_scheme": "(\w+)"')


def portable(description: str) -> str:
    """A `tokenizer.json`, as the Rust library writes it, so that its versions before 0.20 can read it, too.

    These want merges as texts rather than pairs (which fails where a symbol has a space in it; then nothing is
    changed), and a setting of Metaspace that now goes by another name.
    """

    def merge(found: re.Match[str]) -> str:
        left, right = found.groups()
        if " " in left or " " in right:
            raise _NotPortable
        return f"{left[:-1]} {right[1:]}"

    head, mark, merges = description.partition('\n    "merges": [\n')  # in texts, line feeds are escaped
    try:
        merges = _MERGE.sub(merge, merges)
    except _NotPortable:
        return description
    description = head + mark + merges
    return _METASPACE.sub(
        lambda found: (
            f'{found[1]}{found[2]}"add_prefix_space": {"false" if found[3] == "never" else "true"},'
            f'{found[2]}"prepend_scheme": "{found[3]}"'
        ),
        description,
    )


class _NotPortable(Exception):
    """Older versions have no form for a merge."""


def _check_stride(backend: TokenizerFast, max_length: int | None, stride: int) -> None:
    """The Rust library panics, which no `except Exception` catches, when a stride leaves no room to advance."""
    room = (max_length or 0) - backend.num_special_tokens_to_add(False)
    if stride and room > 0 and stride >= room:
        raise ValueError(
            f"stride={stride} must be less than max_length={max_length} without the special tokens, which leaves "
            f"{room} tokens"
        )


def _describe_bad_input(backend: TokenizerFast, batch: Sequence[Any], words: bool, error: TypeError) -> TypeError:
    """Finds the entry of a batch that the Rust library refused."""
    expected = "a list of words, or a pair of such lists" if words else "a text or a pair of texts"

    def is_bad(entry: Any) -> bool:
        try:
            backend.encode_batch([entry], words, False)
        except TypeError:
            return True
        return False

    for index, entry in enumerate(batch):
        if is_bad(entry):
            text = repr(entry)
            found = text if len(text) <= 80 else f"{text[:77]}..."
            return TypeError(f"entry {index} of the batch: expected {expected}, found {found}. {error}")
    return error


def _renamed(token: str | AddedToken, names: dict[str, str]) -> str | AddedToken:
    new = names.get(str(token))
    if new is None or not isinstance(token, AddedToken):
        return token if new is None else new
    return AddedToken(**{**token.__getstate__(), "content": new})
