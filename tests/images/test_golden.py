"""Image processors against the reference, whose answers `tests/golden/make_images.py` recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")

import PIL
from safetensors.numpy import load_file

import isoform

from . import cases

GOLDEN = Path(__file__).parent.parent / "golden"
ANSWERS = json.loads((GOLDEN / "images.json").read_text(encoding="utf-8"))
ARRAYS = load_file(GOLDEN / "images.safetensors")

# 1 of 255, over the least standard deviation of the cases' settings; and what half precision loses.
PIXEL = 1 / 255 / 0.224 + 0.002
if int(PIL.__version__.partition(".")[0]) < 13:
    PIXEL *= 8  # the answers are of Pillow 13, which begins some images with their height
# Values of bytes that are not rescaled, over their standard deviation.
COARSE = {name for name in ANSWERS if "'do_rescale': False" in name and "'image_std'" not in name}


def equal(found: Any, expected: Any, where: str, tolerance: float) -> None:
    """Fail where a result differs from the recorded one: in kind, shape, dtype or value."""
    if isinstance(found, np.ndarray):
        name, _, dtype = expected.rpartition(":")
        assert str(found.dtype) == dtype, where
        assert found.shape == ARRAYS[name].shape, where
        if found.dtype == np.uint8:
            tolerance = max(1, round(PIXEL * 40))
        elif found.dtype.kind in "iub":
            tolerance = 0
        difference = np.abs(found.astype(float) - ARRAYS[name].astype(float))
        assert difference.max(initial=0) <= tolerance, where
        # Rounding may differ here and there, but not everywhere.
        assert difference.size < 50 or np.median(difference) <= 2e-3, where
    elif isinstance(expected, dict):
        assert isinstance(found, dict) and found.keys() == expected.keys(), where
        for key in expected:
            equal(found[key], expected[key], f"{where}/{key}", tolerance)
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), where
        for index, pair in enumerate(zip(found, expected, strict=True)):
            equal(*pair, f"{where}/{index}", tolerance)
    else:
        assert found == expected, where


@pytest.mark.parametrize("name", cases.PROCESSORS)
def test_answers(name: str) -> None:
    """Every case of a processor: pixels, labels, settings, objects and errors."""
    mine = [case for case in cases.CASES if case.startswith(f"{name}: ")]
    assert mine
    for case in mine:
        expected = ANSWERS[case]
        if expected == {"error": "KeyError"}:
            expected = {"error": "ValueError"}  # a wrong setting, and not a wrong key
        found = cases.run(cases.CASES[case], isoform)
        equal(found, expected, case, 4.5 if case in COARSE else PIXEL)


@pytest.mark.parametrize("name", ["Yolos", "Detr"])
def test_panoptic(name: str, tmp_path: Path) -> None:
    """Masks of segments come from a file."""
    found = cases.run(lambda lib: cases.panoptic(lib, name, str(tmp_path)), isoform)
    equal(found, ANSWERS[f"{name}: panoptic"], name, PIXEL)


def test_all_cases_are_recorded() -> None:
    assert {*cases.CASES, "Yolos: panoptic", "Detr: panoptic"} == {*ANSWERS}
