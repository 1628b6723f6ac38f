"""What the commands share: options that choose a model, inputs from arguments and files, and errors."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

DTYPES = ("auto", "float32", "bfloat16", "float16")


class UsageError(Exception):
    """The command was called in a way that cannot work: exit code 2."""


def add_model_options(parser: argparse.ArgumentParser, default: str) -> None:
    """`--model` and what decides how it is loaded.

    Args:
        default: What is used without `--model`, for the help.
    """
    group = parser.add_argument_group("model")
    group.add_argument("-m", "--model", help=f"a folder, or a name on the Hub (default: {default})")
    group.add_argument("--tokenizer", help="take the tokenizer from another folder or repository")
    group.add_argument("--revision", help="branch, tag or commit of the repository")
    group.add_argument("--device", default="auto", help='"cpu", "cuda:0", … (default: a GPU if there is one)')
    group.add_argument("--dtype", choices=DTYPES, default="auto", help="of the weights (default: as they are stored)")
    group.add_argument(
        "--trust-remote-code", action="store_true", help="allow the repository's own Python code to run: read it first"
    )


def pick_device(name: str) -> Any:
    """The `torch.device` of that name; for "auto" a GPU if there is one, else the CPU.

    Raises:
        UsageError: there is no such device.
    """
    import torch

    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"no device {name!r} here: {str(error).splitlines()[0]}") from error
    return device


def model_or_default(options: argparse.Namespace) -> str:
    """The model that the user named, or the one that comes with the package.

    Raises:
        UsageError: neither exists.
    """
    from . import default_model_path

    path = options.model or default_model_path()
    if path is None:
        raise UsageError("name a model with --model: this installation comes without the embedded checkpoint")
    return path


def load_for_generation(options: argparse.Namespace) -> tuple[Any, Any]:
    """The causal language model and the tokenizer that the options name, on their device."""
    name = model_or_default(options)
    hub = {"revision": options.revision, "trust_remote_code": options.trust_remote_code or None}
    from .. import AutoModelForCausalLM, AutoTokenizer

    device = pick_device(options.device)
    tokenizer_hub = {"trust_remote_code": hub["trust_remote_code"]} if options.tokenizer else hub
    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer or name, **tokenizer_hub)
    model = AutoModelForCausalLM.from_pretrained(name, torch_dtype=torch_dtype(options.dtype), **hub)
    return model.to(device).eval(), tokenizer


def torch_dtype(name: str) -> Any:
    """The dtype of that name; "auto" stays."""
    import torch

    return name if name == "auto" else getattr(torch, name)


def read_text(path: str) -> str:
    """A whole UTF-8 file ("-" for standard input)."""
    if path == "-":
        return sys.stdin.read()
    with open_input(path) as file:
        return file.read()


def open_input(path: str) -> Any:
    """A UTF-8 file.

    Raises:
        UsageError: it cannot be opened.
    """
    try:
        return open(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot read the file {path!r}: {error.strerror} (a text that begins with @ is written with @@)"
        ) from error


def text_argument(value: str) -> str:
    """The text of an argument: the argument itself, or for "@FILE" the content of the file ("@@" for a plain "@")."""
    if value.startswith("@@"):
        return value[1:]
    return read_text(value[1:]) if value.startswith("@") and len(value) > 1 else value


def read_lines(path: str) -> Iterator[Any]:
    """The inputs in a file: one for each line that is not blank; lines of a .jsonl file are parsed."""
    file = sys.stdin if path == "-" else open_input(path)
    try:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\r\n")
            if line.strip():
                yield _parsed(line, path, number) if path.endswith(".jsonl") else line
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not a text file: --input names one with an input on each line; images and sounds themselves "
            "are given as plain arguments"
        ) from error
    finally:
        if path != "-":
            file.close()


def _parsed(line: str, path: str, number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}, line {number} is not JSON: {error.msg} at column {error.colno}") from error


def plain(value: Any) -> Any:
    """A result as JSON: tensors and arrays as lists, numbers as Python's own."""
    if hasattr(value, "messages"):  # a conversation
        return plain(value.messages)
    if hasattr(value, "getpixel"):
        from .media import image_as_json

        return image_as_json(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def human_size(size: float) -> str:
    """Bytes for people: "1.5 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
