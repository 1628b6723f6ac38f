"""BERT's, RoBERTa's, T5's… tokenizers against the reference (see tests/golden/make_text_tokenizers.py)."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import types
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

import isoform
from isoform.errors import TokenizerError

from . import cases, text_cases

FOLDER = Path(__file__).parents[1] / "golden" / "tokenizers"
EXPECTED = json.loads((FOLDER / "expected_text.json").read_text(encoding="utf-8"))


def build(name, **options):
    case = text_cases.CASES[name]
    return cases.build(isoform, {**case, "options": {**case["options"], **options}}, str(FOLDER))


@pytest.fixture
def ftfy(monkeypatch):
    """Puts a stand-in in the place of ftfy, for one case; the package must not change the others where it is there."""
    module = types.ModuleType("ftfy")
    module.fix_text = text_cases.fix_text
    return lambda name: monkeypatch.setitem(sys.modules, "ftfy", module if name == "clip_ftfy" else None)


@pytest.mark.parametrize("name", text_cases.CASES)
def test_all_is_as_in_the_reference(name, ftfy):
    ftfy(name)
    found = json.loads(json.dumps(text_cases.record(name, build(name))))
    expected = EXPECTED[name]
    for text, ours, theirs in zip(text_cases.TEXTS, found.pop("texts"), expected["texts"], strict=True):
        assert ours == theirs, text
    if name.startswith(("nllb", "m2m")) and not name.endswith("_fast"):
        # The reference's token types do not fit its special tokens: there are more or fewer than ids.
        for ours, theirs in zip(found["pairs"], expected["pairs"], strict=True):
            assert ours.pop("token_type_ids") == [0] * len(theirs["input_ids"])
            del theirs["token_type_ids"]
    assert found == {key: value for key, value in expected.items() if key != "texts"}


@pytest.mark.parametrize("name", text_cases.CASES)
def test_copies_and_saved_files_give_the_same_tokens(name, tmp_path, ftfy):
    ftfy(name)
    tokenizer = build(name)
    languages = text_cases.languages(name)
    if languages is not None:
        tokenizer.src_lang, tokenizer.tgt_lang = languages
    tokenizer.save_pretrained(tmp_path)
    expected = [tokenizer(text)["input_ids"] for text in text_cases.TEXTS]
    others = [
        pickle.loads(pickle.dumps(tokenizer)),
        copy.deepcopy(tokenizer),
        type(tokenizer).from_pretrained(tmp_path),
        isoform.AutoTokenizer.from_pretrained(tmp_path, use_fast=tokenizer.is_fast),
    ]
    if tokenizer.is_fast:
        (tmp_path / "tokenizer.json").unlink()
        if name != "roberta_fast_offsets":
            others.append(type(tokenizer).from_pretrained(tmp_path))
    for other in others:
        assert type(other) is type(tokenizer)
        assert [other(text)["input_ids"] for text in text_cases.TEXTS] == expected
        assert other.get_vocab() == tokenizer.get_vocab()


def test_basic_and_word_piece_tokenizers():
    basic = isoform.BasicTokenizer(do_lower_case=True, never_split=["John's;"], do_split_on_punc=True)
    whole = isoform.BasicTokenizer(False, strip_accents=True, do_split_on_punc=False, tokenize_chinese_chars=False)
    pieces = isoform.WordpieceTokenizer({"un", "##able", "##aff", "a"}, "[U]", max_input_chars_per_word=9)
    assert [basic.tokenize(text, never_split=["Héllo"]) for text in text_cases.TEXTS] == EXPECTED["BasicTokenizer"]
    assert [whole.tokenize(text) for text in text_cases.TEXTS] == EXPECTED["BasicTokenizer whole"]
    assert pieces.tokenize("unaffable unable  a aaaaaaaaaa aff") == EXPECTED["WordpieceTokenizer"]


def test_options_of_a_fast_bert_win_over_those_of_its_file(tmp_path):
    build("bert_fast").backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    tokenizer = isoform.BertTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"), do_lower_case=False)
    for text in text_cases.TEXTS:
        assert tokenizer(text)["input_ids"] == build("bert_cased_fast")(text)["input_ids"]


def test_options_of_a_fast_roberta_win_over_those_of_its_file(tmp_path):
    build("roberta_fast").backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    path = str(tmp_path / "tokenizer.json")
    tokenizer = isoform.RobertaTokenizerFast(tokenizer_file=path, add_prefix_space=True, trim_offsets=False)
    encoded = tokenizer("the cat", return_offsets_mapping=True)
    assert encoded["input_ids"] == build("roberta_added_fast")("the cat")["input_ids"]
    assert encoded["offset_mapping"][1:3] == [(0, 3), (3, 5)]  # the space belongs to the first piece of the word


def test_mask_of_roberta_takes_the_space_before_it():
    for name in ("roberta", "roberta_fast", "xlm_roberta", "xlm_roberta_fast"):
        tokenizer = build(name)
        ids = tokenizer("the <mask>", add_special_tokens=False)["input_ids"]
        assert ids == [*tokenizer("the", add_special_tokens=False)["input_ids"], tokenizer.mask_token_id]
    tokenizer = build("roberta_fast")
    tokenizer.mask_token = "<other>"
    assert (tokenizer.mask_token, tokenizer.special_tokens_map_extended["mask_token"].lstrip) == ("<other>", True)


@pytest.mark.parametrize("name", ["t5", "t5_fast"])
def test_sentinels(name):
    tokenizer = build(name, extra_ids=3)
    assert sorted(tokenizer.get_sentinel_tokens()) == ["<extra_id_0>", "<extra_id_1>", "<extra_id_2>"]
    end = len(tokenizer)
    assert tokenizer.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_2>"]) == [end - 1, end - 3]
    assert sorted(tokenizer.get_sentinel_token_ids()) == [end - 3, end - 2, end - 1]
    with pytest.raises(ValueError, match=r"holds 1 sentinel tokens .* but extra_ids is 2"):
        build(name, extra_ids=2, additional_special_tokens=["<extra_id_0>"])


def test_t5_adds_no_second_end():
    tokenizer = build("t5")
    assert tokenizer.build_inputs_with_special_tokens([5, 1], [6]) == [5, 1, 6, 1]


@pytest.mark.parametrize("name", ["nllb", "nllb_fast", "m2m_100"])
def test_languages(name):
    tokenizer = build(name, tgt_lang=None)
    with pytest.raises(KeyError, match="tgt_lang is not set"):
        tokenizer("the", text_target="cat")
    with pytest.raises(KeyError, match="unknown src_lang 'Klingon'"):
        tokenizer.src_lang = "Klingon"
    with pytest.raises(ValueError, match="`src_lang` and a `tgt_lang`"):
        tokenizer._build_translation_inputs("the", src_lang=tokenizer.src_lang)
    assert (
        tokenizer("the")["input_ids"]
        == tokenizer._build_translation_inputs("the", src_lang=tokenizer.src_lang, tgt_lang=tokenizer.src_lang)[
            "input_ids"
        ]
    )
    with (
        pytest.warns(UserWarning, match="as_target_tokenizer"),
        pytest.raises(KeyError),
        tokenizer.as_target_tokenizer(),
    ):
        raise AssertionError


@pytest.mark.parametrize("name", ["nllb", "nllb_fast"])
def test_languages_of_nllb(name):
    tokenizer = build(name)
    codes = tokenizer.lang_code_to_id
    assert len(codes) == 202
    assert tokenizer.convert_ids_to_tokens(codes["zul_Latn"]) == "zul_Latn"
    assert tokenizer.id_to_lang_code[codes["fra_Latn"]] == "fra_Latn"
    tokenizer.add_tokens(["new_Latn"], special_tokens=True)
    tokenizer.src_lang = "new_Latn"  # languages that models were fine-tuned for
    assert tokenizer("the")["input_ids"][0] == len(tokenizer) - 1


def test_default_chat_template_of_blenderbot_small():
    tokenizer = build("blenderbot_small")
    assert [cases.record_chat(tokenizer, turns) for turns in cases.CONVERSATIONS] == EXPECTED["chat"]


def test_fast_blenderbot_small_is_for_byte_level_vocabularies():
    files = {"vocab_file": str(FOLDER / "bpe/vocab.json"), "merges_file": str(FOLDER / "bpe/merges.txt")}
    tokenizer = isoform.BlenderbotSmallTokenizerFast(**files)
    plain = isoform.GPT2TokenizerFast(**files)
    for text in text_cases.TEXTS:
        assert tokenizer(text)["input_ids"] == plain(text)["input_ids"]
    assert tokenizer.build_inputs_with_special_tokens([1], [2]) == [800, 1, 800, 800, 2, 800]
    small = FOLDER / "blenderbot_small"
    with pytest.raises(TokenizerError, match="do not fit the vocabulary"):
        isoform.BlenderbotSmallTokenizerFast(str(small / "vocab.json"), str(small / "merges.txt"))


def test_first_versions_of_clip_files_are_refused():
    path = str(FOLDER / "tokenizer.json")
    with pytest.raises(ValueError, match=r"expected a CLIP tokenizer, .* found ByteLevel"):
        isoform.CLIPTokenizerFast(tokenizer_file=path)


@pytest.mark.parametrize("name", ["bert", "bert_fast"])
def test_missing_vocabulary(name, tmp_path):
    with pytest.raises(TokenizerError, match=r"nowhere\.txt"):
        getattr(isoform, text_cases.CASES[name]["cls"])(str(tmp_path / "nowhere.txt"))
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TokenizerError, match=r"binary\.txt: not UTF-8"):
        getattr(isoform, text_cases.CASES[name]["cls"])(str(tmp_path / "binary.txt"))


@pytest.mark.parametrize("name", ["bert", "bert_fast", "roberta_fast", "clip", "herbert", "herbert_fast", "m2m_100"])
def test_save_vocabulary(name, tmp_path):
    tokenizer = build(name)
    paths = [Path(path) for path in tokenizer.save_vocabulary(str(tmp_path), filename_prefix="my")]
    assert sorted(paths) == sorted(tmp_path.iterdir())
    files = text_cases.CASES[name]["files"]
    files = files if isinstance(files, dict) else {"vocab": files}
    sources = {path.name: path for file in files.values() for path in [FOLDER / file, *(FOLDER / file).glob("*")]}
    for path, source in ((path, sources.get(path.name.removeprefix("my-"))) for path in paths):
        source = source or FOLDER / "unigram.model"
        if source.suffix == ".json":
            assert json.loads(path.read_text()) == json.loads(source.read_text())
        else:
            assert path.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", ["roberta_fast", "t5_fast", "herbert_fast"])
def test_tokenizer_json_has_the_form_that_older_versions_read(name, tmp_path):
    tokenizer = build(name)
    tokenizer.save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    if name == "t5_fast":
        for part in ("pre_tokenizer", "decoder"):
            assert (content[part]["add_prefix_space"], content[part]["prepend_scheme"]) == (True, "always")
    else:
        lines = (FOLDER / text_cases.CASES[name]["files"] / "merges.txt").read_text(encoding="utf-8").splitlines()
        assert content["model"]["merges"] == lines[1:]


def test_merges_with_spaces_stay_pairs(tmp_path):
    backend = Tokenizer(models.BPE({"a": 0, " ": 1, "a ": 2}, [("a", " ")]))
    tokenizer = isoform.PreTrainedTokenizerFast(tokenizer_object=backend)
    tokenizer.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "tokenizer.json").read_text())["model"]["merges"] == [["a", " "]]
    assert isoform.PreTrainedTokenizerFast.from_pretrained(tmp_path).tokenize("a ") == ["a "]
