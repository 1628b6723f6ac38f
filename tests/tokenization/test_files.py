"""Files of tokenizers: broken ones, saving that fails, the Hub, formats of newer checkpoints."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isoform.errors import TokenizerError
from isoform.tokenization_utils_fast import PreTrainedTokenizerFast

from ..hub_server import HubServer
from . import toy
from .toy import ToyTokenizer, ToyTokenizerFast

TEXT = "hello new <x> worlds"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a complete tokenizer."""
    tokenizer = ToyTokenizerFast(toy.write_vocab(tmp_path), additional_special_tokens=["<x>"], chat_template="{{ 1 }}")
    tokenizer.add_tokens(["new"])
    tokenizer.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


# ---- broken files ----


@pytest.mark.parametrize("kind", [ToyTokenizer, ToyTokenizerFast])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
def test_truncated_json_names_the_file(saved: Path, kind: Any, name: str) -> None:
    if name != "tokenizer_config.json":  # the others are for old checkpoints
        (saved / "tokenizer_config.json").unlink()
    content = (saved / name).read_bytes()
    for size in range(0, len(content) - 2, 1 + len(content) // 9):
        (saved / name).write_bytes(content[:size])
        with pytest.raises(TokenizerError, match=name):
            kind.from_pretrained(saved)


@pytest.mark.parametrize("content", ["[]", "5", '"x"', "null", "{", "\x00\x01", "[" * 100_000])
def test_other_json_names_the_file(saved: Path, content: str) -> None:
    (saved / "tokenizer_config.json").write_text(content)
    with pytest.raises(TokenizerError, match=r"tokenizer_config\.json: expected"):
        ToyTokenizer.from_pretrained(saved)


def test_truncated_tokenizer_json(saved: Path) -> None:
    content = (saved / "tokenizer.json").read_bytes()
    for size in (0, 1, len(content) // 2, len(content) - 3):
        (saved / "tokenizer.json").write_bytes(content[:size])
        with pytest.raises(TokenizerError, match=r"tokenizer\.json: expected the description of a tokenizer"):
            ToyTokenizerFast.from_pretrained(saved)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("model_max_length", "512", "a number, found '512'"),
        ("model_max_length", True, "a number, found True"),
        ("padding_side", 1, "text, found 1"),
        ("clean_up_tokenization_spaces", "yes", "true or false, found 'yes'"),
        ("pad_token", 0, "text or an object, found 0"),
        ("pad_token", {"content": 5}, "text, found 5"),
        ("pad_token", {"content": "x", "lstrip": "no"}, "true or false, found 'no'"),
        ("pad_token", {"text": "x"}, "text"),
        ("additional_special_tokens", "x", "a list, found 'x'"),
        ("added_tokens_decoder", [], r"an object, found \[\]"),
        ("added_tokens_decoder", {"x": {"content": "a"}}, "expected ids as keys, found 'x'"),
        ("added_tokens_decoder", {"5": 7}, "text or an object, found 7"),
        ("added_tokens_decoder", {"5": {"lstrip": True}}, "a token with 'content'"),
        ("chat_template", 5, "text or a list, found 5"),
        ("tokenizer_class", 5, "text, found 5"),
    ],
)
def test_wrong_field_is_named(saved: Path, field: str, value: Any, expected: str) -> None:
    change(saved / "tokenizer_config.json", **{field: value})
    with pytest.raises(TokenizerError, match=f"tokenizer_config.json: field '{field}'.*{expected}"):
        ToyTokenizer.from_pretrained(saved)


def test_missing_vocabulary_is_named(saved: Path, tmp_path: Path) -> None:
    (saved / "vocab.txt").unlink()
    with pytest.raises(OSError, match=r"ToyTokenizer needs the file\(s\) vocab\.txt"):
        ToyTokenizer.from_pretrained(saved)
    (saved / "tokenizer.json").unlink()
    with pytest.raises(OSError, match=r"vocab\.txt"):
        ToyTokenizerFast.from_pretrained(saved)
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match="found none of them"):
        ToyTokenizer.from_pretrained(tmp_path / "empty")
    with pytest.raises(OSError, match="no such file"):
        PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "nothing.json"))


def test_other_class_is_reported(saved: Path) -> None:
    change(saved / "tokenizer_config.json", tokenizer_class="OtherTokenizer")
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logging.getLogger("isoform").addHandler(handler)
    try:
        ToyTokenizer.from_pretrained(saved)
    finally:
        logging.getLogger("isoform").removeHandler(handler)
    assert any("OtherTokenizer" in record.getMessage() for record in records)


# ---- wrong input ----


def test_bad_entry_of_a_batch_is_named(saved: Path) -> None:
    tokenizer = ToyTokenizerFast.from_pretrained(saved)
    with pytest.raises(TypeError, match=r"entry 1 of the batch: expected a text or a pair of texts, found None"):
        tokenizer(["hello", None])
    with pytest.raises(TypeError, match=r"entry 0 of the batch: expected a list of words.*\['a', 5\]"):
        tokenizer([["a", 5]], is_split_into_words=True)
    with pytest.raises(ValueError, match=r"entry 1 of the batch: .*found 3 items"):
        ToyTokenizer.from_pretrained(saved)([["a", "b"], ["a", "b", "c"]])
    for kind in (ToyTokenizer, ToyTokenizerFast):
        with pytest.raises(ValueError, match="the batch is empty"):
            kind.from_pretrained(saved)([])


def test_stride_without_room_is_an_error(saved: Path) -> None:
    """The Rust library would panic, which `except Exception` does not catch."""
    tokenizer = ToyTokenizerFast.from_pretrained(saved)
    with pytest.raises(ValueError, match="stride=3 must be less than max_length=5"):
        tokenizer("the cat sat on the mat", truncation=True, max_length=5, stride=3, return_overflowing_tokens=True)
    with pytest.raises(ValueError, match="`stride` must be strictly less than"):  # what is left for the second text
        tokenizer("the", "cat sat on the mat", truncation="only_second", max_length=6, stride=2)


def test_limit_beyond_machine_integers_is_no_limit(saved: Path) -> None:
    tokenizer = ToyTokenizerFast.from_pretrained(saved)
    assert len(tokenizer("the cat", truncation=True, max_length=10**30)["input_ids"]) == 4


# ---- saving ----


def test_failed_saving_changes_nothing(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    tokenizer = ToyTokenizerFast.from_pretrained(saved, pad_token="[UNK]")

    def full_disk(self: Any, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        Path(save_directory, "vocab.txt").write_text("half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ToyTokenizerFast, "save_vocabulary", full_disk)
    with pytest.raises(OSError, match="No space left"):
        tokenizer.save_pretrained(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_unsavable_setting_is_an_error(saved: Path) -> None:
    tokenizer = ToyTokenizer.from_pretrained(saved, odd=object())
    with pytest.raises(TokenizerError, match=r"tokenizer_config\.json: a setting of the tokenizer cannot"):
        tokenizer.save_pretrained(saved)


def test_file_in_place_of_the_folder_is_left_alone(saved: Path) -> None:
    tokenizer = ToyTokenizer.from_pretrained(saved)
    assert tokenizer.save_pretrained(saved / "vocab.txt") is None
    assert ToyTokenizer.from_pretrained(saved)(TEXT) == tokenizer(TEXT)


def test_paths_are_those_of_the_folder(saved: Path, tmp_path: Path) -> None:
    paths = ToyTokenizerFast.from_pretrained(saved).save_pretrained(tmp_path / "a" / "b", filename_prefix="p")
    assert [Path(path).parent for path in paths] == [tmp_path / "a" / "b"] * len(paths)
    assert all(Path(path).name.startswith("p-") and Path(path).is_file() for path in paths)


def test_both_kinds_read_each_others_files(saved: Path, tmp_path: Path) -> None:
    fast = ToyTokenizerFast.from_pretrained(saved)
    slow = ToyTokenizer.from_pretrained(saved)
    assert slow(TEXT) == fast(TEXT)
    slow.save_pretrained(tmp_path / "slow")
    again = ToyTokenizerFast.from_pretrained(tmp_path / "slow")
    assert again(TEXT) == fast(TEXT)
    assert again.special_tokens_map == slow.special_tokens_map == fast.special_tokens_map


def test_own_code_is_saved_with_the_tokenizer(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyTokenizer, "_auto_class", None)
    ToyTokenizer.register_for_auto_class()
    ToyTokenizer.from_pretrained(saved).save_pretrained(tmp_path / "own")
    assert (tmp_path / "own" / "toy.py").read_text() == Path(toy.__file__).read_text()
    settings = json.loads((tmp_path / "own" / "tokenizer_config.json").read_text())
    assert settings["auto_map"] == {"AutoTokenizer": ["toy.ToyTokenizer", None]}


# ---- formats of newer checkpoints ----


def test_template_in_a_file_of_its_own(saved: Path) -> None:
    (saved / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    tokenizer = ToyTokenizer.from_pretrained(saved)
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi!"


def test_named_templates(saved: Path) -> None:
    templates = [{"name": "tools", "template": "t"}, {"name": "default", "template": "d"}]
    change(saved / "tokenizer_config.json", chat_template=templates)
    assert ToyTokenizer.from_pretrained(saved).chat_template == "d"
    change(saved / "tokenizer_config.json", chat_template=templates[:1])
    assert ToyTokenizer.from_pretrained(saved).chat_template is None


def test_version_of_tokenizer_json(saved: Path) -> None:
    change(saved / "tokenizer_config.json", fast_tokenizer_files=["tokenizer.4.0.0.json", "tokenizer.99.0.0.json"])
    (saved / "tokenizer.json").rename(saved / "tokenizer.4.0.0.json")
    (saved / "tokenizer.json").write_text("{}")
    assert ToyTokenizerFast.from_pretrained(saved)("hello")["input_ids"] == [2, 5, 3]
    change(saved / "tokenizer_config.json", fast_tokenizer_files=["../../tokenizer.4.0.0.json"])
    with pytest.raises(TokenizerError):  # no version: the plain tokenizer.json, which is broken here
        ToyTokenizerFast.from_pretrained(saved)


# ---- the Hub ----


@pytest.fixture
def hub(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        files = {path.name: path.read_bytes() for path in saved.iterdir()}
        server.add("user/toy", {**files, **{f"sub/{name}": content for name, content in files.items()}})
        yield server


@pytest.mark.parametrize("kind", [ToyTokenizer, ToyTokenizerFast])
def test_loading_from_the_hub(hub: HubServer, saved: Path, tmp_path: Path, kind: Any) -> None:
    local = kind.from_pretrained(saved)
    for options in ({}, {"subfolder": "sub"}, {"local_files_only": True}):
        remote = kind.from_pretrained("user/toy", cache_dir=tmp_path / "cache", **options)
        assert remote(TEXT) == local(TEXT)
        assert remote.name_or_path == "user/toy"
        assert remote.init_kwargs.keys() == local.init_kwargs.keys()


def test_missing_repository_is_named(hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="user/nothing"):
        ToyTokenizer.from_pretrained("user/nothing", cache_dir=tmp_path / "cache")
    hub.add("user/other", {"README.md": b"no tokenizer"})
    with pytest.raises(OSError, match=r"user/other.*vocab\.txt"):
        ToyTokenizer.from_pretrained("user/other", cache_dir=tmp_path / "cache")
    with pytest.raises(OSError, match="user/toy"):
        ToyTokenizer.from_pretrained("user/toy", cache_dir=tmp_path / "other", local_files_only=True)


def test_upload(hub: HubServer, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tokenizer = ToyTokenizerFast.from_pretrained(saved)
    tokenizer.push_to_hub("user/pushed", token="hf_test")
    assert "tokenizer.json" in hub.repositories["user/pushed"].files
    again = ToyTokenizerFast.from_pretrained("user/pushed", cache_dir=tmp_path / "cache")
    assert again(TEXT) == tokenizer(TEXT)


# ---- imports ----


def test_tokenizing_loads_no_torch(saved: Path) -> None:
    code = (
        "import sys; from isoform.tokenization_utils_fast import PreTrainedTokenizerFast as T;"
        f"t = T(tokenizer_file={str(saved / 'tokenizer.json')!r}, pad_token='[PAD]');"
        "t(['hello', 'the cat'], padding=True); t.decode([5]); t.pad([{'input_ids': [5]}]);"
        "t.apply_chat_template([], '{{ 1 }}', tokenize=False);"
        "assert 'torch' not in sys.modules and 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
