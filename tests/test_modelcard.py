"""Model cards, as the reference writes them (golden/make_modelcard.py)."""

from __future__ import annotations

import json

import pytest

from isoform.modelcard import ModelCard, TrainingSummary, make_markdown_table
from tests.golden import make_modelcard

EXPECTED = json.loads(make_modelcard.ANSWERS.read_text())


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        return json.loads(json.dumps(make_modelcard.run("isoform")))


@pytest.mark.parametrize("part", EXPECTED)
def test_as_the_reference(found, part):
    assert found[part] == EXPECTED[part]


def test_table_of_unequal_rows():
    table = make_markdown_table([{"a": 1}, {"a": 2.123456, "b": "x"}])
    assert table.splitlines() == ["| a      | b |", "|:------:|:-:|", "| 1      |   |", "| 2.1235 | x |"]


def test_card_names_versions():
    card = TrainingSummary("m").to_model_card()
    assert "- Isoform " in card and "- Pytorch 2" in card


@pytest.mark.filterwarnings("ignore:ModelCard is deprecated")
def test_old_card_round_trip(tmp_path):
    card = ModelCard(model_details={"name": "x"}, more=1)
    card.save_pretrained(tmp_path)
    assert ModelCard.from_pretrained(tmp_path) == card
    changed, unused = ModelCard.from_pretrained(tmp_path, metrics="m", other=2, return_unused_kwargs=True)
    assert changed.metrics == "m" and unused == {"other": 2} and changed != card


@pytest.mark.filterwarnings("ignore:ModelCard is deprecated")
def test_old_card_of_a_folder_without_one(tmp_path):
    assert ModelCard.from_pretrained(tmp_path) == ModelCard()
