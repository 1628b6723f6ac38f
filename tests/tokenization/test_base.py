"""The tokenizer base classes do what the reference's do (`tests/golden/make_tokenizers_base.py`)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from . import base_cases, toy

GOLDEN_FILE = Path(__file__).parents[1] / "golden" / "tokenizers_base.json"
GOLDEN = json.loads(GOLDEN_FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> str:
    return toy.write_vocab(tmp_path_factory.mktemp("toy"))


@pytest.mark.parametrize("name", base_cases.CASES)
@pytest.mark.parametrize("kind", toy.KINDS)
def test_golden(kind: str, name: str, vocab: str) -> None:
    found = base_cases.plain(base_cases.CASES[name](partial(toy.KINDS[kind], vocab)))
    found = json.loads(json.dumps(found))
    expected: Any = GOLDEN[kind][name]
    if name == "signatures":  # base classes may declare more
        found = {key: found[key] for key in expected}
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for index, (one, other) in enumerate(zip(found, expected)):
            assert one == other, f"{name}[{index}]"
    assert found == expected
