"""Rotary and sinusoid positions and the norm against formulas, and the helpers with the names of 4.36."""

from __future__ import annotations

import math

import pytest
import torch

from isoform.layers import RMSNorm, Rotary, legacy
from isoform.layers.positions import sinusoids

DIM, HEAD = 6, 8


def rotated(x: list[float], position: float, base: float, interleaved: bool, dim: int = DIM) -> list[float]:
    """One head's channels: pair `m` turned by `position / base ** (2 m / dim)`, the channels from `dim` on kept."""
    y = list(x)
    for m in range(dim // 2):
        angle = position / base ** (2 * m / dim)
        a, b = (2 * m, 2 * m + 1) if interleaved else (m, m + dim // 2)
        y[a] = x[a] * math.cos(angle) - x[b] * math.sin(angle)
        y[b] = x[b] * math.cos(angle) + x[a] * math.sin(angle)
    return y


def by_formula(
    x: torch.Tensor, positions: torch.Tensor, base: float, interleaved: bool, dim: int = DIM
) -> torch.Tensor:
    rows = torch.empty_like(x)
    for b in range(x.shape[0]):
        for h in range(x.shape[1]):
            for i in range(x.shape[2]):
                position = float(positions[b % positions.shape[0], i])
                rows[b, h, i] = torch.tensor(rotated(x[b, h, i].tolist(), position, base, interleaved, dim))
    return rows


def heads(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 3, 5, HEAD, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("scaling", [None, "linear", "dynamic"])
@pytest.mark.parametrize("length", [5, 20])
def test_rotary(interleaved, scaling, length):
    options = {"type": scaling, "factor": 3.0} if scaling else None
    rotary = Rotary(DIM, 500.0, 8, options, interleaved)
    positions, x, base = torch.tensor([[0, 1, 2, 3, 4], [7, 0, 19, 2, 2]]), heads(), 500.0
    if scaling == "dynamic" and length > 8:
        base *= (3.0 * length / 8 - 2.0) ** (DIM / (DIM - 2))
    want = by_formula(x, positions / (3.0 if scaling == "linear" else 1.0), base, interleaved)
    table = rotary.table(positions, length, torch.float32)
    torch.testing.assert_close(rotary.rotate(x, table), want, rtol=1e-4, atol=1e-5)
    # A length that only the graph knows gives the same.
    table = rotary.table(positions, torch.tensor(length), torch.float32)
    torch.testing.assert_close(rotary.rotate(x, table), want, rtol=1e-4, atol=1e-5)


def test_one_pair_with_dynamic_scaling():
    rotary = Rotary(2, 500.0, 4, {"type": "dynamic", "factor": 2.0})
    x, positions = heads()[..., :2], torch.arange(5)[None]
    table = rotary.table(positions, 9, torch.float32)
    torch.testing.assert_close(rotary.rotate(x, table), by_formula(x, positions, 500.0, False, 2), rtol=1e-4, atol=1e-5)


def test_shift_moves_rotated_keys():
    rotary, x, positions = Rotary(DIM, 500.0), heads(), torch.arange(4, 9)[None]
    there = rotary.rotate(x, rotary.table(positions, 20, torch.float32))
    back = rotary.rotate(x, rotary.table(positions - 3, 20, torch.float32))
    torch.testing.assert_close(rotary.shift(there, -3), back, rtol=1e-4, atol=1e-5)


def test_sinusoids():
    got = sinusoids(torch.tensor([[0, 1, 50]]), 6)
    for row, position in zip(got[0], (0, 1, 50)):
        angles = [position / 10000 ** (2 * m / 6) for m in range(3)]
        want = [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
        torch.testing.assert_close(row, torch.tensor(want), rtol=1e-5, atol=1e-5)


def test_names_of_4_36():
    q, k, positions = heads()[..., :DIM], heads(1)[..., :DIM], torch.tensor([[0, 1, 2, 3, 4], [7, 0, 9, 2, 2]])
    cos, sin = legacy.RotaryEmbedding(DIM, 16, 500.0)(q, seq_len=10)
    assert cos.shape == (10, DIM)
    got = legacy.apply_rotary_pos_emb(q, k, cos, sin, positions)
    for x, y in zip((q, k), got):
        torch.testing.assert_close(y, by_formula(x, positions, 500.0, False), rtol=1e-4, atol=1e-5)
    table = legacy.create_sinusoidal_positions(16, DIM)
    sin, cos = table[positions].chunk(2, -1)
    got = legacy.apply_interleaved_rotary_pos_emb(q.transpose(1, 2), sin, cos).transpose(1, 2)
    torch.testing.assert_close(got, by_formula(q, positions, 10000.0, True), rtol=1e-4, atol=1e-5)
    assert legacy.get_embed_positions(table, positions).shape == (2, 16, DIM)
    assert torch.equal(legacy.repeat_kv(q, 2)[:, [0, 2, 4]], q) and torch.equal(legacy.repeat_kv(q, 2)[:, 1::2], q)
    scaled = legacy.LinearScalingRotaryEmbedding(DIM, 16, 500.0, scaling_factor=2.0)
    plain = legacy.RotaryEmbedding(DIM, 16, 500.0)
    torch.testing.assert_close(scaled(q, 9)[0][::2], plain(q, 5)[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_rms_norm(dtype):
    norm = RMSNorm(HEAD, eps=1e-3)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, HEAD))
    x = heads().to(dtype)
    exact = x.double()
    want = exact / (exact.square().mean(-1, keepdim=True) + 1e-3).sqrt() * norm.weight.double()
    tolerance = 2 * torch.finfo(dtype).eps
    for layer in (norm, norm.to(dtype)):  # float32 weights with narrow inputs, then all narrow
        torch.testing.assert_close(layer(x).double(), want, rtol=4 * tolerance, atol=tolerance)
