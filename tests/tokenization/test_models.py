"""Every tokenizer against the reference, on small vocabularies (see tests/golden/make_tokenizers.py)."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from pathlib import Path

import pytest

import isoform
from isoform import tokenization_bpe

from . import cases

FOLDER = Path(__file__).parents[1] / "golden" / "tokenizers"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokenizers():
    return {name: cases.build(isoform, case, str(FOLDER)) for name, case in cases.CASES.items()}


@pytest.mark.parametrize("name", cases.CASES)
def test_properties(tokenizers, name):
    assert cases.record_properties(tokenizers[name]) == EXPECTED[name]["properties"]


@pytest.mark.parametrize("name", cases.CASES)
def test_texts(tokenizers, name):
    for text, expected in zip(cases.TEXTS, EXPECTED[name]["texts"], strict=True):
        assert cases.record(tokenizers[name], text) == expected, text


@pytest.mark.parametrize("name", cases.CASES)
def test_pairs(tokenizers, name):
    for pair, expected in zip(cases.PAIRS, EXPECTED[name]["pairs"], strict=True):
        found = cases.record_pair(tokenizers[name], *pair)
        if name == "codegen":  # the reference's mask leaves the BOS tokens out, so its length is wrong
            ids, bos = found["input_ids"], tokenizers[name].bos_token_id
            assert found.pop("special_tokens_mask") == [int(token == bos) for token in ids]
            expected = {key: value for key, value in expected.items() if key != "special_tokens_mask"}
        assert found == expected, pair


@pytest.mark.parametrize("name", cases.CHAT_CASES)
def test_default_chat_template(tokenizers, name):
    for turns, expected in zip(cases.CONVERSATIONS, EXPECTED[name]["chat"], strict=True):
        assert cases.record_chat(tokenizers[name], turns) == expected, turns


@pytest.mark.parametrize("name", cases.CASES)
def test_copies_and_saved_files_give_the_same_tokens(tokenizers, name, tmp_path):
    tokenizer = tokenizers[name]
    tokenizer.save_pretrained(tmp_path)
    expected = [tokenizer(text)["input_ids"] for text in cases.TEXTS]
    for other in (
        pickle.loads(pickle.dumps(tokenizer)),
        copy.deepcopy(tokenizer),
        type(tokenizer).from_pretrained(tmp_path),
    ):
        assert [other(text)["input_ids"] for text in cases.TEXTS] == expected
        assert other.get_vocab() == tokenizer.get_vocab()


@pytest.mark.parametrize("name", ["gpt2", "gpt2_fast", "ctrl", "gpt_sw3", "llama", "llama_fast"])
def test_save_vocabulary(tokenizers, name, tmp_path):
    tokenizer = tokenizers[name]
    paths = tokenizer.save_vocabulary(str(tmp_path), filename_prefix="my")
    assert sorted(Path(path).name for path in paths) == sorted(path.name for path in tmp_path.iterdir())
    assert all(Path(path).name.startswith("my-") for path in paths)
    source = FOLDER / cases.CASES[name]["files"]
    if source.is_file():
        assert Path(paths[0]).read_bytes() == source.read_bytes()
    else:
        vocab, merges = paths
        assert json.loads(Path(vocab).read_text()) == json.loads((source / "vocab.json").read_text())
        assert Path(merges).read_text() == (source / "merges.txt").read_text()
    with pytest.raises(NotADirectoryError, match="nowhere"):
        tokenizer.save_vocabulary(str(tmp_path / "nowhere"))


def test_pickled_sentencepiece_tokenizer_needs_no_file(tmp_path):
    path = tmp_path / "tokenizer.model"
    shutil.copy(FOLDER / "bpe.model", path)
    tokenizer = isoform.LlamaTokenizer(str(path), legacy=False)
    data, expected = pickle.dumps(tokenizer), tokenizer.tokenize("Hello world")
    path.unlink()
    again = pickle.loads(data)
    assert again.tokenize("Hello world") == expected
    assert Path(*again.save_vocabulary(str(tmp_path))).read_bytes() == (FOLDER / "bpe.model").read_bytes()


def test_fast_llama_without_model_file_cannot_save_slow_vocabulary(tmp_path):
    isoform.LlamaTokenizerFast(str(FOLDER / "bpe.model")).backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    tokenizer = isoform.LlamaTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    assert not tokenizer.can_save_slow_tokenizer
    with pytest.raises(ValueError, match="without a \\.model file"):
        tokenizer.save_vocabulary(str(tmp_path))


@pytest.mark.parametrize("name", ["gpt2_fast", "codegen_fast", "gpt2_fast_prefix"])
def test_words_split_by_the_caller_need_prefix_spaces(tokenizers, name):
    tokenizer = tokenizers[name]
    words = ["Hello", "world"]
    if tokenizer.add_prefix_space:
        assert tokenizer(words, is_split_into_words=True)["input_ids"] == tokenizer("Hello world")["input_ids"]
    else:
        with pytest.raises(AssertionError, match="add_prefix_space=True"):
            tokenizer(words, is_split_into_words=True)
        with pytest.raises(AssertionError, match="add_prefix_space=True"):
            tokenizer([words], is_split_into_words=True)


def test_llama_fast_options_may_change(tokenizers):
    tokenizer = copy.deepcopy(tokenizers["llama_fast"])
    plain = tokenizer("Hello", add_special_tokens=False)["input_ids"]
    for bos in (False, True):
        for eos in (False, True):
            tokenizer.add_bos_token, tokenizer.add_eos_token = bos, eos
            expected = [1] * bos + plain + [2] * eos
            assert tokenizer("Hello")["input_ids"] == expected
            assert tokenizer.build_inputs_with_special_tokens(plain) == expected
    tokenizer.bos_token = None
    with pytest.raises(ValueError, match="add_bos_token = True but bos_token = None"):
        tokenizer.update_post_processor()


@pytest.mark.parametrize("name", ["codegen", "codegen_fast"])
@pytest.mark.parametrize(
    ("text", "patterns", "expected"),
    [
        ("a = 1\n# note\nb", ["^#"], "a = 1\n"),
        ("def f():\n  x\ndef g():\n", ["^nothing"], "def f():\n  x\n"),
        ("print(1)\nprint(2)\n", ["^nothing"], "print(1)\n"),
        ("one\n\n\ntwo # c", ["\n\n\n", "#"], "one"),
        ("a = 1", ["^#", "b"], "a = 1"),
        ("a\nb", [], "a\nb"),
        ("a\nb", None, "a\nb"),
    ],
)
def test_truncate_before_pattern(tokenizers, name, text, patterns, expected):
    tokenizer = tokenizers[name]
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids, truncate_before_pattern=patterns) == expected


def test_gpt_sw3_fast_paths(tokenizers):
    tokenizer = tokenizers["gpt_sw3"]
    texts = ["Hello\u2003world", "a\x07b"]
    ids = [tokenizer(text)["input_ids"] for text in texts]
    assert tokenizer.encode_fast(texts[0]) == ids[0]
    assert tokenizer.encode_fast(texts) == ids
    assert tokenizer.encode_fast(texts[0], return_tensors=True).tolist() == ids[0]
    assert tokenizer.decode_fast(ids[0]) == "Hello world"


def test_long_words_take_no_quadratic_time(tokenizers):
    # The textbook's loop would take minutes.
    text = "there" * 20_000
    tokens = tokenizers["gpt2"].tokenize(text)
    assert "".join(tokens) == text


def test_word_cache_is_bounded(tokenizers, monkeypatch):
    tokenizer = copy.deepcopy(tokenizers["gpt2"])
    monkeypatch.setattr(tokenization_bpe, "WORD_CACHE_SIZE", 10)
    for number in range(50):
        tokenizer.tokenize(f"word{number}")
    assert len(tokenizer.cache) <= 10


def test_documented_module_paths():
    from isoform.models.ctrl.tokenization_ctrl import CONTROL_CODES
    from isoform.models.gpt2.tokenization_gpt2 import VOCAB_FILES_NAMES, bytes_to_unicode, get_pairs

    assert VOCAB_FILES_NAMES == {"vocab_file": "vocab.json", "merges_file": "merges.txt"}
    assert get_pairs("abab") == {("a", "b"), ("b", "a")}
    assert (len(set(bytes_to_unicode().values())), bytes_to_unicode()[0x20]) == (256, "Ġ")
    assert isoform.CTRLTokenizer.control_codes is CONTROL_CODES
    assert CONTROL_CODES["Links"] == 63674
