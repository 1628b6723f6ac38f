"""Results of all pipelines against those of the reference."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import isoform
from tests.golden.pipeline_cases import CALLS, PIPELINES, plain

from .compare import difference

EXPECTED = json.loads((Path(__file__).parent.parent / "golden" / "pipelines.json").read_text(encoding="utf-8"))


@cache
def pipe(name: str) -> Any:
    return PIPELINES[name](isoform)


def outcome(name: str, **more: Any) -> Any:
    """What a call returns, or which error it raises."""
    pipeline_name, args, kwargs = CALLS[name]
    try:
        return plain(pipe(pipeline_name)(*args, **{**kwargs, **more}))
    except Exception as error:
        return {"error": type(error).__name__}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CALLS)
def test_same_as_reference(name: str) -> None:
    assert difference(outcome(name), EXPECTED[name]) is None


def _without_explicit_batch(name: str) -> bool:
    result = EXPECTED[name]
    return CALLS[name][2].get("batch_size") != 0 and not (isinstance(result, dict) and "error" in result)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", [name for name in CALLS if _without_explicit_batch(name)])
def test_automatic_batches_change_no_result(name: str) -> None:
    assert difference(outcome(name, batch_size="auto"), EXPECTED[name]) is None
