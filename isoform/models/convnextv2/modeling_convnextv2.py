"""ConvNeXt V2: ConvNeXt with a normalisation that lets channels compete (Woo et al. 2023)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...layers.pieces import plain_inference
from ..convnext.modeling_convnext import (
    HEAD,
    ConvNextBackbone,
    ConvNextForImageClassification,
    ConvNextLayer,
    ConvNextLayerNorm,
    ConvNextModel,
    ConvNextPreTrainedModel,
)
from .configuration_convnextv2 import ConvNextV2Config

ConvNextV2LayerNorm = ConvNextLayerNorm


class ConvNextV2GRN(nn.Module):
    """Global response normalisation: scales each channel by its energy, relative to that of the other channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1, 1, dim))
        self.bias = nn.Parameter(torch.zeros(1, 1, 1, dim))

    def forward(self, x: Tensor) -> Tensor:
        """`x` is `(batch, height, width, channels)`."""
        if plain_inference(x) and x.dtype is not torch.float16:  # whose squares may be too large
            energy = x.square().sum((1, 2), keepdim=True).sqrt()  # several times as fast as the kernel of the norm
        else:
            energy = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        response = energy / (energy.mean(-1, keepdim=True) + 1e-6)
        return torch.addcmul(self.bias, x, 1 + self.weight * response)  # x + weight * x * response + bias, in one pass


class ConvNextV2Layer(ConvNextLayer):
    def __init__(self, config: Any, dim: int, drop_path: float = 0.0) -> None:
        super().__init__(config, dim, drop_path)
        self.grn = ConvNextV2GRN(4 * dim)

    def mlp(self, x: Tensor) -> Tensor:
        return self.pwconv2(self.grn(self.act(self.pwconv1(x))))


class ConvNextV2PreTrainedModel(ConvNextPreTrainedModel):
    config_class, base_model_prefix, layer_class = ConvNextV2Config, "convnextv2", ConvNextV2Layer


class ConvNextV2Model(ConvNextV2PreTrainedModel, ConvNextModel): ...


class ConvNextV2ForImageClassification(
    ConvNextV2PreTrainedModel, ConvNextForImageClassification, body=ConvNextV2Model, **HEAD
): ...


class ConvNextV2Backbone(ConvNextV2PreTrainedModel, ConvNextBackbone): ...
