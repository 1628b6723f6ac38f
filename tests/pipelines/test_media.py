"""Results of the pipelines over encoders, encoder-decoders, images and sounds against those of the reference."""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import isoform
from tests.golden.media_cases import CALLS, PIPELINES, plain

from .compare import difference

EXPECTED = json.loads((Path(__file__).parent.parent / "golden" / "pipelines_media.json").read_text(encoding="utf-8"))


@cache
def pipe(name: str) -> Any:
    return PIPELINES[name](isoform)


def outcome(name: str, **more: Any) -> Any:
    """What a call returns, or which error it raises."""
    pipeline_name, args, kwargs = CALLS[name]
    made = pipe(pipeline_name)
    try:
        return plain(made(*args(), **{**kwargs, **more}))
    except Exception as error:
        return {"error": type(error).__name__}


def differs(found: Any, name: str) -> str | None:
    """Where a result is not the reference's."""
    resized = CALLS[name][0] in ("segment", "depth") or name == "see resized"
    return difference(_with_pixels(found), _with_pixels(EXPECTED[name]), tolerance=1e-2 if resized else 1e-5)


def _with_pixels(value: Any) -> Any:
    """Pictures as numbers up to one, which may differ a little."""
    if isinstance(value, dict) and "pixels" in value:
        pixels = zlib.decompress(base64.b64decode(value["pixels"]))
        return {**value, "pixels": [pixel / 255 for pixel in pixels]}
    if isinstance(value, dict):
        return {key: _with_pixels(entry) for key, entry in value.items()}
    return [_with_pixels(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CALLS)
def test_same_as_reference(name: str) -> None:
    assert differs(outcome(name), name) is None


def _succeeds(name: str) -> bool:
    result = EXPECTED[name]
    return not (isinstance(result, dict) and "error" in result)


@pytest.mark.parametrize("name", [name for name in CALLS if _succeeds(name)])
def test_automatic_batches_change_no_result(name: str) -> None:
    assert differs(outcome(name, batch_size="auto"), name) is None


@pytest.mark.parametrize("name", [name for name in CALLS if _succeeds(name) and CALLS[name][0].startswith(("w", "h"))])
def test_padding_of_recordings_changes_no_result(name: str) -> None:
    assert differs(outcome(name, batch_size=2), name) is None
