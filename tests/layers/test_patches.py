"""Patches, positions of grids, windows and stochastic depth against plain formulas."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from isoform.layers import DropPath, PatchEmbeddings, drop_path, drop_path_rates, relative_index, resize_grid
from isoform.models.swin.modeling_swin import shift_mask, window_partition, window_reverse, windows


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize("new", [(3, 5), (7, 4), (1, 9)])
def test_resize_grid_is_interpolation(mode, new):
    table = torch.randn(1, 15, 4)
    grid = table.view(1, 3, 5, 4).permute(0, 3, 1, 2)
    want = F.interpolate(grid, size=new, mode=mode, align_corners=False)
    assert torch.allclose(resize_grid(table, (3, 5), new, mode), want.flatten(2).transpose(1, 2), atol=1e-5)


@pytest.mark.parametrize("new", [(3, 5), (7, 4), (1, 9)])
def test_resize_grid_by_a_nudged_ratio(new):
    table = torch.randn(1, 15, 4)
    scale = [(after + 0.1) / before for before, after in zip((3, 5), new)]
    want = F.interpolate(table.view(1, 3, 5, 4).permute(0, 3, 1, 2), scale_factor=scale, mode="bicubic")
    got = resize_grid(table, (3, 5), new, nudge=0.1)
    assert torch.allclose(got, want.flatten(2).transpose(1, 2), atol=1e-5)


def test_resize_grid_has_gradients():
    table = torch.randn(1, 6, 2, requires_grad=True)
    resize_grid(table, (2, 3), (5, 4)).sum().backward()
    # Each new place is a weighted mean: the weights of all old places sum to the number of new ones.
    assert torch.allclose(table.grad.sum((0, 1)), torch.full((2,), 20.0), atol=1e-4)


def test_patches_are_projected_row_after_row():
    config = SimpleNamespace(image_size=(4, 6), patch_size=2, num_channels=3, hidden_size=5)
    patches, images = PatchEmbeddings(config), torch.randn(2, 3, 4, 6)
    assert (patches.grid, patches.num_patches) == ((2, 3), 6)
    weight, bias = patches.projection.weight.flatten(1), patches.projection.bias
    for index, (row, column) in enumerate(itertools.product(range(2), range(3))):
        pixels = images[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].flatten(1)
        assert torch.allclose(patches(images)[:, index], pixels @ weight.T + bias, atol=1e-5)
    with pytest.raises(ValueError, match=r"\(6\*6\) doesn't match model \(4\*6\)"):
        patches(torch.randn(1, 3, 6, 6))
    assert patches(torch.randn(1, 3, 6, 6), any_size=True).shape == (1, 9, 5)
    with pytest.raises(ValueError, match="Expected 3 but got 1"):
        patches(torch.randn(1, 1, 4, 6))


def test_relative_index():
    rows, columns = 2, 3
    index = relative_index(rows, columns)
    for i, j in itertools.product(range(rows * columns), repeat=2):
        down, right = i // columns - j // columns, i % columns - j % columns
        assert index[i, j] == (down + rows - 1) * (2 * columns - 1) + right + columns - 1


def test_windows():
    x = torch.arange(2 * 4 * 6 * 3).view(2, 4, 6, 3)
    cut = window_partition(x, 2)
    assert cut.shape == (12, 2, 2, 3) and torch.equal(cut[1], x[0, :2, 2:4]) and torch.equal(cut[3], x[0, 2:, :2])
    assert torch.equal(window_reverse(cut, 2, 4, 6), x)


def test_windows_of_rolled_and_padded_maps():
    grid, padded, size, shift = (5, 7), (6, 9), 3, 1
    order, back, mask = windows(grid, padded, size, shift, torch.device("cpu"))
    x = torch.randn(1, *padded, 2)
    flat = x.flatten(1, 2)
    assert torch.equal(flat[:, order].view(-1, size, size, 2), window_partition(x.roll((-1, -1), (1, 2)), size))
    assert torch.equal(flat[:, order][:, back], x[:, :5, :7].flatten(1, 2))
    # Two patches of a window may see each other unless one came from the opposite border.
    place = torch.arange(54)[order].view(-1, size * size)
    row, column = place // 9, place % 9
    near = (row[:, :, None] - row[:, None]).abs().lt(size) & (column[:, :, None] - column[:, None]).abs().lt(size)
    assert torch.equal(mask[:, 0] == 0, near)
    assert torch.equal(mask, shift_mask(padded, size, shift, torch.device("cpu")))
    assert windows(grid, padded, size, 0, torch.device("cpu"))[2] is None


def test_drop_path():
    torch.manual_seed(0)
    x = torch.ones(1000, 2, 3)
    y = drop_path(x, 0.25, training=True)
    kept = y[:, 0, 0] > 0
    assert torch.allclose(y[kept], torch.full_like(y[kept], 1 / 0.75)) and not y[~kept].any()
    assert 0.2 < float((~kept).float().mean()) < 0.3
    layer = DropPath(0.25)
    assert layer.eval()(x) is x and not torch.equal(layer.train()(x), x)
    assert drop_path_rates(0.3, 4) == pytest.approx([0, 0.1, 0.2, 0.3])
