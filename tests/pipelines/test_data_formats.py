"""Files and standard input as sources of inputs."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from isoform import CsvPipelineDataFormat, JsonPipelineDataFormat, PipedPipelineDataFormat, PipelineDataFormat


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "in.csv").write_text("a,c,d\n1,2,3\n4,5,6\n")
    (tmp_path / "in.json").write_text('[{"a": 1, "c": 2}, {"a": 3, "c": 4}]')
    return tmp_path


def _open(files: Path, kind: str, column: str | None, **options: Any) -> PipelineDataFormat:
    return PipelineDataFormat.from_str(kind, str(files / f"out.{kind}"), str(files / f"in.{kind}"), column, **options)


def test_one_column(files: Path) -> None:
    assert list(_open(files, "csv", "a")) == ["1", "4"]
    assert list(_open(files, "json", "a")) == [1, 3]
    with pytest.raises(KeyError):
        list(_open(files, "json", None))


def test_several_columns(files: Path) -> None:
    assert list(_open(files, "csv", "a,b=c")) == [{"a": "1", "b": "2"}, {"a": "4", "b": "5"}]
    assert list(_open(files, "json", "a,b=c")) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_writing(files: Path) -> None:
    csv = _open(files, "csv", "a")
    csv.save([{"q": 1, "r": 2}, {"q": 3, "r": 4}])
    assert (files / "out.csv").read_text() == "q,r\n1,2\n3,4\n"
    reader = _open(files, "json", "a")
    reader.save({"q": 1})
    assert json.loads((files / "out.json").read_text()) == {"q": 1}
    assert csv.save_binary([1]) == str(files / "out.pickle")
    assert pickle.loads((files / "out.pickle").read_bytes()) == [1]


def test_files_are_checked(files: Path) -> None:
    (files / "out.csv").touch()
    with pytest.raises(OSError, match="already exists"):
        _open(files, "csv", "a")
    assert isinstance(_open(files, "csv", "a", overwrite=True), CsvPipelineDataFormat)
    with pytest.raises(OSError, match="doesnt exist"):
        JsonPipelineDataFormat(None, str(files / "absent.json"), "a")
    with pytest.raises(KeyError, match="Unknown reader xml"):
        PipelineDataFormat.from_str("xml", None, None, "a")


def test_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\nx\ty\n"))
    assert list(PipedPipelineDataFormat(None, None, "a,b=c")) == ["hello\n", {"a": "x", "b": "y\n"}]
    monkeypatch.setattr("sys.stdin", io.StringIO("x\ty\n"))
    pipe = PipedPipelineDataFormat(None, None, "a")
    assert list(pipe) == [("x", "y\n")]
    pipe.save({"x": 1})
    assert capsys.readouterr().out == "{'x': 1}\n"
    with pytest.raises(KeyError, match="output file"):
        pipe.save_binary([1])
