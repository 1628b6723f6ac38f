"""`generate` against the reference: same tokens, scores, beams, attentions, hidden states and shapes of the cache."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

import isoform

from . import cases

EXPECTED = json.loads((Path(__file__).parents[1] / "golden" / "generation" / "generate.json").read_text())


def close(found: Any, expected: Any) -> bool:
    """Same nesting, integers equal, floats within rounding."""
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float):
        return abs(found - expected) <= 2e-5 * max(1.0, abs(expected))
    return bool(found == expected)


@pytest.mark.parametrize("key", cases.CASES)
def test_same_as_reference(key: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cases.summary(cases.run(isoform, key))
    expected = EXPECTED[key]
    assert found["sequences"] == expected["sequences"]
    assert found.keys() == expected.keys()
    wrong_in_reference = {"beam_indices"} if "groups" in key else set()
    different = [name for name in expected.keys() - wrong_in_reference if not close(found[name], expected[name])]
    assert not different, {name: (found[name], expected[name]) for name in different}
