"""Tokenizers with a SentencePiece model, shared by Llama, GPT-Sw3 and all others that come with a ``.model`` file.

The vocabulary is read without the ``sentencepiece`` package, so a fast tokenizer can be made from a ``.model`` file
without it. Only the segmentation of text by a Python tokenizer needs the package.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ._tokenization_files import vocabulary_path
from ._tokenization_frame import Framed
from .errors import MissingExtraError
from .sentencepiece_model import (
    WITHOUT_DUMMY_PREFIX,
    SentencePieceModel,
    parse_sentencepiece_model,
    read_model_bytes,
)
from .tokenization_utils import PreTrainedTokenizer
from .tokenization_utils_base import AddedToken
from .tokenization_utils_fast import PreTrainedTokenizerFast
from .utils import logging
from .utils.files import atomic_write

logger = logging.get_logger(__name__)

SPIECE_UNDERLINE = "▁"

# The special tokens of fairseq, in the order of their ids.
FAIRSEQ_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")


class SentencePieceTokenizer(PreTrainedTokenizer):
    """Base of the Python tokenizers with a SentencePiece model.

    Args:
        vocab_file: Path of the ``.model`` file.
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``: ``enable_sampling``, ``nbest_size``,
            ``alpha``.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = {"vocab_file": "spiece.model"}

    # Bytes that are appended to the serialized model before `sentencepiece` parses it.
    _model_override = b""

    def __init__(self, vocab_file: str, sp_model_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self.vocab_file = vocab_file
        self.sp_model_kwargs = sp_model_kwargs or {}
        self._model_bytes = read_model_bytes(vocab_file)
        self._read_pieces()
        fixed = self._fixed_tokens()
        if fixed:
            kwargs["added_tokens_decoder"] = {**fixed, **kwargs.get("added_tokens_decoder", {})}
        super().__init__(sp_model_kwargs=self.sp_model_kwargs, **kwargs)

    def _fixed_tokens(self) -> dict[int, AddedToken]:
        """Added tokens that every tokenizer of the class has, by id."""
        return {}

    def _read_pieces(self) -> None:
        self.model_proto: SentencePieceModel = parse_sentencepiece_model(self._model_bytes, str(self.vocab_file))
        self._pieces = [piece.piece for piece in self.model_proto.pieces]
        self._piece_ids = {piece: index for index, piece in enumerate(self._pieces)}

    @cached_property
    def sp_model(self) -> Any:
        """The ``sentencepiece.SentencePieceProcessor``, loaded when it is first needed.

        Raises:
            MissingExtraError: The package ``sentencepiece`` is not installed.
        """
        try:
            from sentencepiece import SentencePieceProcessor
        except ImportError as error:
            raise MissingExtraError(type(self).__name__, "sentencepiece") from error
        return SentencePieceProcessor(model_proto=self._model_bytes + self._model_override, **self.sp_model_kwargs)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, not counting those that were added."""
        return len(self._pieces)

    def get_vocab(self) -> dict[str, int]:
        """All tokens, added ones included, and their ids."""
        vocab = {self.convert_ids_to_tokens(index): index for index in range(self.vocab_size)}
        return {**vocab, **self.added_tokens_encoder}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self.sp_model.encode(text, out_type=str)

    def _convert_token_to_id(self, token: str) -> int:
        return self._piece_ids.get(token, self.model_proto.trainer_spec.unk_id)

    def _convert_id_to_token(self, index: int) -> str:
        try:
            if index >= 0:
                return self._pieces[index]
        except IndexError:
            pass
        raise IndexError(f"Token id {index} is out of range: {self.vocab_file} has {len(self._pieces)} pieces.")

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for; special tokens stand for themselves."""
        special = set(self.all_special_tokens)
        text, run, after_special = "", [], False
        for position, token in enumerate(tokens):
            if token not in special:
                run.append(token)
                after_special = False
                continue
            if not after_special and self._space_before_run(position):
                text += " "
            text += self.sp_model.decode(run) + token
            run, after_special = [], True
        return text + self.sp_model.decode(run)

    def _space_before_run(self, position: int) -> bool:
        """Whether the run of ordinary tokens before the special token at ``position`` is given a space to its left."""
        return True

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        """Write the ``.model`` file; returns its path."""
        path = vocabulary_path(save_directory, filename_prefix, self.vocab_files_names["vocab_file"])
        return (write_model(path, self._model_bytes),)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for derived in ("sp_model", "model_proto", "_pieces", "_piece_ids"):
            state.pop(derived, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        self._read_pieces()


class NoSpaceAfterSpecial:
    """Mixin of slow tokenizers with the option ``legacy``, for a :class:`SentencePieceTokenizer`.

    A SentencePiece model puts a space before each text that it gets. With ``legacy`` it gets the parts between the
    special tokens of a text one by one, and so puts one after each special token. Otherwise it adds none
    (``_model_override``), and one is added here, before the whole.
    """

    legacy: bool

    def _set_legacy(self, legacy: bool | None, from_slow: bool) -> None:
        """Settles the option; to be called before the constructor of the base."""
        if legacy is None:
            logger.warning_once(
                f"{type(self).__name__} was made without `legacy`: a space is put after special tokens within a text, "
                "as in old versions. Pass legacy=False for checkpoints that were trained without these spaces."
            )
            legacy = True
        self.legacy = legacy
        self._model_override = b"" if legacy or from_slow else WITHOUT_DUMMY_PREFIX

    @property
    def unk_token_length(self) -> int:
        """Number of pieces of the unknown token when it is taken for text."""
        return len(self.sp_model.encode(str(self.unk_token)))  # type: ignore[attr-defined]

    def tokenize(  # the signature of 4.36
        self, text: str, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """The tokens of a text."""
        tokenize = super().tokenize  # type: ignore[misc]
        if self.legacy or not text:
            return tokenize(text, **kwargs)
        tokens = tokenize(SPIECE_UNDERLINE + text.replace(SPIECE_UNDERLINE, " "), **kwargs)
        if len(tokens) > 1 and tokens[0] == SPIECE_UNDERLINE and tokens[1] in self.all_special_tokens:  # type: ignore[attr-defined]
            del tokens[0]
        return tokens

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        tokenize = super()._tokenize  # type: ignore[misc]
        if self.legacy or not text.startswith((SPIECE_UNDERLINE, " ")):
            return tokenize(text)
        # The model strips leading spaces. Behind a piece of text they survive; the unknown token serves as such.
        tokens = tokenize(f"{self.unk_token}{text}")  # type: ignore[attr-defined]
        return tokens[self.unk_token_length :] if len(tokens) >= self.unk_token_length else tokens

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for, without the leading space."""
        if not tokens:
            return ""
        first = tokens[0].removeprefix(SPIECE_UNDERLINE)
        return super().convert_tokens_to_string([first, *tokens[1:]])  # type: ignore[misc]


class FairseqTokenizer(Framed, SentencePieceTokenizer):
    """Base of the Python tokenizers whose SentencePiece model was used through fairseq, which has ids of its own.

    Its special tokens come first, and pieces are shifted by one, as there are four of the former where SentencePiece
    has three. Languages and the mask come last.
    """

    vocab_files_names = {"vocab_file": "sentencepiece.bpe.model"}
    model_input_names = ["input_ids", "attention_mask"]
    frame = ("cls", "sep sep", "sep")
    fairseq_offset = 1

    # Tokens behind the pieces.
    _tail: tuple[str, ...] = ("<mask>",)

    def _read_pieces(self) -> None:
        super()._read_pieces()
        self._pieces = [*FAIRSEQ_TOKENS, *self._pieces[3:], *self._tail]
        start = len(self._pieces) - len(self._tail)
        own = dict(zip(FAIRSEQ_TOKENS, range(4), strict=True))
        self.fairseq_tokens_to_ids = own | {token: start + index for index, token in enumerate(self._tail)}
        self.fairseq_ids_to_tokens = {index: token for token, index in self.fairseq_tokens_to_ids.items()}
        self._piece_ids = {piece: index for index, piece in enumerate(self._pieces)} | self.fairseq_tokens_to_ids

    def _convert_token_to_id(self, token: str) -> int:
        index = self._piece_ids.get(token)
        unknown = FAIRSEQ_TOKENS.index("<unk>")
        return self._added_tokens_encoder.get(str(self.unk_token), unknown) if index is None else index

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for."""
        return "".join(tokens).replace(SPIECE_UNDERLINE, " ").strip()


class SentencePieceTokenizerFast(PreTrainedTokenizerFast):
    """Base of the Rust tokenizers that are made from a SentencePiece model.

    Args:
        vocab_file: Path of the ``.model`` file, where there is no ``tokenizer_file``.
        tokenizer_file: Path of a ``tokenizer.json``.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizerFast`.
    """

    vocab_files_names = {"vocab_file": "spiece.model", "tokenizer_file": "tokenizer.json"}

    def __init__(self, vocab_file: str | None = None, tokenizer_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(vocab_file=vocab_file, tokenizer_file=tokenizer_file, **kwargs)
        self.vocab_file = vocab_file

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether the ``.model`` file is still at hand, which the files of a Python tokenizer need."""
        return self.vocab_file is not None and os.path.isfile(self.vocab_file)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        """Write the ``.model`` file; returns its path.

        Raises:
            ValueError: The tokenizer was made from a ``tokenizer.json`` only, or its ``.model`` file is gone.
        """
        if self.vocab_file is None or not self.can_save_slow_tokenizer:
            raise ValueError(
                f"{type(self).__name__} cannot save the vocabulary of a slow tokenizer: it was made without a .model "
                f"file, or that file is gone (vocab_file={self.vocab_file!r})."
            )
        path = vocabulary_path(save_directory, filename_prefix, self.vocab_files_names["vocab_file"])
        return (write_model(path, read_model_bytes(self.vocab_file)),)


def write_model(path: str, data: bytes) -> str:
    with atomic_write(path, "wb") as file:
        file.write(data)
    return path
