"""`isoform download MODEL`: fetch what isoform loads of a repository into the cache."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .common import UsageError, human_size

# Files of other frameworks and formats, and pickles that a repository holds beside safetensors.
OTHER_WEIGHTS = (
    ".h5",
    ".msgpack",
    ".onnx",
    ".onnx_data",
    ".ot",
    ".tflite",
    ".gguf",
    ".mlmodel",
    ".ckpt",
    ".pth",
    ".pt",
)
PICKLED = (".bin",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help='a repository of the Hub: "user/model"')
    parser.add_argument("--revision", help="branch, tag or commit")
    parser.add_argument("--cache-dir", help="keep it there instead of in the cache")
    parser.add_argument("--all", action="store_true", help="also the weights of other frameworks and formats")


def execute(options: argparse.Namespace) -> int:
    """Run: the last line printed is the folder."""
    if os.path.isdir(options.model):
        raise UsageError(f"{options.model} is a local folder already")
    from huggingface_hub import HfApi, snapshot_download

    from ..utils.hub import http_user_agent

    info = HfApi().model_info(options.model, revision=options.revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    wanted = list(sizes) if options.all else wanted_files(list(sizes))
    if not wanted:
        raise FileNotFoundError(f"{options.model} holds no files that isoform could load")
    total = human_size(sum(sizes[name] for name in wanted))
    print(f"{options.model} at {info.sha}: {len(wanted)} of {len(sizes)} files, {total}", file=sys.stderr)
    folder = snapshot_download(
        options.model,
        revision=info.sha,
        cache_dir=options.cache_dir,
        allow_patterns=[_literal(name) for name in wanted],
        user_agent=http_user_agent(),
    )
    print(folder)
    return 0


def wanted_files(names: Sequence[str]) -> list[str]:
    """The files that isoform loads: configurations, tokenizers, and safetensors or else pickled weights."""
    safe = any(name.endswith(".safetensors") for name in names)
    unwanted = OTHER_WEIGHTS + (PICKLED if safe else ())
    return [
        name
        for name in names
        if not name.endswith(unwanted)
        and not (safe and name.endswith(".bin.index.json"))
        and "/" not in name.replace("tokenizer/", "")
        and not name.startswith(".git")
    ]


def _literal(name: str) -> str:
    """A pattern that matches only this name."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
