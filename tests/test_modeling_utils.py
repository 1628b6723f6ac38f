"""Models loaded, resized, pruned and asked about themselves, as the reference answers (golden/make_loading.py)."""

from __future__ import annotations

import json
import math

import pytest

import isoform
from tests.golden import make_loading

EXPECTED = json.loads(make_loading.ANSWERS.read_text())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return make_loading.run(isoform, str(tmp_path_factory.mktemp("loading")))


def differences(found, expected, path=""):
    """Where two nested values differ; numbers may by 1e-5, relative or absolute."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = expected.keys() | found.keys()
        return [d for key in sorted(keys) for d in differences(found.get(key), expected.get(key), f"{path}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [d for i, pair in enumerate(zip(found, expected)) for d in differences(*pair, f"{path}/{i}")]
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return [] if math.isclose(found, expected, rel_tol=1e-5, abs_tol=1e-5) else [f"{path}: {found} for {expected}"]
    return [] if found == expected else [f"{path}: {found} for {expected}"]


CASES = [(part, name) for part, answers in EXPECTED.items() for name in answers]


@pytest.mark.parametrize(("part", "name"), CASES, ids=lambda value: value)
def test_as_the_reference(found, part, name):
    assert differences(found[part][name], EXPECTED[part][name]) == []


def test_questions_about_distributed_runs(monkeypatch):
    from isoform.modeling_utils import is_fsdp_enabled, is_local_dist_rank_0

    for name, value in {
        "ACCELERATE_USE_FSDP": "true",
        "FSDP_CPU_RAM_EFFICIENT_LOADING": "1",
        "LOCAL_RANK": "0",
    }.items():
        monkeypatch.setenv(name, value)
    assert not is_fsdp_enabled() and not is_local_dist_rank_0()  # the processes are not connected
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    assert is_fsdp_enabled() and is_local_dist_rank_0()
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "0")
    assert not is_fsdp_enabled() and not is_local_dist_rank_0()
