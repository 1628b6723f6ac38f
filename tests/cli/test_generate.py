"""`isoform generate` and `isoform chat`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isoform import AutoModelForCausalLM, AutoTokenizer, cli
from isoform.cli.chat import Chat
from isoform.cli.sampling import encode, fit
from tests.golden.pipeline_cases import LONG, TEXTS
from tests.pipelines.test_golden import EXPECTED

GREEDY = EXPECTED["generate"][0]["generated_text"]


@pytest.fixture
def folder(models: Callable[[str], str]) -> str:
    return models("generate_plain")


@pytest.fixture
def loaded(folder: str) -> tuple[Any, Any]:
    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def test_greedy_text_is_that_of_the_pipeline(isoform_cli: Callable[..., Any], folder: str) -> None:
    streamed = isoform_cli("generate", "-m", folder, TEXTS[0], "--greedy", "--max-new-tokens", 8)
    assert (streamed.code, streamed.err) == (0, "")
    assert streamed.out == GREEDY + "\n"
    assert isoform_cli("generate", TEXTS[0], "-m", folder, "--greedy", "--max-new-tokens", 8, "--no-echo").out == (
        GREEDY.removeprefix(TEXTS[0]) + "\n"
    )


def test_prompts_from_files_and_standard_input(isoform_cli: Callable[..., Any], folder: str, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text(TEXTS[0])
    command = ["generate", "-m", folder, "--greedy", "--max-new-tokens", "8"]
    assert isoform_cli(*command, f"@{tmp_path / 'prompt.txt'}").out == GREEDY + "\n"
    assert isoform_cli(*command, stdin=TEXTS[0] + "\n").out == GREEDY + "\n"
    assert isoform_cli(*command, "-", stdin=TEXTS[0] + "\n").out == GREEDY + "\n"
    empty = isoform_cli(*command)
    assert empty.code == 0
    assert empty.out.strip()


def test_what_a_tokenizer_puts_after_texts_is_left_away(models: Callable[[str], str]) -> None:
    model = AutoModelForCausalLM.from_pretrained(models("generate"))
    tokenizer = AutoTokenizer.from_pretrained(models("generate"))
    assert tokenizer.convert_ids_to_tokens(tokenizer("the cat")["input_ids"]) == ["[CLS]", "the", "cat", "[SEP]"]
    inputs = encode(tokenizer, model, "the cat")
    assert tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()) == ["[CLS]", "the", "cat"]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1]]
    assert encode(tokenizer, model, "")["input_ids"].shape == (1, 1)


def test_seeds_repeat(isoform_cli: Callable[..., Any], folder: str) -> None:
    command = ["generate", "-m", folder, "the", "--max-new-tokens", "12", "--temperature", "3.0", "--seed"]
    assert isoform_cli(*command, "1").out == isoform_cli(*command, "1").out != isoform_cli(*command, "2").out


def test_beams_and_several_texts(isoform_cli: Callable[..., Any], folder: str) -> None:
    shown = isoform_cli("generate", "-m", folder, "the", "--num-beams", 3, "--num-return-sequences", 2)
    assert re.fullmatch(r"--- 1 ---\nthe .+\n--- 2 ---\nthe .+\n", shown.out)
    one = isoform_cli("generate", "-m", folder, "the", "--num-beams", 3, "--max-new-tokens", 5)
    assert re.fullmatch(r"the .+\n", one.out)


def test_speed_is_reported(isoform_cli: Callable[..., Any], folder: str) -> None:
    shown = isoform_cli("generate", "-m", folder, "the", "--greedy", "--max-new-tokens", 5, "--stats")
    assert re.fullmatch(r"5 tokens in [\d.]+ s: [\d.]+ tokens/s\n", shown.err)


def test_length_is_bounded_by_the_model(isoform_cli: Callable[..., Any], folder: str) -> None:
    few = isoform_cli("generate", "-m", folder, "the cat", "--greedy", "--max-new-tokens", 500)
    assert (few.code, few.err) == (0, "[at most 126 new tokens: the model has 128 positions]\n")
    cut = isoform_cli("generate", "-m", folder, LONG * 2, "--greedy", "--max-new-tokens", 500, "--no-echo")
    assert cut.code == 0
    assert cut.err.startswith("[the prompt of")


def test_fit(loaded: tuple[Any, Any]) -> None:
    import torch

    ids = {"input_ids": torch.arange(100)[None]}
    assert fit(loaded[0], ids, {"max_new_tokens": 28}) == (ids, {"max_new_tokens": 28})
    inputs, arguments = fit(loaded[0], ids, {"max_new_tokens": 64})
    assert arguments == {"max_new_tokens": 32}
    assert inputs["input_ids"][0].tolist() == list(range(4, 100))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--greedy", "--top-k", "5"], "--greedy does not sample"),
        (["--greedy", "--num-return-sequences", "2"], "--greedy makes one text"),
        (["--num-beams", "2", "--num-return-sequences", "3"], "at most --num-beams"),
        (["--temperature", "0"], "--temperature"),
        (["--top-p", "1.5"], "--top-p"),
        (["--max-new-tokens", "0"], "--max-new-tokens"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, isoform_cli: Callable[..., Any]) -> None:
    result = isoform_cli("generate", "x", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_embedded_checkpoint(isoform_cli: Callable[..., Any], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "default_model_path", lambda: folder)
    assert isoform_cli("generate", TEXTS[0], "--greedy", "--max-new-tokens", 8).out == GREEDY + "\n"
    monkeypatch.setattr(cli, "default_model_path", lambda: None)
    missing = isoform_cli("generate", TEXTS[0])
    assert missing.code == 2
    assert "--model" in missing.err


def test_chat_commands(isoform_cli: Callable[..., Any], folder: str, tmp_path: Path) -> None:
    saved, after = tmp_path / "chat.json", tmp_path / "after.json"
    lines = [
        "the cat",
        "",
        f"/save {saved}",
        "/reset",
        "a dog",
        "/knit",
        "/save",
        "/help",
        f"/save {after}",
        "/exit",
        "x",
    ]
    options = ["--greedy", "--max-new-tokens", "4", "--system", "you sat"]
    result = isoform_cli("chat", "-m", folder, *options, stdin="\n".join(lines))
    assert result.code == 0
    messages = json.loads(saved.read_text())
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]
    assert messages[1]["content"] == "the cat"
    assert messages[2]["content"].strip()
    kept = json.loads(after.read_text())
    assert [message["content"] for message in kept[:2]] == ["you sat", "a dog"]
    assert result.out.splitlines() == [messages[2]["content"], kept[2]["content"]]
    for said in ("(forgotten)", "no command /knit", "needs the name of a file", "forget the conversation"):
        assert said in result.err


def test_chat_cannot_save_there(isoform_cli: Callable[..., Any], folder: str, tmp_path: Path) -> None:
    result = isoform_cli("chat", "-m", folder, stdin=f"/save {tmp_path}/none/chat.json\n")
    assert result.code == 0
    assert "(not saved: " in result.err


def _chat(loaded: tuple[Any, Any], **options: Any) -> Chat:
    return Chat(*loaded, {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 0}, **options)


def test_chat_template_is_used(loaded: tuple[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    model, tokenizer = loaded
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }} {{ m.content }} . {% endfor %}she"
    chat = _chat((model, tokenizer), system="old")
    chat.answer("the cat")
    assert tokenizer.decode(chat._inputs()["input_ids"][0]).startswith("[UNK] old. [UNK] the cat.")
    assert [message["role"] for message in chat.messages] == ["system", "user", "assistant"]
    assert capsys.readouterr().out == chat.messages[-1]["content"] + "\n"


def test_interrupted_answer_counts(loaded: tuple[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    chat = _chat(loaded)

    def generate(streamer: Any, input_ids: Any, **options: Any) -> None:
        streamer.put(input_ids)
        for token in loaded[1].convert_tokens_to_ids(["the", "old", "cat"]):
            streamer.put(torch.tensor([token]))
        raise KeyboardInterrupt

    chat.model.generate = generate
    assert chat.answer("who ?") == "the old cat"
    assert chat.messages[-1] == {"role": "assistant", "content": "the old cat"}
    captured = capsys.readouterr()
    assert captured.out == "the old cat\n"
    assert "(stopped)" in captured.err


def test_failed_answer_leaves_no_message(loaded: tuple[Any, Any]) -> None:
    chat = _chat(loaded)

    def generate(**options: Any) -> None:
        raise RuntimeError("broken")

    chat.model.generate = generate
    with pytest.raises(RuntimeError, match="broken"):
        chat.answer("who ?")
    assert chat.messages == []


def test_oldest_turns_are_left_out(loaded: tuple[Any, Any]) -> None:
    chat = _chat(loaded, system="the old town")
    for index in range(12):
        chat.messages += [
            {"role": "user", "content": "the cat sat on the mat in the old town " + "she" * (index == 0)},
            {"role": "assistant", "content": "a dog ran"},
        ]
    length = chat._inputs()["input_ids"].shape[1]
    text = loaded[1].decode(chat._inputs()["input_ids"][0], skip_special_tokens=True)
    assert 90 < length <= 128 - 4
    assert text.startswith("the old town")
    assert len(chat.messages) == 25  # the conversation itself is kept
