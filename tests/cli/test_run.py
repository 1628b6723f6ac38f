"""`isoform run`: inputs, outputs and options of every task."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isoform import cli
from tests.golden.pipeline_cases import CONTEXT, TEXTS, ZOO
from tests.pipelines.compare import difference
from tests.pipelines.test_golden import EXPECTED


def _jsonl(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_classification(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    one = isoform_cli("run", "text-classification", "-m", models("classify"), TEXTS[0])
    assert (one.code, one.out) == (0, "0.5210  bad\n")
    two = isoform_cli("run", "sentiment-analysis", TEXTS[0], "-m", models("classify"), TEXTS[1])
    assert two.out == f"> {TEXTS[0]}\n0.5210  bad\n\n> {TEXTS[1]}\n0.5736  bad\n\n"


def test_jsonl_keeps_the_order_of_lines(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    lines = "\n".join(TEXTS[:2]) + "\n\n   \n" + "\n".join(TEXTS[2:]) + "\n"
    result = isoform_cli("run", "text-classification", "-m", models("classify"), "--jsonl", stdin=lines)
    rows = _jsonl(result.out)
    assert [row["input"] for row in rows] == TEXTS
    assert difference([row["result"] for row in rows], EXPECTED["classify many"]) is None


def test_files(isoform_cli: Callable[..., Any], models: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\r\n".join(TEXTS[:2]) + "\r\n")
    pair = {"text": TEXTS[0], "text_pair": TEXTS[1]}
    (tmp_path / "texts.jsonl").write_text(json.dumps(pair) + "\n" + json.dumps(TEXTS[3]) + "\n")
    (tmp_path / "one.txt").write_text(TEXTS[2])
    command = ["run", "text-classification", "-m", models("classify"), f"@{tmp_path / 'one.txt'}", "--batch-size", "2"]
    command += ["-i", str(tmp_path / "texts.txt"), "--input", str(tmp_path / "texts.jsonl"), "-i", "-", "--jsonl"]
    result = isoform_cli(*command, "--output", tmp_path / "out.jsonl", stdin="@@home\n")
    assert (result.code, result.out) == (0, "")
    rows = _jsonl((tmp_path / "out.jsonl").read_text())
    assert [row["input"] for row in rows] == [TEXTS[2], TEXTS[0], TEXTS[1], pair, TEXTS[3], "@@home"]
    assert difference(rows[3]["result"], EXPECTED["classify pair"]) is None


def test_a_text_may_begin_with_the_file_sign(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    result = isoform_cli("run", "text-classification", "-m", models("classify"), "@@home we sat", "--jsonl")
    assert _jsonl(result.out)[0]["input"] == "@home we sat"


def test_options_of_the_call(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    result = isoform_cli("run", "text-classification", "-m", models("classify"), TEXTS[0], "-o", "top_k=2")
    assert result.out == "0.5210  bad\n0.3943  good\n"
    entities = "john smith ran"
    result = isoform_cli("run", "ner", "-m", models("ner"), entities, "--option", "aggregation_strategy=simple")
    assert result.out.splitlines()[0].split() == ["0.3069", "PER", "john", "[0:4]"]


def test_question_answering(isoform_cli: Callable[..., Any], models: Callable[[str], str], tmp_path: Path) -> None:
    command = ["run", "question-answering", "-m", models("qa"), "--jsonl"]
    expected = EXPECTED["qa"]
    question = "where did john run ?"
    (tmp_path / "context.txt").write_text(CONTEXT)
    one = isoform_cli(*command, "--question", question, "--context", f"@{tmp_path / 'context.txt'}")
    assert difference(_jsonl(one.out)[0]["result"], expected) is None
    best = isoform_cli(*command, "--question", question, "--context", CONTEXT, "-o", "top_k=4")
    assert difference(_jsonl(best.out)[0]["result"], EXPECTED["qa top 4"]) is None
    lines = isoform_cli(*command, "--context", CONTEXT, stdin="who ran ?\nwhere is it ?\n")
    assert difference([row["result"] for row in _jsonl(lines.out)], EXPECTED["qa many questions"]) is None
    (tmp_path / "asked.jsonl").write_text(json.dumps({"question": question, "context": CONTEXT}) + "\n")
    asked = isoform_cli(*command, "-i", tmp_path / "asked.jsonl")
    assert difference(_jsonl(asked.out)[0]["result"], expected) is None
    shown = isoform_cli(*command[:-1], "--question", question, "--context", CONTEXT)
    assert shown.out == "0.0151  on  [16:18]\n"


def test_zero_shot(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    result = isoform_cli(
        "run", "zero-shot-classification", "-m", models("zero_shot"), "--labels", ",".join(ZOO), TEXTS[0]
    )
    assert result.out == "0.3600  science\n0.3248  sports\n0.3152  politics\n"


def test_generation_and_features(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    text = isoform_cli("run", "text-generation", "-m", models("generate"), TEXTS[0], "-o", "max_new_tokens=8")
    assert text.out == EXPECTED["generate"][0]["generated_text"] + "\n"
    vectors = isoform_cli("run", "feature-extraction", "-m", models("features"), "the cat")
    assert vectors.out.startswith("1 x 4 x 16 numbers: -0.3153, 1.1704,")


def test_conversation(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    command = ["run", "conversational", "-m", models("generate"), "-o", "max_new_tokens=3", "-o", "do_sample=false"]
    result = isoform_cli(*command, TEXTS[0], "--jsonl")
    messages = _jsonl(result.out)[0]["result"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[0]["content"] == TEXTS[0]
    assert isoform_cli(*command, TEXTS[0]).out.startswith(f"user: {TEXTS[0]}\nassistant: ")


def test_embedded_checkpoint_serves_text_generation(
    isoform_cli: Callable[..., Any], models: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "default_model_path", lambda: models("generate"))
    result = isoform_cli("run", "text-generation", TEXTS[0], "-o", "max_new_tokens=2", "-o", "do_sample=false")
    assert result.out == f"{TEXTS[0]} what paris\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["knitting", "x"], "no task 'knitting'"),
        (["ner", "x", "--batch-size", "0"], "--batch-size"),
        (["ner", "x", "-o", "top_k"], "NAME=VALUE"),
        (["ner", "x", "--labels", "a"], "--labels is for"),
        (["ner", "x", "--context", "a"], "--question and --context are for"),
        (["zero-shot-classification", "x"], "--labels"),
        (["question-answering", "who ?"], "--context"),
        (["ner", "@/nowhere/file"], "/nowhere/file"),
        (["ner", "-i", "/nowhere/file"], "/nowhere/file"),
        (["ner", "x", "--device", "abacus"], "abacus"),
        (["ner", "x", "--tokenizer", "t"], "--tokenizer needs --model"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, isoform_cli: Callable[..., Any]) -> None:
    result = isoform_cli("run", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_broken_jsonl_names_the_line(
    isoform_cli: Callable[..., Any], models: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "in.jsonl").write_text('"fine"\n{"text": }\n')
    result = isoform_cli("run", "text-classification", "-m", models("classify"), "-i", tmp_path / "in.jsonl")
    assert result.code == 2
    assert "line 2 is not JSON" in result.err


def test_no_input_at_a_terminal(
    isoform_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, terminal: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", terminal())
    assert cli.main(["run", "ner"]) == 2
    assert "no input" in capsys.readouterr().err
