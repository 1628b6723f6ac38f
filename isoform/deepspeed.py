"""The former home of `isoform.integrations.deepspeed`; code written for old versions imports from here."""

from __future__ import annotations

from typing import Any

from .integrations import deepspeed


def __getattr__(name: str) -> Any:
    return getattr(deepspeed, name)


def __dir__() -> list[str]:
    return dir(deepspeed)
