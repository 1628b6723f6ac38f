"""Saved tiny models, and the command line run in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tokenizers.processors import TemplateProcessing

import isoform
from isoform.cli import main
from tests.golden import media_cases, pipeline_cases

PIPELINES = {**pipeline_cases.PIPELINES, **media_cases.PIPELINES}


class Outcome(NamedTuple):
    """What a run printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a model of `pipeline_cases` or `media_cases`, saved when it is first asked for."""
    root = tmp_path_factory.mktemp("models")

    def folder(name: str) -> str:
        path = root / name
        if not path.exists():
            pipe = PIPELINES[name.removesuffix("_plain")](isoform)
            if name.endswith("_plain"):  # a tokenizer that puts nothing around texts
                pipe.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A", pair="$A $B")
            pipe.save_pretrained(path)
        return str(path)

    return folder


@pytest.fixture
def isoform_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs the command line with arguments and, if given, lines on standard input."""
    monkeypatch.delenv("ISOFORM_DEBUG", raising=False)

    def run(*arguments: str | Path, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A standard input that says it is a terminal."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    return Terminal
