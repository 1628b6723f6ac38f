"""The entry point: help, versions, exit codes, messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import isoform
from isoform import cli
from isoform.cli import COMMANDS, env, main


def _process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)


def test_module_and_version() -> None:
    result = _process("-m", "isoform", "--version")
    assert (result.returncode, result.stdout.strip()) == (0, f"isoform {isoform.__version__}")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["chat", "-h"], ["inspect", "--help"]])
def test_help_loads_no_framework(arguments: list[str]) -> None:
    code = (
        f"import sys; from isoform.cli import main; code = main({arguments});"
        "heavy = {'torch', 'numpy', 'tokenizers', 'huggingface_hub'} & set(sys.modules); sys.exit(code or len(heavy))"
    )
    result = _process("-c", code)
    assert result.returncode == 0
    assert "usage: isoform" in result.stdout


def test_overview_lists_every_command(isoform_cli: Callable[..., Any]) -> None:
    shown = isoform_cli("--help").out
    for name, (_, summary) in COMMANDS.items():
        assert f"{name}" in shown and summary in shown
    bare = isoform_cli()
    assert (bare.code, bare.out) == (2, "")
    assert "commands:" in bare.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, isoform_cli: Callable[..., Any]) -> None:
    shown = isoform_cli(command, "--help")
    assert shown.code == 0
    assert f"usage: isoform {command}" in shown.out


@pytest.mark.parametrize("arguments", [["knit"], ["--knit"], ["run"], ["run", "ner", "--knit"], ["download"]])
def test_wrong_usage(arguments: list[str], isoform_cli: Callable[..., Any]) -> None:
    result = isoform_cli(*arguments)
    assert result.code == 2
    assert "error: " in result.err


def test_failures_print_a_message_and_no_traceback(isoform_cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{ not json")
    result = isoform_cli("inspect", tmp_path)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("isoform inspect: ")
    assert "config.json" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("before", [True, False])
def test_debug_raises(before: bool, isoform_cli: Callable[..., Any], tmp_path: Path) -> None:
    arguments = ["--debug", "inspect"] if before else ["inspect", "--debug"]
    with pytest.raises(OSError, match=r"config\.json"):
        isoform_cli(*arguments, tmp_path)


def test_debug_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFORM_DEBUG", "1")
    with pytest.raises(OSError, match=r"config\.json"):
        main(["inspect", str(tmp_path)])


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (KeyError("no field x"), 1, "isoform env: KeyError: no field x"),
        (RuntimeError(), 1, "isoform env: RuntimeError"),
        (ValueError("width must be even"), 1, "isoform env: width must be even"),
        (cli.UsageError("say which"), 2, "isoform env: say which\nTry: isoform env --help"),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, message: str, isoform_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(options: Any) -> int:
        raise error

    monkeypatch.setattr(env, "execute", fail)
    result = isoform_cli("env")
    assert (result.code, result.err.strip()) == (code, message)


def test_a_closed_pipe_is_no_failure_worth_a_message() -> None:
    code = (
        "import os, sys; from isoform.cli import main, env\n"
        "reader, writer = os.pipe(); os.dup2(writer, 1); os.close(writer); os.close(reader)\n"
        "env.execute = lambda options: print('x' * 100_000, flush=True)\n"
        "code = main(['env']); sys.stderr.write(str(code))"
    )
    result = _process("-c", "from isoform.cli import env\n" + code)
    assert result.stderr == "141"


def test_environment(isoform_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    facts = json.loads(isoform_cli("env", "--json").out)
    assert facts["isoform"] == isoform.__version__
    assert {"python", "torch", "tokenizers", "safetensors", "GPU", "cache"} <= set(facts)
    shown = isoform_cli("env").out
    assert f"isoform              {isoform.__version__}" in shown
    assert "secret" not in shown + json.dumps(facts)


def test_embedded_checkpoint_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "cli" / "__init__.py"))
    assert cli.default_model_path() is None
    folder = tmp_path / "assets" / "shakespeare"
    folder.mkdir(parents=True)
    (folder / "config.json").touch()
    assert cli.default_model_path() == str(folder)
