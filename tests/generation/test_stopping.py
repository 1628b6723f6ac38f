"""Stopping criteria."""

from __future__ import annotations

import time

import pytest
import torch

from isoform.generation.stopping_criteria import (
    MaxLengthCriteria,
    MaxNewTokensCriteria,
    MaxTimeCriteria,
    StoppingCriteria,
    StoppingCriteriaList,
    validate_stopping_criteria,
)
from isoform.utils import logging

IDS = torch.zeros(2, 5, dtype=torch.long)


def test_length():
    assert MaxLengthCriteria(5)(IDS, None) is True
    assert MaxLengthCriteria(6)(IDS, None) is False


def test_new_tokens():
    with pytest.warns(FutureWarning, match=r"MaxLengthCriteria\(max_length=5\)"):
        criterion = MaxNewTokensCriteria(start_length=3, max_new_tokens=2)
    assert criterion.max_length == 5
    assert criterion(IDS, None) is True
    assert criterion(IDS[:, :4], None) is False


def test_time():
    assert MaxTimeCriteria(10.0)(IDS, None) is False
    assert MaxTimeCriteria(10.0, initial_timestamp=time.time() - 11)(IDS, None) is True
    assert MaxTimeCriteria(10.0, initial_timestamp=0).initial_timestamp == 0


def test_texts_longer_than_the_model_are_reported(monkeypatch):
    messages = []
    logger = logging.get_logger("isoform.generation.stopping_criteria")
    monkeypatch.setattr(logger, "warning_once", messages.append, raising=False)
    MaxLengthCriteria(9, max_position_embeddings=6)(IDS, None)
    assert messages == []
    MaxLengthCriteria(9, max_position_embeddings=5)(IDS, None)
    assert "longer than the 5 tokens" in messages[0]


def test_any_criterion_of_a_list_stops():
    class WithScores(StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            return kwargs["stop"]

    criteria = StoppingCriteriaList([MaxTimeCriteria(10.0), WithScores()])
    assert criteria(IDS, None, stop=True)
    assert not criteria(IDS, None, stop=False)
    assert criteria.max_length is None
    assert StoppingCriteriaList([MaxTimeCriteria(1.0), MaxLengthCriteria(7), MaxLengthCriteria(4)]).max_length == 7


def test_list_is_completed_by_a_length():
    criteria = StoppingCriteriaList()
    complete = validate_stopping_criteria(criteria, 5)
    assert (complete.max_length, len(criteria)) == (5, 0)
    with pytest.warns(UserWarning, match="different `max_length`"):
        assert validate_stopping_criteria(complete, 6).max_length == 5


def test_base_is_abstract():
    with pytest.raises(NotImplementedError, match="needs to be subclassed"):
        StoppingCriteria()(IDS, None)
