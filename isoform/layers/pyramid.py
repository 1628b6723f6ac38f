"""Heads that classify pixels from feature maps of several stages (UPerNet, Xiao et al. 2018; FCN, Long et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNorm(nn.Module):
    """A convolution that keeps the size of maps, batch normalisation and ReLU.

    Args of the class statement:
        norm: attribute name of the normalisation.
    """

    norm_name = "batch_norm"

    def __init_subclass__(cls, norm: str = "batch_norm") -> None:
        cls.norm_name = norm

    def __init__(self, inputs: int, outputs: int, kernel_size: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2, bias=False)
        setattr(self, self.norm_name, nn.BatchNorm2d(outputs))
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(getattr(self, self.norm_name)(self.conv(x)))


def resized(x: Tensor, size: Sequence[int]) -> Tensor:
    """A map enlarged or shrunk to `(rows, columns)`, bilinearly."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class PyramidHead(nn.Module):
    """Pools the coarsest map at several scales, adds each map to the next finer one, and classifies all together.

    Args:
        channels: of each map, the finest first.
        width: channels inside.
        scales: sizes, in cells, to which the coarsest map is pooled.
        conv: the class of the blocks.
    """

    def __init__(
        self, channels: Sequence[int], width: int, scales: Sequence[int], labels: int, conv: type[ConvNorm] = ConvNorm
    ) -> None:
        super().__init__()
        last = channels[-1]
        self.classifier = nn.Conv2d(width, labels, 1)
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(scale), conv(last, width)) for scale in scales
        )
        self.bottleneck = conv(last + len(scales) * width, width, 3)
        self.lateral_convs = nn.ModuleList(conv(count, width) for count in channels[:-1])
        self.fpn_convs = nn.ModuleList(conv(width, width, 3) for _ in channels[:-1])
        self.fpn_bottleneck = conv(len(channels) * width, width, 3)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Logits `(batch, labels, rows, columns)`, of the size of the first of `maps`."""
        last = maps[-1]
        pooled = [resized(pool(last), last.shape[2:]) for pool in self.psp_modules]
        summed = [self.bottleneck(torch.cat((last, *pooled), 1))]
        for x, lateral in zip(reversed(maps[:-1]), reversed(list(self.lateral_convs))):
            summed.insert(0, lateral(x) + resized(summed[0], x.shape[2:]))
        outputs = [conv(x) for conv, x in zip(self.fpn_convs, summed)] + summed[-1:]
        size = outputs[0].shape[2:]
        outputs[1:] = [resized(x, size) for x in outputs[1:]]
        return self.classifier(self.fpn_bottleneck(torch.cat(outputs, 1)))


class ConvHead(nn.Module):
    """Convolutions and a classifier over one map: the auxiliary head that helps training.

    Args:
        index: which of the maps.
        inputs: its channels.
        width: channels inside.
        count: number of convolutions.
        concat: show the last of them, a further one, the map itself as well.
    """

    def __init__(
        self, index: int, inputs: int, width: int, count: int, concat: bool, labels: int,
        conv: type[ConvNorm] = ConvNorm,
    ) -> None:  # fmt: skip
        super().__init__()
        self.index, self.concat = index, concat
        blocks = [conv(inputs if i == 0 else width, width, 3) for i in range(count)]
        self.convs: Any = nn.Sequential(*blocks) if count else nn.Identity()
        if concat:
            self.conv_cat = conv(inputs + width, width, 3)
        self.classifier = nn.Conv2d(width, labels, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        x = maps[self.index]
        y = self.convs(x)
        if self.concat:
            y = self.conv_cat(torch.cat((x, y), 1))
        return self.classifier(y)
