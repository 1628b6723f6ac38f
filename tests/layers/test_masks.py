"""Masks, and their functions under the names of 4.36."""

from __future__ import annotations

import pytest
import torch

from isoform.layers import masks
from isoform.modeling_attn_mask_utils import (
    AttentionMaskConverter,
    _prepare_4d_attention_mask,
    _prepare_4d_attention_mask_for_sdpa,
    _prepare_4d_causal_attention_mask,
    _prepare_4d_causal_attention_mask_for_sdpa,
)


def allowed(mask: torch.Tensor) -> list:
    assert set(mask.unique().tolist()) <= {0.0, torch.finfo(mask.dtype).min}
    return (mask == 0).int().tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_additive(dtype):
    got = masks.additive(torch.tensor([True, False]), dtype)
    assert got.dtype == dtype and got.tolist() == [0.0, torch.finfo(dtype).min]


def test_causal():
    rows, columns = torch.arange(2, 4), torch.arange(4)
    assert masks.causal(rows, columns).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert masks.causal(rows, columns, 2).int().tolist() == [[0, 1, 1, 0], [0, 0, 1, 1]]


def test_to_additive():
    padding = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert allowed(masks.to_additive(padding, torch.float32)) == padding[:, None, None].tolist()
    each = torch.tensor([[[1, 0], [1, 1]]])
    for mask in (each, each.bool(), each.float(), each[:, None].float()):
        assert allowed(masks.to_additive(mask, torch.float32)) == each[:, None].tolist()
    additive = torch.tensor([[[[0.0, float("-inf")], [-1.5, 0.0]]]])
    lowest = torch.finfo(torch.bfloat16).min
    assert masks.to_additive(additive, torch.bfloat16).tolist() == [[[[0.0, lowest], [-1.5, 0.0]]]]


def test_names_of_4_36():
    x, padding = torch.zeros(2, 2, 8), torch.tensor([[0, 1, 1], [1, 1, 1]])
    want = [[[[0, 1, 0], [0, 1, 1]]], [[[1, 1, 0], [1, 1, 1]]]]
    assert allowed(_prepare_4d_causal_attention_mask(padding, (2, 2), x, 1)) == want
    assert allowed(_prepare_4d_causal_attention_mask(None, (1, 2), x, 1)) == [[[[1, 1, 0], [1, 1, 1]]]]
    assert allowed(_prepare_4d_causal_attention_mask(None, (1, 2), x, 1, sliding_window=1)) == [
        [[[0, 1, 0], [0, 0, 1]]]
    ]
    assert _prepare_4d_causal_attention_mask_for_sdpa(None, (1, 2), x, 0) is None
    assert allowed(_prepare_4d_causal_attention_mask_for_sdpa(padding, (2, 2), x, 1)) == want
    assert allowed(_prepare_4d_attention_mask(padding, torch.float32, 1)) == padding[:, None, None].tolist()
    assert _prepare_4d_attention_mask_for_sdpa(torch.ones(2, 3), torch.float32) is None
    with pytest.raises(ValueError, match="sliding_window"):
        AttentionMaskConverter(True, sliding_window=0)
    with pytest.raises(ValueError, match="is_causal=False"):
        AttentionMaskConverter(False).to_causal_4d(1, 2, 2, torch.float32)
    with pytest.raises(ValueError, match="key_value_length"):
        AttentionMaskConverter(True).to_4d(padding, 2, torch.float32)
