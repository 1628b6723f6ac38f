"""Every tokenizer against the reference, on small vocabularies (see tests/golden/make_tokenizers.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import isoform

from . import cases

FOLDER = Path(__file__).parents[1] / "golden" / "tokenizers"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokenizers():
    return {name: cases.build(isoform, case, str(FOLDER)) for name, case in cases.CASES.items()}


@pytest.mark.parametrize("name", cases.CASES)
def test_properties(tokenizers, name):
    assert cases.record_properties(tokenizers[name]) == EXPECTED[name]["properties"]


@pytest.mark.parametrize("name", cases.CASES)
def test_texts(tokenizers, name):
    for text, expected in zip(cases.TEXTS, EXPECTED[name]["texts"], strict=True):
        assert cases.record(tokenizers[name], text) == expected, text


@pytest.mark.parametrize("name", cases.CASES)
def test_pairs(tokenizers, name):
    for pair, expected in zip(cases.PAIRS, EXPECTED[name]["pairs"], strict=True):
        assert cases.record_pair(tokenizers[name], *pair) == expected, pair


@pytest.mark.parametrize("name", cases.CHAT_CASES)
def test_default_chat_template(tokenizers, name):
    for turns, expected in zip(cases.CONVERSATIONS, EXPECTED[name]["chat"], strict=True):
        assert cases.record_chat(tokenizers[name], turns) == expected, turns
