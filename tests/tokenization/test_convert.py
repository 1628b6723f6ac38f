"""Conversion to Rust tokenizers, reading of SentencePiece models, and vocabulary files that are broken."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import pytest

from isoform import GPT2Tokenizer, GPT2TokenizerFast, GPTNeoXTokenizerFast, LlamaTokenizer, LlamaTokenizerFast
from isoform.convert_slow_tokenizer import (
    SLOW_TO_FAST_CONVERTERS,
    Converter,
    SentencePieceExtractor,
    SpmConverter,
    convert_slow_tokenizer,
    template,
)
from isoform.errors import TokenizerError
from isoform.sentencepiece_model import (
    WITHOUT_DUMMY_PREFIX,
    PieceType,
    parse_sentencepiece_model,
    read_sentencepiece_model,
)
from isoform.tokenization_bpe import merge_symbols

from . import cases

FOLDER = Path(__file__).parents[1] / "golden" / "tokenizers"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
BPE = {"vocab_file": str(FOLDER / "bpe/vocab.json"), "merges_file": str(FOLDER / "bpe/merges.txt")}
MODELS = ("bpe.model", "unigram.model")


# --- Conversion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_spm_converter(name):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        slow = LlamaTokenizer(str(FOLDER / name), legacy=True)
        converted = SpmConverter(slow).converted()
    assert any("unknown token" in str(entry.message) for entry in caught) == (name == "bpe.model")
    for text, expected in zip(cases.TEXTS, EXPECTED[f"SpmConverter {name}"], strict=True):
        assert cases.record_rust(converted, text) == expected, text


@pytest.mark.parametrize(("slow", "fast"), [(GPT2Tokenizer, GPT2TokenizerFast), (GPT2Tokenizer, GPTNeoXTokenizerFast)])
def test_slow_and_fast_byte_level_tokenizers_agree(slow, fast):
    slow, fast = slow(**BPE), fast(**BPE)
    for text in cases.TEXTS:
        assert fast(text)["input_ids"] == slow(text)["input_ids"]


def test_a_subclass_is_converted_like_its_base():
    class Mine(GPT2Tokenizer):
        pass

    assert convert_slow_tokenizer(Mine(**BPE)).encode("the cat").ids == GPT2Tokenizer(**BPE)("the cat")["input_ids"]


def test_no_converter():
    with pytest.raises(ValueError, match=r"object has no fast version.*GPT2Tokenizer"):
        convert_slow_tokenizer(object())
    with pytest.raises(NotImplementedError, match="converted"):
        Converter(None).converted()


def test_a_new_converter_takes_a_few_lines(monkeypatch):
    class Framed(LlamaTokenizer):
        pass

    class FramedConverter(SpmConverter):
        handle_byte_fallback = True

        def post_processor(self):
            return template(self.original_tokenizer, "<s> $A </s>", "<s> $A </s> $B </s>", "<s>", "</s>")

    monkeypatch.setitem(SLOW_TO_FAST_CONVERTERS, "Framed", FramedConverter)
    converted = convert_slow_tokenizer(Framed(str(FOLDER / "unigram.model"), legacy=True))
    assert converted.encode("the", "cat").tokens[0] == "<s>"
    assert converted.encode("the", "cat").tokens.count("</s>") == 2


def test_fast_tokenizer_needs_no_sentencepiece(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    fast = LlamaTokenizerFast(str(FOLDER / "bpe.model"))
    expected = EXPECTED["llama_fast"]["texts"][3]["ids"][:-1]  # that case adds EOS, too
    assert fast("Hello world")["input_ids"] == expected
    slow = LlamaTokenizer(str(FOLDER / "bpe.model"), legacy=False)
    with pytest.raises(ImportError, match=r"isoform\[sentencepiece\]"):
        slow.tokenize("Hello")


def test_extractor_reads_vocabulary_and_merges():
    vocab, merges = SentencePieceExtractor(FOLDER / "bpe.model").extract()
    assert [vocab["<unk>"], vocab["<s>"], vocab["</s>"]] == [0, 1, 2]
    # Each merge makes a piece, and merges come in the order of the pieces that they make.
    made = [vocab[left + right] for left, right in merges]
    assert made == sorted(made)


def test_merges_follow_the_textbook():
    def textbook(word, ranks):
        parts = list(word)
        while True:
            pair = min(pairwise(parts), key=lambda pair: ranks.get(pair, float("inf")), default=None)
            if pair not in ranks:
                return parts
            joined, rest = [], parts
            while rest:
                size = 2 if tuple(rest[:2]) == pair else 1
                joined.append("".join(rest[:size]))
                rest = rest[size:]
            parts = joined

    rng = random.Random(0)
    for _ in range(500):
        symbols, pairs = list("abc"), []
        for _ in range(10):
            pairs.append((rng.choice(symbols), rng.choice(symbols)))
            symbols.append("".join(pairs[-1]))
        rng.shuffle(pairs)
        ranks = {pair: rank for rank, pair in enumerate(pairs)}
        word = "".join(rng.choices("abc", k=rng.randrange(25)))
        assert merge_symbols(word, ranks) == textbook(word, ranks)


# --- SentencePiece files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_model_is_read_like_sentencepiece_reads_it(name):
    sentencepiece = pytest.importorskip("sentencepiece")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(FOLDER / name))
    model = read_sentencepiece_model(FOLDER / name)
    ids = range(processor.get_piece_size())
    assert [piece.piece for piece in model.pieces] == [processor.id_to_piece(index) for index in ids]
    assert [piece.score for piece in model.pieces] == [processor.get_score(index) for index in ids]
    assert [piece.type == PieceType.BYTE for piece in model.pieces] == [processor.is_byte(index) for index in ids]
    spec = model.trainer_spec
    found = (spec.unk_id, spec.bos_id, spec.eos_id, spec.pad_id)
    assert found == (processor.unk_id(), processor.bos_id(), processor.eos_id(), processor.pad_id())
    assert spec.byte_fallback == (name == "bpe.model")
    assert bool(model.normalizer_spec.precompiled_charsmap) == (name == "unigram.model")


def test_dummy_prefix_is_switched_off_by_four_bytes():
    sentencepiece = pytest.importorskip("sentencepiece")
    data = (FOLDER / "bpe.model").read_bytes()
    assert parse_sentencepiece_model(data).normalizer_spec.add_dummy_prefix
    assert not parse_sentencepiece_model(data + WITHOUT_DUMMY_PREFIX).normalizer_spec.add_dummy_prefix
    plain = sentencepiece.SentencePieceProcessor(model_proto=data).encode("a", out_type=str)
    bare = sentencepiece.SentencePieceProcessor(model_proto=data + WITHOUT_DUMMY_PREFIX).encode("a", out_type=str)
    assert (plain[0][0], bare) == ("▁", ["a"])


@pytest.mark.parametrize("cls", [LlamaTokenizer, LlamaTokenizerFast])
def test_truncated_model(cls, tmp_path):
    data = (FOLDER / "bpe.model").read_bytes()
    path = tmp_path / "tokenizer.model"
    for size in (0, 1, 2, 10, 11, 1000, len(data) // 2, len(data) - 40, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(TokenizerError, match=r"tokenizer\.model is not a complete SentencePiece model"):
            cls(str(path))


@pytest.mark.parametrize(
    "data",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        b"\xff" * 40,
        bytes([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),  # a piece of 32 GiB
        bytes([0x0A, 3, 0x0A, 1, 0xFF]),  # a piece that is not UTF-8
        bytes([0x08, 1]),  # a number for a piece
        bytes([0x0A, 4, 0x12, 2, 0, 0]),  # a score of two bytes
        b"{}",
    ],
)
def test_file_of_another_kind(data, tmp_path):
    path = tmp_path / "other.model"
    path.write_bytes(data)
    with pytest.raises(TokenizerError, match=r"other\.model is not a complete SentencePiece model"):
        read_sentencepiece_model(path)


def test_random_damage_never_gets_past_the_reader():
    """A damaged file is read or refused with a TokenizerError; nothing else happens."""
    data = (FOLDER / "unigram.model").read_bytes()
    rng = random.Random(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            parse_sentencepiece_model(bytes(damaged))
        except TokenizerError:
            refused += 1
    assert refused > 50


def test_missing_model(tmp_path):
    with pytest.raises(TokenizerError, match=r"nowhere\.model"):
        LlamaTokenizer(str(tmp_path / "nowhere.model"))


def test_model_type_without_fast_version(tmp_path):
    # trainer_spec (field 2) with model_type (field 3) CHAR (4), behind one piece "a" with score 0
    path = tmp_path / "char.model"
    path.write_bytes(bytes([0x0A, 8, 0x0A, 1]) + b"a" + b"\x15" + struct.pack("<f", 0) + bytes([0x12, 2, 0x18, 4]))
    with pytest.raises(TokenizerError, match=r"char\.model: model type CHAR has no fast version"):
        LlamaTokenizerFast(str(path))


# --- Broken vocabularies ------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    shutil.copy(BPE["vocab_file"], tmp_path)
    shutil.copy(BPE["merges_file"], tmp_path)
    return tmp_path / "vocab.json", tmp_path / "merges.txt"


CLASSES = pytest.mark.parametrize("cls", [GPT2Tokenizer, GPT2TokenizerFast, GPTNeoXTokenizerFast])


@CLASSES
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 0, "b', "not valid JSON"),
        ("", "not valid JSON"),
        ('["a", "b"]', "expected an object"),
        ('{"a": 0, "b": "1"}', "id of token 'b' must be an integer"),
        ('{"a": -1}', "id of token 'a'"),
        ('{"a": true}', "id of token 'a'"),
    ],
)
def test_broken_vocabulary(cls, files, content, message):
    vocab, merges = files
    vocab.write_text(content)
    with pytest.raises(TokenizerError, match=message) as raised:
        cls(str(vocab), str(merges))
    assert str(vocab) in str(raised.value)


@CLASSES
@pytest.mark.parametrize(
    ("line", "message"), [("a b c", "line 3: expected two symbols"), ("abc", "line 3: expected two symbols")]
)
def test_broken_merges(cls, files, line, message):
    vocab, merges = files
    lines = merges.read_text().split("\n")
    merges.write_text("\n".join([*lines[:2], line, *lines[2:]]))
    with pytest.raises(TokenizerError, match=message) as raised:
        cls(str(vocab), str(merges))
    assert str(merges) in str(raised.value)


@pytest.mark.parametrize("cls", [GPT2TokenizerFast, GPTNeoXTokenizerFast])
def test_merges_of_another_vocabulary(cls, files):
    vocab, merges = files
    merges.write_text("#version: 0.2\nnot there\n")
    with pytest.raises(TokenizerError, match="do not fit the vocabulary") as raised:
        cls(str(vocab), str(merges))
    assert str(merges) in str(raised.value)


@CLASSES
def test_missing_files(cls, files):
    vocab, merges = files
    for path in files:
        path.rename(path.with_suffix(".gone"))
        with pytest.raises(TokenizerError, match=path.name):
            cls(str(vocab), str(merges))
        path.with_suffix(".gone").rename(path)


@pytest.mark.parametrize("cls", [GPT2Tokenizer, GPT2TokenizerFast])
def test_errors_survive_from_pretrained(cls, files):
    vocab, _ = files
    vocab.write_text('{"a": 0, "b')
    with pytest.raises(ValueError, match="not valid JSON") as raised:
        cls.from_pretrained(vocab.parent)
    assert str(vocab) in str(raised.value)


def test_merges_without_header_or_last_line_feed_warn(files):
    code = f"from isoform import GPT2Tokenizer; GPT2Tokenizer({str(files[0])!r}, {str(files[1])!r})"
    files[1].write_text("t h\nh e\nth e")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the first line, 't h', is skipped" in result.stderr
    assert "the last line, 'th e', does not end with a line feed" in result.stderr
