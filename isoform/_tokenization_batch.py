"""`BatchEncoding`, what tokenizers return: columns, with the alignment of tokens, words and characters."""

from __future__ import annotations

from collections import UserDict
from collections.abc import ItemsView, KeysView, Sequence, ValuesView
from typing import TYPE_CHECKING, Any, NamedTuple

from tokenizers import Encoding as EncodingFast

from .utils import logging
from .utils.generic import TensorType, is_torch_device
from .utils.tensors import tensor_functions

if TYPE_CHECKING:
    import torch

__all__ = ["BatchEncoding", "CharSpan", "EncodingFast", "TokenSpan"]

logger = logging.get_logger(__name__)

_NO_TENSOR = (
    "Unable to create tensor from `{key}`: its rows have different lengths, or lists are nested deeper "
    "than expected. Pass `padding=True` and, for texts that are too long, `truncation=True`."
)


class CharSpan(NamedTuple):
    """The characters `start` to `end`, exclusive, of a text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """The tokens `start` to `end`, exclusive, of an encoded sequence."""

    start: int
    end: int


class BatchEncoding(UserDict):
    """The columns that a tokenizer made (`input_ids`, `attention_mask`, …), readable as items and as attributes.

    With a fast tokenizer it also maps between tokens, words and characters. All methods that do take either one
    index, for the only (first) sequence of the batch, or the index of the sequence and then the index inside of it.

    Args:
        data: The columns.
        encoding: The encodings of the fast tokenizer, one per sequence.
        tensor_type: Convert the columns to tensors: `"pt"`, `"np"`, `"tf"` or `"jax"`.
        prepend_batch_axis: Add a batch axis of length 1 while converting.
        n_sequences: How many texts make up one sequence: 1, or 2 for pairs.
    """

    def __init__(
        self,
        data: dict[str, Any] | None = None,
        encoding: EncodingFast | Sequence[EncodingFast] | None = None,
        tensor_type: str | TensorType | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ) -> None:
        self.data = dict(data) if data is not None else {}
        self._encodings = [encoding] if isinstance(encoding, EncodingFast) else encoding
        if n_sequences is None and self._encodings:
            n_sequences = self._encodings[0].n_sequences
        self._n_sequences = n_sequences
        if tensor_type is not None:
            self.convert_to_tensors(tensor_type, prepend_batch_axis)

    @property
    def n_sequences(self) -> int | None:
        """How many texts make up one sequence: 1, 2 for pairs, `None` if unknown (Python tokenizers)."""
        return self._n_sequences

    @property
    def is_fast(self) -> bool:
        """Whether a fast tokenizer made this, so that the alignment methods work."""
        return self._encodings is not None

    @property
    def encodings(self) -> Sequence[EncodingFast] | None:
        """The encodings of the fast tokenizer, one per sequence."""
        return self._encodings

    # ---- dictionary ----

    def __getitem__(self, item: int | str | slice) -> Any:
        """A column by name; an `Encoding` by number (fast tokenizers); the first rows of all columns by slice."""
        if isinstance(item, str):
            return self.data[item]
        if self._encodings is not None:
            return self._encodings[item]
        if isinstance(item, slice):
            return {key: column[item] for key, column in self.data.items()}
        raise KeyError(
            "Invalid key: expected a column's name (str), a row's number (int, gives its Encoding), or a slice"
        )

    def __getattr__(self, item: str) -> Any:
        # `data` itself is missing while an object is being unpickled.
        if item != "data" and item in self.data:
            return self.data[item]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute or column {item!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data, "encodings": self._encodings, "n_sequences": self._n_sequences}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data, self._encodings = state["data"], state["encodings"]
        self._n_sequences = state.get("n_sequences")

    def keys(self) -> KeysView[str]:
        return self.data.keys()

    def values(self) -> ValuesView[Any]:
        return self.data.values()

    def items(self) -> ItemsView[str, Any]:
        return self.data.items()

    # ---- alignment ----

    def _column(self, method: str, batch_index: int) -> EncodingFast:
        if not self._encodings:
            raise ValueError(
                f"{method}() needs offsets into the text, which is not available from a Python tokenizer: "
                "load the fast one (`use_fast=True`)."
            )
        return self._encodings[batch_index]

    def _locate(self, method: str, first: int, second: int | None) -> tuple[EncodingFast, int]:
        if not self._encodings:
            raise ValueError(f"{method}() is not available from Python tokenizers: load the fast one (`use_fast=True`)")
        batch, index = (0, first) if second is None else (first, second)
        encoding = self._encodings[batch]
        if index < 0 and method.startswith("token"):
            index += len(encoding)
        return encoding, index

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a sequence, as strings."""
        return self._column("tokens", batch_index).tokens

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token the text it is from: 0, 1 for the second of a pair, `None` for special tokens."""
        return self._column("sequence_ids", batch_index).sequence_ids

    def words(self, batch_index: int = 0) -> list[int | None]:
        """For each token the word it is from, `None` for special tokens. Prefer `word_ids`."""
        return self._column("words", batch_index).word_ids

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token the number of the word that it is part of, `None` for special tokens."""
        return self._column("word_ids", batch_index).word_ids

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """The text that a token is from: 0, 1 for the second of a pair, `None` for special tokens."""
        encoding, index = self._locate("token_to_sequence", batch_or_token_index, token_index)
        return encoding.token_to_sequence(index)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """The word that a token is part of."""
        encoding, index = self._locate("token_to_word", batch_or_token_index, token_index)
        return encoding.token_to_word(index)

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """The tokens of a word of text `sequence_index` (1: the second of a pair), `None` if it has none."""
        encoding, index = self._locate("word_to_tokens", batch_or_word_index, word_index)
        span: Any = encoding.word_to_tokens(index, sequence_index)
        return TokenSpan(*span) if span is not None else None

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """The characters of a token in its text, `None` for special tokens."""
        encoding, index = self._locate("token_to_chars", batch_or_token_index, token_index)
        span: Any = encoding.token_to_chars(index)
        return CharSpan(*span) if span is not None else None

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The token that holds a character of text `sequence_index`, `None` if no token does (whitespace)."""
        encoding, index = self._locate("char_to_token", batch_or_char_index, char_index)
        return encoding.char_to_token(index, sequence_index)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan:
        """The characters of a word of text `sequence_index`."""
        encoding, index = self._locate("word_to_chars", batch_or_word_index, word_index)
        span: Any = encoding.word_to_chars(index, sequence_index)
        return CharSpan(*span)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The word that holds a character of text `sequence_index`, `None` if no word does."""
        encoding, index = self._locate("char_to_word", batch_or_char_index, char_index)
        return encoding.char_to_word(index, sequence_index)

    # ---- tensors ----

    def convert_to_tensors(
        self, tensor_type: str | TensorType | None = None, prepend_batch_axis: bool = False
    ) -> BatchEncoding:
        """Converts the columns to tensors, in place.

        Args:
            tensor_type: `"pt"`, `"np"`, `"tf"` or `"jax"`; `None` changes nothing.
            prepend_batch_axis: Add a batch axis of length 1.

        Raises:
            ImportError: The framework is not installed.
            ValueError: The rows of a column have different lengths.
        """
        if tensor_type is None:
            return self
        as_tensor, is_tensor = tensor_functions(TensorType(tensor_type).value)
        for key, value in self.data.items():
            column = [value] if prepend_batch_axis else value
            if is_tensor(column):
                continue
            try:
                self.data[key] = as_tensor(column)
            except Exception as error:
                if key == "overflowing_tokens":
                    message = (
                        "Unable to create tensor: rows of overflowing tokens differ in length. The fast "
                        "version of this tokenizer can return them as rows of one length."
                    )
                else:
                    message = _NO_TENSOR.format(key=key)
                raise ValueError(message) from error
        return self

    def to(self, device: str | torch.device | int) -> BatchEncoding:
        """Moves the tensors to a device, in place. PyTorch only."""
        if isinstance(device, (str, int)) or is_torch_device(device):
            self.data = {key: value.to(device=device) for key, value in self.data.items()}
        else:
            logger.warning(f"BatchEncoding.to() moves to a device only, found {device}: the data stay as they are.")
        return self
