"""`isoform env`: what a bug report needs to say."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import metadata
from typing import Any

PACKAGES = ("numpy", "safetensors", "tokenizers", "huggingface_hub", "jinja2", "accelerate", "peft", "datasets")
OTHER_FRAMEWORKS = ("jax", "tensorflow", "onnxruntime")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(options: argparse.Namespace) -> int:
    """Run."""
    facts = environment()
    if options.json:
        print(json.dumps(facts, indent=2))
        return 0
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:{width}}  {'not installed' if value is None else value}")
    return 0


def environment() -> dict[str, Any]:
    """Versions, devices and settings; no secrets."""
    from .. import __version__

    facts: dict[str, Any] = {
        "isoform": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        **_torch(),
    }
    facts.update({name: _version(name) for name in (*PACKAGES, *OTHER_FRAMEWORKS)})
    facts["embedded checkpoint"] = "yes" if _embedded() else "no"
    facts["cache"] = _cache()
    facts["offline"] = "yes" if _offline() else "no"
    facts["executable"] = sys.executable
    return facts


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _torch() -> dict[str, Any]:
    try:
        import torch
    except Exception as error:  # a broken installation is worth reporting
        return {"torch": f"cannot be imported: {error}"}
    facts: dict[str, Any] = {"torch": torch.__version__, "torch threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        facts["CUDA"] = torch.version.cuda
        facts["GPU"] = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    else:
        facts["GPU"] = "mps" if torch.backends.mps.is_available() else "none"
    return facts


def _embedded() -> bool:
    from . import default_model_path

    return default_model_path() is not None


def _cache() -> str:
    from ..utils import hub

    return str(hub.TRANSFORMERS_CACHE)


def _offline() -> bool:
    from ..utils.hub import is_offline_mode

    return is_offline_mode()
