"""Reader for SentencePiece ``.model`` files, without protobuf and without the ``sentencepiece`` package.

A ``.model`` file is one serialized protocol buffer message, ``ModelProto`` (described by ``sentencepiece_model.proto``
of the SentencePiece project). Only the fields that conversion to a fast tokenizer needs are read; the others are
skipped. Nothing in the file is executed, and every length is checked against the size of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from os import PathLike, fspath
from typing import NamedTuple

from .errors import TokenizerError

# Wire types of the protocol buffer encoding.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}

# Appended to a serialized model, this sets normalizer_spec.add_dummy_prefix to false: when a message occurs twice in a
# protocol buffer, parsers merge the occurrences and the last value of a field wins.
WITHOUT_DUMMY_PREFIX = bytes([3 << 3 | _BYTES, 2, 3 << 3 | _VARINT, 0])


class PieceType(IntEnum):
    """What a piece stands for."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


class ModelType(IntEnum):
    """The segmentation algorithm of a model."""

    UNIGRAM = 1
    BPE = 2
    WORD = 3
    CHAR = 4


class Piece(NamedTuple):
    """One entry of the vocabulary; its index in :attr:`SentencePieceModel.pieces` is its id."""

    piece: str
    score: float
    type: int


@dataclass
class TrainerSpec:
    """The training options that matter after training."""

    model_type: int = ModelType.UNIGRAM
    byte_fallback: bool = False
    unk_id: int = 0
    bos_id: int = 1
    eos_id: int = 2
    pad_id: int = -1
    unk_piece: str = "<unk>"
    bos_piece: str = "<s>"
    eos_piece: str = "</s>"
    pad_piece: str = "<pad>"


@dataclass
class NormalizerSpec:
    """How text is normalized before segmentation."""

    precompiled_charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True


@dataclass
class SentencePieceModel:
    """The contents of a ``.model`` file, with the names of ``sentencepiece_model.proto``."""

    pieces: list[Piece] = field(default_factory=list)
    trainer_spec: TrainerSpec = field(default_factory=TrainerSpec)
    normalizer_spec: NormalizerSpec = field(default_factory=NormalizerSpec)


# Field numbers of the messages above.
_TRAINER_FIELDS = {
    3: "model_type",
    35: "byte_fallback",
    40: "unk_id",
    41: "bos_id",
    42: "eos_id",
    43: "pad_id",
    45: "unk_piece",
    46: "bos_piece",
    47: "eos_piece",
    48: "pad_piece",
}
_NORMALIZER_FIELDS = {
    2: "precompiled_charsmap",
    3: "add_dummy_prefix",
    4: "remove_extra_whitespaces",
    5: "escape_whitespaces",
}


class _Malformed(Exception):
    """The bytes are not the message that was expected; the text says why."""


def read_sentencepiece_model(path: str | PathLike[str]) -> SentencePieceModel:
    """Read the SentencePiece model file at ``path``.

    Raises:
        TokenizerError: The file is missing, truncated or something else than a SentencePiece model.
    """
    return parse_sentencepiece_model(read_model_bytes(path), fspath(path))


def read_model_bytes(path: str | PathLike[str]) -> bytes:
    """The bytes of the file at ``path``, or a :class:`TokenizerError` that names it."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, TypeError) as error:
        raise TokenizerError(f"Cannot read the SentencePiece model {path!r}: {error}") from error


def parse_sentencepiece_model(data: bytes, name: str = "the SentencePiece model") -> SentencePieceModel:
    """Parse a serialized model; ``name`` (a path, as a rule) is for error messages.

    Raises:
        TokenizerError: ``data`` is truncated or something else than a SentencePiece model.
    """
    model = SentencePieceModel()
    seen = set()
    try:
        for number, value in _fields(data):
            seen.add(number)
            if number == 1:
                model.pieces.append(_parse_piece(_expect_bytes(value)))
            elif number == 2:
                _read_into(model.trainer_spec, _TRAINER_FIELDS, _expect_bytes(value))
            elif number == 3:
                _read_into(model.normalizer_spec, _NORMALIZER_FIELDS, _expect_bytes(value))
        if not model.pieces:
            raise _Malformed("it holds no pieces")
        if 2 not in seen:
            raise _Malformed("it ends before the trainer's options")
    except _Malformed as problem:
        raise TokenizerError(
            f"{name} is not a complete SentencePiece model: {problem} (size: {len(data)} bytes). "
            "The file is truncated, corrupt or of another kind (a Git LFS pointer, say): download it again."
        ) from None
    return model


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a serialized message in order: (field number, integer or raw bytes)."""
    position, size = 0, len(data)
    while position < size:
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == _BYTES:
            length, position = _varint(data, position)
        elif wire_type in _FIXED_SIZES:
            length = _FIXED_SIZES[wire_type]
        else:
            raise _Malformed(f"unknown wire type {wire_type} at byte {position - 1}")
        end = position + length
        if end > size:
            raise _Malformed(f"field {number} at byte {position} needs {length} bytes but {size - position} are left")
        yield number, data[position:end]
        position = end


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The variable-length integer at ``position``, and the position after it."""
    try:
        byte = data[position]
        if byte < 0x80:
            return byte, position + 1
        result = byte & 0x7F
        for index in range(1, 10):  # 64 bits need at most ten groups of seven
            byte = data[position + index]
            result |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return result, position + index + 1
    except IndexError:
        raise _Malformed(f"it ends inside an integer at byte {position}") from None
    raise _Malformed(f"integer longer than 64 bits at byte {position}")


def _parse_piece(data: bytes) -> Piece:
    text, score, kind = "", 0.0, int(PieceType.NORMAL)
    for number, value in _fields(data):
        if number == 1:
            text = _text(_expect_bytes(value))
        elif number == 2:
            raw = _expect_bytes(value)
            if len(raw) != 4:
                raise _Malformed("a score is not a 32-bit float")
            score = struct.unpack("<f", raw)[0]
        elif number == 3 and isinstance(value, int):
            kind = value
    return Piece(text, score, kind)


def _read_into(spec: TrainerSpec | NormalizerSpec, names: dict[int, str], data: bytes) -> None:
    """Set the attributes of ``spec`` from a message, each with the type of its default."""
    for number, value in _fields(data):
        name = names.get(number)
        if name is None:
            continue
        kind = type(getattr(spec, name))
        if issubclass(kind, int):
            if not isinstance(value, int):
                raise _Malformed(f"{name} is not an integer")
            signed = value - (1 << 64) if value >> 63 else value
            setattr(spec, name, bool(value) if kind is bool else signed)
        else:
            raw = _expect_bytes(value)
            setattr(spec, name, _text(raw) if kind is str else raw)


def _expect_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise _Malformed("an integer where a string or a message belongs")
    return value


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _Malformed(f"a piece is not UTF-8: {raw[:20]!r}") from None
