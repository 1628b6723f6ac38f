"""The former home of `isoform.utils`; code written for old versions imports from here."""

from __future__ import annotations

from typing import Any

from . import utils


def __getattr__(name: str) -> Any:
    return getattr(utils, name)


def __dir__() -> list[str]:
    return dir(utils)
