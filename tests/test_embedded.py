"""The checkpoint inside the package."""

from __future__ import annotations

import math
from importlib.resources import files

import pytest
import torch

from isoform import AutoModelForCausalLM, AutoTokenizer

FOLDER = files("isoform") / "assets" / "shakespeare"

# From "The Tempest", in the part of the text that was held out from training.
LINES = "I boarded the king's ship; now on the beak,\nNow in the waist, the deck, in every cabin,\n"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(str(FOLDER))


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(str(FOLDER))


def test_package_stays_small():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 8_000_000


@pytest.mark.parametrize("text", [LINES, "naïve — 日本 🎭\n\n  two  spaces", ""])
def test_every_text_survives_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@torch.no_grad()
def test_it_has_learned_its_language(model, tokenizer):
    ids = tokenizer(LINES, return_tensors="pt")["input_ids"]
    bits = float(model(ids, labels=ids).loss) / math.log(2) * (ids.shape[1] - 1) / len(LINES.encode())
    assert bits < 3.0  # a uniform guess costs over 4 bits a byte; English letter frequencies alone some 4.2


def test_greedy_text_does_not_depend_on_batch_or_padding(model, tokenizer):
    tokenizer.padding_side = "left"
    prompts = ["ROMEO:", "Now is the winter of our"]
    batch = tokenizer(prompts, return_tensors="pt", padding=True)
    together = model.generate(**batch, max_new_tokens=12, do_sample=False)
    for prompt, row in zip(prompts, together):
        alone = model.generate(**tokenizer(prompt, return_tensors="pt"), max_new_tokens=12, do_sample=False)
        new = alone.shape[1] - tokenizer(prompt, return_tensors="pt")["input_ids"].shape[1]
        assert torch.equal(alone[0, -new:], row[-new:])
