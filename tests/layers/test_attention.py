"""`attend` and `cross_attend` against the formula written out, query by query."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from isoform.layers import Call, Dropout, attend, cross_attend, split_fused, split_heads, split_interleaved

BATCH, LENGTH, SIZE = 2, 5, 4


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def make_call(implementation: str, mask: torch.Tensor | None = None, attentions: bool = False, **inputs: Any) -> Call:
    config = SimpleNamespace(_attn_implementation=implementation, num_hidden_layers=1)
    model = SimpleNamespace(config=config, training=False, gradient_checkpointing=False)
    call = Call(model, inputs, inputs.pop("use_cache", False), attentions, False)
    call.start_decoding(torch.nn.Embedding(3, 2), torch.zeros(BATCH, LENGTH, dtype=torch.long), None, mask)
    return call


def formula(q, k, v, allowed, scale=None, bias=None, head_mask=None) -> torch.Tensor:
    """`softmax(q . k * scale + bias) v` over the allowed keys, one query and one head at a time."""
    heads, groups = q.shape[1], q.shape[1] // k.shape[1]
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    result = torch.zeros(q.shape[0], q.shape[2], heads, q.shape[3])
    for b in range(q.shape[0]):
        for h in range(heads):
            for i in range(q.shape[2]):
                js = [j for j in range(k.shape[2]) if allowed(b, i, j)]
                if not js:
                    continue
                scores = [float(q[b, h, i] @ k[b, h // groups, j]) * scale for j in js]
                if bias is not None:
                    scores = [s + float(bias[h, i, j]) for s, j in zip(scores, js)]
                total = sum(math.exp(s) for s in scores)
                for s, j in zip(scores, js):
                    result[b, i, h] += math.exp(s) / total * v[b, h // groups, j]
                if head_mask is not None:
                    result[b, i, h] *= head_mask[h]
    return result.flatten(2)


def qkv(heads: int = 4, groups: int = 4, keys: int = LENGTH):
    return (
        randn(BATCH, heads, LENGTH, SIZE),
        randn(BATCH, groups, keys, SIZE, seed=1),
        randn(BATCH, groups, keys, SIZE, seed=2),
    )


def assert_close(got: torch.Tensor, want: torch.Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


both = pytest.mark.parametrize("implementation", ["eager", "sdpa"])


@both
@pytest.mark.parametrize("groups", [4, 2, 1])
@pytest.mark.parametrize("scale", [None, 1.0])
def test_causal(implementation, groups, scale):
    q, k, v = qkv(groups=groups)
    got = attend(q, k, v, make_call(implementation), 0, scale=scale)
    assert_close(got, formula(q, k, v, lambda b, i, j: j <= i, scale))


@both
@pytest.mark.parametrize("window", [1, 2, 4, 5, 9])
def test_window(implementation, window):
    q, k, v = qkv(groups=2)
    got = attend(q, k, v, make_call(implementation), 0, window=window)
    assert_close(got, formula(q, k, v, lambda b, i, j: i - window < j <= i))


@both
@pytest.mark.parametrize("dtype", [torch.long, torch.bool, torch.float32], ids=str)
def test_padding(implementation, dtype):
    q, k, v = qkv()
    mask = torch.tensor([[1, 0, 1, 1, 0], [1, 1, 1, 1, 1]], dtype=dtype)
    got = attend(q, k, v, make_call(implementation, mask), 0)
    assert_close(got, formula(q, k, v, lambda b, i, j: j <= i and bool(mask[b, j])))


@both
@pytest.mark.parametrize("kind", ["int", "bool", "float", "additive", "three"])
def test_mask_of_queries_and_keys(implementation, kind):
    """A mask with one row a query replaces the causal one."""
    q, k, v = qkv()
    ones = (randn(BATCH, LENGTH, LENGTH) > 0).long()
    ones[:, :, 0] = 1
    mask = {
        "int": ones[:, None],
        "bool": ones[:, None].bool(),
        "float": ones[:, None].float(),
        "additive": torch.zeros(BATCH, 1, LENGTH, LENGTH).masked_fill(ones[:, None] == 0, -math.inf),
        "three": ones,
    }[kind]
    got = attend(q, k, v, make_call(implementation, mask), 0)
    assert_close(got, formula(q, k, v, lambda b, i, j: bool(ones[b, i, j])))


@both
def test_query_that_sees_nothing_is_finite(implementation):
    q, k, v = qkv()
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    got = attend(q, k, v, make_call(implementation, mask), 0)
    assert torch.isfinite(got).all()
    want = formula(q, k, v, lambda b, i, j: j <= i and bool(mask[b, j]))
    assert_close(got[0, 2:], want[0, 2:])


@both
@pytest.mark.parametrize("padded", [False, True])
def test_bias(implementation, padded):
    q, k, v = qkv()
    bias = randn(4, LENGTH, LENGTH, seed=7).masked_fill(torch.ones(LENGTH, LENGTH).triu(1) > 0, -math.inf)
    mask = torch.tensor([[1, 0, 1, 1, 1], [1, 1, 1, 1, 1]]) if padded else None
    got = attend(q, k, v, make_call(implementation, mask), 0, bias=bias[None])
    assert_close(got, formula(q, k, v, lambda b, i, j: j <= i and (not padded or bool(mask[b, j])), bias=bias))


@both
def test_steps_equal_the_whole(implementation):
    q, k, v = qkv(groups=2)
    want = formula(q, k, v, lambda b, i, j: i - 3 < j <= i)
    past, pieces = None, []
    for begin, end in ((0, 2), (2, 3), (3, 5)):
        call = make_call(implementation, past_key_values=past, use_cache=True)
        call.start_decoding(torch.nn.Embedding(3, 2), torch.zeros(BATCH, end - begin, dtype=torch.long), None)
        pieces.append(attend(q[:, :, begin:end], k[:, :, begin:end], v[:, :, begin:end], call, 0, window=3))
        past = call.finish(torch.zeros(1)).past_key_values
    assert_close(torch.cat(pieces, 1), want)


def test_head_mask_and_recorded_weights():
    q, k, v = qkv(groups=2)
    mask = torch.tensor([0.0, 0.5, 1.0, 2.0])
    call = make_call("sdpa", attentions=True, head_mask=mask)
    assert_close(attend(q, k, v, call, 0), formula(q, k, v, lambda b, i, j: j <= i, head_mask=mask))
    (weights,) = call.attentions
    assert weights.shape == (BATCH, 4, LENGTH, LENGTH)
    assert_close(weights.sum(-1), mask[None, :, None].expand(BATCH, 4, LENGTH))
    assert bool((weights.triu(1) == 0).all())


@both
def test_cross(implementation):
    q, k, v = qkv(keys=3)
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    states = torch.zeros(BATCH, 3, 2)
    call = make_call(implementation, encoder_hidden_states=states, encoder_attention_mask=mask)
    assert_close(cross_attend(q, k, v, call, 0), formula(q, k, v, lambda b, i, j: bool(mask[b, j])))
    call = make_call(implementation, encoder_hidden_states=states)
    assert_close(cross_attend(q, k, v, call, 0), formula(q, k, v, lambda b, i, j: True))


@both
def test_dropout_keeps_the_mean(implementation):
    """Dropped weights are made up for by the others: the mean over many draws is the formula's."""
    q, k, v = qkv()
    want = formula(q, k, v, lambda b, i, j: j <= i)
    torch.manual_seed(0)
    draws = torch.stack([attend(q, k, v, make_call(implementation), 0, dropout=0.5) for _ in range(3000)])
    assert float((draws[0] - want).abs().max()) > 0.1
    assert float((draws.mean(0) - want).abs().max()) < 0.12  # 5 standard errors


def test_dropout_module():
    layer = Dropout(0.5)
    x = torch.ones(1000)
    assert layer.rate == 0.5 and sorted(set(layer(x).tolist())) == [0.0, 2.0]
    layer.eval()
    assert layer.rate == 0.0 and layer(x) is x


def test_mask_of_the_wrong_length_is_refused():
    q, k, v = qkv()
    with pytest.raises(ValueError, match="4 columns; expected 5"):
        attend(q, k, v, make_call("sdpa", torch.ones(BATCH, 4)), 0)


def test_splits():
    x = torch.arange(2 * 3 * 24.0).view(2, 3, 24)
    assert torch.equal(split_heads(x, 4), torch.stack(x.split(6, -1), 1))
    q, k, v = split_fused(x, 3, 4)  # q | k | v, each of 4 heads
    assert all(torch.equal(a, split_heads(b, 4)) for a, b in zip((q, k, v), x.split(8, -1)))
    q, k, v = split_interleaved(x, 3, 4)  # 4 heads, each q | k | v
    for h, head in enumerate(x.split(6, -1)):
        assert all(torch.equal(a[:, h], b) for a, b in zip((q, k, v), head.split(2, -1)))
    assert split_heads(x[:0], 4).shape == (0, 4, 3, 6)
