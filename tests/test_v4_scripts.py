"""Programs written for v4.36 give the reference's results (golden/make_v4.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import isoform

from .v4_scripts import IDS, SCRIPTS, fill, plain, small_gpt2

EXPECTED = json.loads((Path(__file__).parent / "golden" / "v4_scripts.json").read_text(encoding="utf-8"))


def check(found: Any, expected: Any, where: str) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            check(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for index, (mine, theirs) in enumerate(zip(found, expected)):
            check(mine, theirs, f"{where}[{index}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-4), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name, tmp_path):
    found = json.loads(json.dumps(plain(SCRIPTS[name](isoform, str(tmp_path)))))
    check(found, EXPECTED[name], name)


@pytest.mark.parametrize("safe", [True, False])
def test_tied_weights_on_the_disk(safe, tmp_path):
    pytest.importorskip("accelerate")
    model = fill(isoform.GPT2LMHeadModel(small_gpt2(isoform)))
    model.save_pretrained(tmp_path / "model", safe_serialization=safe)
    loaded = isoform.GPT2LMHeadModel.from_pretrained(
        tmp_path / "model", device_map={"": "disk"}, offload_folder=tmp_path / "offload"
    )
    assert loaded(IDS).logits.equal(model(IDS).logits)


@pytest.mark.parametrize(
    "inputs, error, says",
    [("Hello", TypeError, "tokenizer"), ([[1, 2]], TypeError, "found list"), (IDS[0], ValueError, "batch axis")],
)
def test_wrong_inputs_of_generate(inputs, error, says):
    with pytest.raises(error, match=says):
        isoform.GPT2LMHeadModel(small_gpt2(isoform)).generate(inputs, max_new_tokens=2)


def test_misspelt_task():
    with pytest.raises(KeyError, match="did you mean 'text-generation'"):
        isoform.pipeline("text-generaton")


def test_subclasses_may_name_their_modules_logits_and_body():
    class Own(isoform.GPT2LMHeadModel):
        def __init__(self, config):
            super().__init__(config)
            self.logits, self.body = nn.Linear(16, 2), nn.Linear(16, 16)

        def forward(self, input_ids):
            return self.logits(self.body(self.transformer(input_ids)[0])), super().forward(input_ids).logits

    own, inherited = Own(small_gpt2(isoform))(IDS)
    assert own.shape == (2, 6, 2) and inherited.shape == (2, 6, 40)
