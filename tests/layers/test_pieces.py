"""Work on pieces of a batch gives what work on all of it gives."""

from __future__ import annotations

import pytest
import torch

from isoform.layers import pieces


@pytest.fixture
def sizes(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 4 * 6 * 2 * 3)  # three samples of six float32 elements, doubled
    monkeypatch.setattr(pieces, "MOST", 1)
    seen = []

    def function(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return x + x

    return seen, function


@pytest.mark.parametrize("samples, expected", [(0, [0]), (1, [1]), (3, [3]), (8, [3, 3, 2])])
def test_inference_works_on_pieces(sizes, samples, expected):
    seen, function = sizes
    x = torch.arange(samples * 6.0).view(samples, 6)
    with torch.inference_mode():
        assert torch.equal(pieces.in_pieces(function, x, growth=2), 2 * x)
    assert seen == expected


def test_training_works_on_the_whole(sizes):
    seen, function = sizes
    x = torch.ones(8, 6, requires_grad=True)
    pieces.in_pieces(function, x, growth=2).sum().backward()
    assert seen == [8] and torch.equal(x.grad, torch.full((8, 6), 2.0))
