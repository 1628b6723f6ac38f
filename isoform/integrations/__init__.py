"""Bridges to other packages. Each is imported when one of its names is first used."""

from __future__ import annotations

import importlib
from typing import Any

_NAMES: dict[str, str] = {
    "deepspeed": "HfDeepSpeedConfig deepspeed_config is_deepspeed_available is_deepspeed_zero3_enabled "
    "set_hf_deepspeed_config unset_hf_deepspeed_config",
    "peft": "PeftAdapterMixin",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    if name in _NAMES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_NAMES})
