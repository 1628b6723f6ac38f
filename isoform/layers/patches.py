"""Images as sequences of patches, and position embeddings of grids."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def pair(size: Any) -> tuple[int, int]:
    """`(height, width)` of one number or of two."""
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return int(height), int(width)


class PatchEmbeddings(nn.Module):
    """Cuts images into patches and projects each to a vector.

    Attributes:
        image_size, patch_size: `(height, width)`.
        grid: number of patches along each side, `(rows, columns)`.
        num_patches: their product.
    """

    def __init__(self, config: Any, hidden_size: int | None = None) -> None:
        super().__init__()
        self.image_size, self.patch_size = pair(config.image_size), pair(config.patch_size)
        self.grid = self.image_size[0] // self.patch_size[0], self.image_size[1] // self.patch_size[1]
        self.num_patches, self.num_channels = self.grid[0] * self.grid[1], config.num_channels
        width = config.hidden_size if hidden_size is None else hidden_size
        self.projection = nn.Conv2d(config.num_channels, width, self.patch_size, stride=self.patch_size)

    def forward(self, pixel_values: Tensor, any_size: bool = False) -> Tensor:
        """Embed images `(batch, channels, height, width)` as `(batch, patches, hidden)`, row after row.

        Args:
            any_size: accept images of other sizes than the configured one.

        Raises:
            ValueError: the images have another number of channels or another size than the configuration says.
        """
        return self.project(pixel_values, any_size).flatten(2).transpose(1, 2)

    def project(self, pixel_values: Tensor, any_size: bool = False) -> Tensor:
        """The same as a map `(batch, hidden, rows, columns)`."""
        check_pixels(pixel_values, self.num_channels)
        size = tuple(pixel_values.shape[2:])
        if not any_size and size != self.image_size:
            height, width = self.image_size
            raise ValueError(f"Input image size ({size[0]}*{size[1]}) doesn't match model ({height}*{width}).")
        return self.projection(pixel_values.to(self.projection.weight.dtype))

    def grid_of(self, pixel_values: Tensor) -> tuple[int, int]:
        """Number of patches along each side of images."""
        height, width = pixel_values.shape[2:]
        return height // self.patch_size[0], width // self.patch_size[1]


def check_pixels(pixel_values: Tensor | None, channels: int) -> None:
    """Raise `ValueError` for missing images and for a wrong number of channels."""
    if pixel_values is None:
        raise ValueError("You have to specify pixel_values")
    if pixel_values.dim() != 4:
        raise ValueError(
            f"pixel_values must be (batch, channels, height, width), found the shape {tuple(pixel_values.shape)}"
        )
    if pixel_values.shape[1] != channels:
        raise ValueError(
            "Make sure that the channel dimension of the pixel values match with the one set in the configuration."
            f" Expected {channels} but got {pixel_values.shape[1]}."
        )


def resize_grid(
    table: Tensor, old: tuple[int, int], new: tuple[int, int], mode: str = "bicubic", nudge: float = 0.0
) -> Tensor:
    """Interpolate embeddings of grid positions.

    The same numbers as `torch.nn.functional.interpolate(align_corners=False)`, but as a product with two small matrices
    that are functions of the sizes: it exports with sizes that are not known yet.

    Args:
        table: `(1, rows * columns, hidden)`, for the grid `old`.
        new: rows and columns wanted.
        mode: "bicubic" (Keys 1981, a = -0.75) or "bilinear".
        nudge: added to the new sizes in the ratio of the sizes alone: DINO's safeguard against rounding, which some
            checkpoints were trained with.

    Returns:
        `(1, rows * columns, hidden)` for the grid `new`.
    """
    rows, columns = (
        _interpolation(before, after, before / (after + nudge), mode, table.device) for before, after in zip(old, new)
    )
    grid = table[0].float().view(*old, -1)
    grid = torch.einsum("ir,jc,rcd->ijd", rows, columns, grid)
    return grid.flatten(0, 1)[None].to(table.dtype)


def _interpolation(before: int, after: int, step: float, mode: str, device: torch.device) -> Tensor:
    """The matrix `(after, before)` that interpolates `before` samples at `after` places, `step` samples apart."""
    place = (torch.arange(after, device=device, dtype=torch.float32) + 0.5) * step - 0.5
    if mode == "bilinear":
        place = place.clamp(min=0)
    left = place.floor()
    taps = torch.arange(2, device=device) if mode == "bilinear" else torch.arange(-1, 3, device=device)
    distance = ((place - left)[:, None] - taps).abs()
    if mode == "bilinear":
        weights = 1 - distance
    else:
        a = -0.75
        near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
        far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
        weights = torch.where(distance <= 1, near, far)
    source = (left[:, None] + taps).clamp(0, before - 1)
    return (weights[..., None] * (source[..., None] == torch.arange(before, device=device))).sum(1)


def relative_index(rows: int, columns: int, device: torch.device | None = None) -> Tensor:
    """For each two places of a grid, `(rows * columns, rows * columns)`: which offset of a table is between them.

    Offsets are counted row after row, from that of the last place to the first: `(2 * rows - 1) * (2 * columns - 1)`.
    """
    row = torch.arange(rows, device=device).repeat_interleave(columns)
    column = torch.arange(columns, device=device).repeat(rows)
    down, right = row[:, None] - row + rows - 1, column[:, None] - column + columns - 1
    return down * (2 * columns - 1) + right


def relative_bias(table: Tensor, index: Tensor) -> Tensor:
    """What a table `(offsets, heads)` adds to scores, `(1, heads, places, places)`."""
    return table[index].permute(2, 0, 1)[None]
