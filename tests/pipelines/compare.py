"""Comparison of results with tolerance for rounding."""

from __future__ import annotations

import math
from typing import Any


def difference(found: Any, expected: Any, tolerance: float = 1e-5, path: str = "") -> str | None:
    """Where two JSON-like values differ, in words; None if they agree."""
    if isinstance(expected, float) and isinstance(found, (int, float)) and not isinstance(found, bool):
        close = math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)
        return None if close else f"{path}: {found} instead of {expected}"
    if isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            return f"{path}: {len(found)} entries instead of {len(expected)}"
        pairs = zip(range(len(expected)), found, expected)
    elif isinstance(expected, dict) and isinstance(found, dict):
        if list(found) != list(expected):
            return f"{path}: keys {list(found)} instead of {list(expected)}"
        pairs = ((key, found[key], expected[key]) for key in expected)
    else:
        return None if found == expected else f"{path}: {found!r} instead of {expected!r}"
    return next(filter(None, (difference(f, e, tolerance, f"{path}[{key!r}]") for key, f, e in pairs)), None)
