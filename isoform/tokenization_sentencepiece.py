"""Tokenizers with a SentencePiece model, shared by Llama, GPT-Sw3 and all others that come with a ``.model`` file.

The vocabulary is read without the ``sentencepiece`` package, so a fast tokenizer can be made from a ``.model`` file
without it. Only the segmentation of text by a Python tokenizer needs the package.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from .errors import MissingExtraError
from .sentencepiece_model import SentencePieceModel, parse_sentencepiece_model, read_model_bytes
from .tokenization_bpe import vocabulary_path
from .tokenization_utils import PreTrainedTokenizer
from .tokenization_utils_fast import PreTrainedTokenizerFast
from .utils.files import atomic_write

SPIECE_UNDERLINE = "▁"


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
        super().__init__(**kwargs)

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
        return (_write_model(path, self._model_bytes),)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for derived in ("sp_model", "model_proto", "_pieces", "_piece_ids"):
            state.pop(derived, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        self._read_pieces()


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
        return (_write_model(path, read_model_bytes(self.vocab_file)),)


def _write_model(path: str, data: bytes) -> str:
    with atomic_write(path, "wb") as file:
        file.write(data)
    return path
