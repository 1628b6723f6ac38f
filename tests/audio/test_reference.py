"""Signal processing, feature extractors, tokenizers and masking against the reference's answers (`make_audio.py`)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.golden.audio_cases import cases, summary
from tests.golden.cases import FOLDER

EXPECTED: dict[str, Any] = json.loads((FOLDER / "audio.json").read_text())
# Spectra pass through complex64 in the reference: 1e-7 of the largest amplitude, squared and in decibels.
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return dict(cases("isoform", tmp_path_factory.mktemp("vocabularies")))


def agrees(got: Any, want: Any) -> bool:
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(agrees(got[k], want[k]) for k in want)
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(agrees, got, want))
    if isinstance(want, float):
        return math.isclose(got, want, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return got == want


@pytest.mark.parametrize("name", EXPECTED)
def test_equals_reference(answers, name):
    got, want = json.loads(json.dumps(summary(answers[name]()))), EXPECTED[name]
    assert agrees(got, want), f"{got}\n{want}"


def test_no_case_is_left_out(answers):
    assert answers.keys() == EXPECTED.keys()
