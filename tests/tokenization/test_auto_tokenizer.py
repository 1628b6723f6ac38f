"""`AutoTokenizer`: how the class is found, and what is said when it is not."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from isoform import AutoConfig, AutoTokenizer, GPT2Config, GPT2Tokenizer, GPT2TokenizerFast, PretrainedConfig
from isoform.models.auto import tokenization_auto

FOLDER = Path(__file__).parents[1] / "golden" / "tokenizers"
BPE, ROBERTA, CLIP, HERBERT, SMALL = (
    (f"{name}/vocab.json", f"{name}/merges.txt") for name in ("bpe", "roberta", "clip", "herbert", "blenderbot_small")
)


@pytest.fixture
def checkpoint(tmp_path):
    """Makes a folder of copied files and of JSON files (without `.json` in the keyword)."""

    def make(*files: str, folder: Path = tmp_path, names: dict[str, str] | None = None, **contents) -> Path:
        folder.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(FOLDER / file, folder / (names or {}).get(file, Path(file).name))
        for name, content in contents.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        return folder

    return make


@pytest.fixture(autouse=True)
def no_registered_classes(monkeypatch):
    monkeypatch.setattr(tokenization_auto.TOKENIZER_MAPPING, "_extra_content", {})


LLAMA = {"bpe.model": "tokenizer.model", "t5.model": "spiece.model"}
FAIRSEQ = {"unigram.model": "sentencepiece.bpe.model"}
SW3 = {"unigram.model": "spiece.model"}


@pytest.mark.parametrize(
    ("files", "contents", "fast", "slow"),
    [
        (BPE, {"config": {"model_type": "gpt2"}}, "GPT2TokenizerFast", "GPT2Tokenizer"),
        (BPE, {"config": {"model_type": "opt"}}, "GPT2TokenizerFast", "GPT2Tokenizer"),
        (BPE, {"config": {"model_type": "gptj"}}, "GPT2TokenizerFast", "GPT2Tokenizer"),
        (BPE, {"config": {"model_type": "codegen"}}, "CodeGenTokenizerFast", "CodeGenTokenizer"),
        (BPE, {"config": {"model_type": "phi"}}, "CodeGenTokenizerFast", "CodeGenTokenizer"),
        (("tokenizer.json",), {"config": {"model_type": "gpt_neox"}}, "GPTNeoXTokenizerFast", "GPTNeoXTokenizerFast"),
        (("ctrl/vocab.json", "ctrl/merges.txt"), {"config": {"model_type": "ctrl"}}, "CTRLTokenizer", "CTRLTokenizer"),
        (("bpe.model",), {"config": {"model_type": "llama"}}, "LlamaTokenizerFast", "LlamaTokenizer"),
        (("bpe.model",), {"config": {"model_type": "mistral"}}, "LlamaTokenizerFast", "LlamaTokenizer"),
        (("unigram.model",), {"config": {"model_type": "gpt-sw3"}}, "GPTSw3Tokenizer", "GPTSw3Tokenizer"),
        (("wordpiece/vocab.txt",), {"config": {"model_type": "bert"}}, "BertTokenizerFast", "BertTokenizer"),
        (
            ("wordpiece/vocab.txt",),
            {"config": {"model_type": "distilbert"}},
            "DistilBertTokenizerFast",
            "DistilBertTokenizer",
        ),
        (ROBERTA, {"config": {"model_type": "roberta"}}, "RobertaTokenizerFast", "RobertaTokenizer"),
        (ROBERTA, {"config": {"model_type": "roberta-prelayernorm"}}, "RobertaTokenizerFast", "RobertaTokenizer"),
        (ROBERTA, {"config": {"model_type": "bart"}}, "BartTokenizerFast", "BartTokenizer"),
        (CLIP, {"config": {"model_type": "clip"}}, "CLIPTokenizerFast", "CLIPTokenizer"),
        (SMALL, {"config": {"model_type": "blenderbot-small"}}, "BlenderbotSmallTokenizer", "BlenderbotSmallTokenizer"),
        (
            SMALL,
            {"tokenizer_config": {"tokenizer_class": "BlenderbotSmallTokenizer"}},
            "BlenderbotSmallTokenizer",
            "BlenderbotSmallTokenizer",
        ),
        (("t5.model",), {"config": {"model_type": "t5"}}, "T5TokenizerFast", "T5Tokenizer"),
        (
            ("unigram.model",),
            {"config": {"model_type": "xlm-roberta"}},
            "XLMRobertaTokenizerFast",
            "XLMRobertaTokenizer",
        ),
        (
            ("unigram.model",),
            {"tokenizer_config": {"tokenizer_class": "NllbTokenizer"}},
            "NllbTokenizerFast",
            "NllbTokenizer",
        ),
        (
            HERBERT,
            {"tokenizer_config": {"tokenizer_class": "HerbertTokenizer"}},
            "HerbertTokenizerFast",
            "HerbertTokenizer",
        ),
        (
            ("m2m_100/vocab.json", "unigram.model"),
            {"config": {"model_type": "m2m_100"}},
            "M2M100Tokenizer",
            "M2M100Tokenizer",
        ),
        (
            ("unigram.model",),
            {"config": {"model_type": "gpt2", "tokenizer_class": "GPTSw3Tokenizer"}},
            "GPTSw3Tokenizer",
            "GPTSw3Tokenizer",
        ),
        (BPE, {"tokenizer_config": {"tokenizer_class": "GPT2Tokenizer"}}, "GPT2TokenizerFast", "GPT2Tokenizer"),
        (
            BPE,
            {"tokenizer_config": {"tokenizer_class": "GPT2Tokenizer"}, "config": {"model_type": "phi"}},
            "GPT2TokenizerFast",
            "GPT2Tokenizer",
        ),
        (
            ("tokenizer.json",),
            {"tokenizer_config": {"tokenizer_class": "GPTNeoXTokenizer"}},
            "GPTNeoXTokenizerFast",
            "GPTNeoXTokenizerFast",
        ),
        (
            ("tokenizer.json",),
            {"tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast"}},
            "PreTrainedTokenizerFast",
            "PreTrainedTokenizerFast",
        ),
        (("tokenizer.json",), {}, "PreTrainedTokenizerFast", "PreTrainedTokenizerFast"),
        (
            ("tokenizer.json",),
            {"tokenizer_config": {"tokenizer_class": "FromAnotherLibrary"}},
            "PreTrainedTokenizerFast",
            "PreTrainedTokenizerFast",
        ),
    ],
)
def test_class_is_found(checkpoint, files, contents, fast, slow):
    folder = checkpoint(*files, names=LLAMA | (SW3 if slow == "GPTSw3Tokenizer" else FAIRSEQ), **contents)
    for use_fast, expected in ((True, fast), (False, slow)):
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=use_fast)
        assert type(tokenizer).__name__ == expected
        decoded = tokenizer.decode(tokenizer("the cat")["input_ids"], skip_special_tokens=True)
        assert decoded.strip().removeprefix("__en__ ") == "the cat"  # M2M100's languages do not count as special


def test_options_reach_the_tokenizer(checkpoint):
    folder = checkpoint(*BPE, config={"model_type": "gpt2"})
    tokenizer = AutoTokenizer.from_pretrained(
        str(folder), add_prefix_space=True, pad_token="<pad>", padding_side="left"
    )
    assert (tokenizer.add_prefix_space, tokenizer.pad_token, tokenizer.padding_side) == (True, "<pad>", "left")
    assert tokenizer.tokenize("x") == tokenizer.tokenize(" x")


def test_subfolder(checkpoint, tmp_path):
    checkpoint(*BPE, folder=tmp_path / "deep", config={"model_type": "gpt2"})
    assert isinstance(AutoTokenizer.from_pretrained(tmp_path, subfolder="deep"), GPT2TokenizerFast)


def test_config_argument(checkpoint):
    folder = checkpoint(*BPE)
    assert isinstance(AutoTokenizer.from_pretrained(folder, config=GPT2Config()), GPT2TokenizerFast)


def test_tokenizer_type(checkpoint, caplog):
    folder = checkpoint(*BPE)
    assert isinstance(AutoTokenizer.from_pretrained(folder, tokenizer_type="gpt2"), GPT2TokenizerFast)
    assert isinstance(AutoTokenizer.from_pretrained(folder, tokenizer_type="opt", use_fast=False), GPT2Tokenizer)
    with pytest.raises(ValueError, match=r"'nope' is not a model type.*gpt2"):
        AutoTokenizer.from_pretrained(folder, tokenizer_type="nope")
    with pytest.raises(ValueError, match="'gpt_neox' has no slow tokenizer"):
        AutoTokenizer.from_pretrained(folder, tokenizer_type="gpt_neox", use_fast=False)
    logging.getLogger("isoform").propagate = True
    assert type(AutoTokenizer.from_pretrained(folder, tokenizer_type="ctrl")).__name__ == "CTRLTokenizer"
    assert "has no fast tokenizer" in caplog.text


def test_no_instances():
    with pytest.raises(OSError, match="from_pretrained"):
        AutoTokenizer()


def test_nothing_to_go_by(checkpoint):
    with pytest.raises(OSError) as raised:
        AutoTokenizer.from_pretrained(checkpoint())
    for name in ("tokenizer_config.json", "config.json", "tokenizer.json", "tokenizer_type"):
        assert name in str(raised.value)


def test_unknown_class(checkpoint):
    folder = checkpoint(*BPE, tokenizer_config={"tokenizer_class": "NopeTokenizer"})
    with pytest.raises(ValueError, match="NopeTokenizer does not exist"):
        AutoTokenizer.from_pretrained(folder)


def test_a_class_that_is_no_tokenizer_is_not_taken(checkpoint):
    folder = checkpoint(*BPE, tokenizer_config={"tokenizer_class": "GPT2Model"})
    with pytest.raises(ValueError, match="GPT2Model does not exist"):
        AutoTokenizer.from_pretrained(folder)


def test_unknown_model_type(checkpoint):
    with pytest.raises(ValueError, match="gpt3"):
        AutoTokenizer.from_pretrained(checkpoint(*BPE, config={"model_type": "gpt3"}))


def test_broken_settings_are_named(checkpoint, tmp_path):
    checkpoint(*BPE, config={"model_type": "gpt2"})
    settings = tmp_path / "tokenizer_config.json"
    for text, message in (('{"tokenizer_class": "GPT2', "not valid JSON"), ("[1]", "expected a JSON object")):
        settings.write_text(text)
        with pytest.raises(ValueError, match=message) as raised:
            AutoTokenizer.from_pretrained(tmp_path)
        assert str(settings) in str(raised.value)


REMOTE = {"tokenizer_class": "MyTokenizer", "auto_map": {"AutoTokenizer": ["my_code.MyTokenizer", None]}}
REMOTE_CODE = """
from pathlib import Path
from isoform import GPT2Tokenizer
Path(__file__).with_name("ran").touch()
class MyTokenizer(GPT2Tokenizer):
    mine = True
"""


def test_remote_code_runs_only_on_request(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = checkpoint(*BPE, folder=tmp_path / "model", tokenizer_config=REMOTE)
    (folder / "my_code.py").write_text(REMOTE_CODE)
    for options in ({}, {"trust_remote_code": False}, {"trust_remote_code": None}):
        with pytest.raises(ValueError, match="trust_remote_code=True"):
            AutoTokenizer.from_pretrained(folder, **options)
    assert not list(tmp_path.rglob("ran"))
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    assert tokenizer.mine
    assert tokenizer.tokenize("the cat")


def test_known_class_wins_over_remote_code(checkpoint):
    settings = REMOTE | {"tokenizer_class": "GPT2Tokenizer"}
    assert isinstance(AutoTokenizer.from_pretrained(checkpoint(*BPE, tokenizer_config=settings)), GPT2TokenizerFast)


class MyConfig(PretrainedConfig):
    model_type = "my-model"


class MyTokenizer(GPT2Tokenizer):
    pass


class MyTokenizerFast(GPT2TokenizerFast):
    slow_tokenizer_class = MyTokenizer


def test_register(checkpoint):
    AutoTokenizer.register(MyConfig, slow_tokenizer_class=MyTokenizer)
    AutoTokenizer.register(MyConfig, fast_tokenizer_class=MyTokenizerFast)
    assert tokenization_auto.TOKENIZER_MAPPING[MyConfig] == (MyTokenizer, MyTokenizerFast)
    folder = checkpoint(*BPE)
    assert type(AutoTokenizer.from_pretrained(folder, config=MyConfig())) is MyTokenizerFast
    assert type(AutoTokenizer.from_pretrained(folder, config=MyConfig(), use_fast=False)) is MyTokenizer
    checkpoint(tokenizer_config={"tokenizer_class": "MyTokenizer"})
    assert type(AutoTokenizer.from_pretrained(folder, use_fast=False)) is MyTokenizer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MyConfig,), "slow_tokenizer_class, fast_tokenizer_class or both"),
        ((MyConfig, GPT2TokenizerFast), "a fast tokenizer"),
        ((MyConfig, None, GPT2Tokenizer), "a slow tokenizer"),
        ((MyConfig, GPT2Tokenizer, MyTokenizerFast), "make them the same"),
        ((GPT2Config, MyTokenizer), "already"),
    ],
)
def test_register_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        AutoTokenizer.register(*arguments)


def test_registered_classes_replace_known_ones_on_request(checkpoint):
    AutoTokenizer.register(GPT2Config, MyTokenizer, MyTokenizerFast, exist_ok=True)
    assert type(AutoTokenizer.from_pretrained(checkpoint(*BPE, config={"model_type": "gpt2"}))) is MyTokenizerFast


def test_mapping_names_come_from_the_registry():
    names = tokenization_auto.TOKENIZER_MAPPING_NAMES
    assert names["gpt2"] == ("GPT2Tokenizer", "GPT2TokenizerFast")
    assert names["gpt_neox"] == (None, "GPTNeoXTokenizerFast")
    for slow, fast in names.values():
        for name in filter(None, (slow, fast)):
            assert tokenization_auto.tokenizer_class_from_name(name).__name__ == name
    assert AutoConfig.for_model("gpt2").__class__ in tokenization_auto.TOKENIZER_MAPPING
    assert tokenization_auto.TOKENIZER_MAPPING[GPT2Config] == (GPT2Tokenizer, GPT2TokenizerFast)


def test_get_tokenizer_config(checkpoint):
    folder = checkpoint(tokenizer_config={"model_max_length": 7})
    assert tokenization_auto.get_tokenizer_config(folder)["model_max_length"] == 7
    assert tokenization_auto.get_tokenizer_config(FOLDER) == {}


def test_tokenizers_load_no_torch():
    code = (
        "import sys, isoform; "
        f"isoform.AutoTokenizer.from_pretrained({str(FOLDER / 'bpe')!r}, tokenizer_type='gpt2')('x'); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
