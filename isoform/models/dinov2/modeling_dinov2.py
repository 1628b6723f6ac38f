"""DINOv2: ViT for images of any size, with scaled residuals and a gated feed-forward (Oquab et al. 2023)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...heads.vision import ImageClassification, TokenBackbone
from ...layers import Call, DropPath, FeedForward, model_forward
from ...modeling_outputs import BaseModelOutputWithPooling
from ..vit.modeling_vit import (
    VisionTransformer,
    ViTAttention,
    ViTEmbeddings,
    ViTEncoder,
    ViTPatchEmbeddings,
    ViTSelfAttention,
    ViTSelfOutput,
)
from .configuration_dinov2 import Dinov2Config

Dinov2PatchEmbeddings, Dinov2SelfAttention, Dinov2SelfOutput = ViTPatchEmbeddings, ViTSelfAttention, ViTSelfOutput
Dinov2Attention, Dinov2DropPath = ViTAttention, DropPath


class Dinov2Embeddings(ViTEmbeddings):
    """ViT's, for images of any size. All checkpoints have a mask token."""

    def __init__(self, config: Dinov2Config) -> None:
        super().__init__(config)
        self.mask_token = nn.Parameter(torch.zeros(1, config.hidden_size))

    def forward(  # type: ignore[override]
        self, pixel_values: Tensor, bool_masked_pos: Tensor | None = None
    ) -> Tensor:
        return super().forward(pixel_values, bool_masked_pos, interpolate_pos_encoding=True)


class Dinov2LayerScale(nn.Module):
    """A learned factor for each channel (Touvron et al. 2021)."""

    def __init__(self, config: Dinov2Config) -> None:
        super().__init__()
        self.lambda1 = nn.Parameter(config.layerscale_value * torch.ones(config.hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.lambda1


class Dinov2MLP(FeedForward, up="fc1", down="fc2", act_name="activation"):
    def __init__(self, config: Dinov2Config) -> None:
        super().__init__(config, int(config.hidden_size * config.mlp_ratio))


class Dinov2SwiGLUFFN(nn.Module):
    """A feed-forward gated by SiLU (Shazeer 2020), of two thirds of the width, rounded up to a multiple of 8."""

    def __init__(self, config: Dinov2Config) -> None:
        super().__init__()
        width = (int(int(config.hidden_size * config.mlp_ratio) * 2 / 3) + 7) // 8 * 8
        self.weights_in = nn.Linear(config.hidden_size, 2 * width)
        self.weights_out = nn.Linear(width, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        gate, y = self.weights_in(x).chunk(2, -1)
        return self.weights_out(F.silu(gate) * y)


class Dinov2Layer(nn.Module):
    def __init__(self, config: Dinov2Config, index: int = 0) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.attention = Dinov2Attention(config, index)
        self.layer_scale1 = Dinov2LayerScale(config)
        self.drop_path1 = DropPath(config.drop_path_rate)
        self.norm2 = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = Dinov2SwiGLUFFN(config) if config.use_swiglu_ffn else Dinov2MLP(config)
        self.layer_scale2 = Dinov2LayerScale(config)
        self.drop_path2 = DropPath(config.drop_path_rate)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.drop_path1(self.layer_scale1(self.attention(self.norm1(x), call)))
        return x + self.drop_path2(self.layer_scale2(self.mlp(self.norm2(x))))


class Dinov2Encoder(ViTEncoder):
    def __init__(self, config: Dinov2Config) -> None:
        super().__init__(config, Dinov2Layer)


class Dinov2PreTrainedModel(VisionTransformer):
    config_class, base_model_prefix = Dinov2Config, "dinov2"
    _no_split_modules = ["Dinov2Layer"]


class Dinov2Model(Dinov2PreTrainedModel):
    def __init__(self, config: Dinov2Config) -> None:
        super().__init__(config)
        self.embeddings = Dinov2Embeddings(config)
        self.encoder = Dinov2Encoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    @model_forward
    def forward(self, pixel_values=None, bool_masked_pos=None, head_mask=None, *, call: Call) -> Any:
        x = self.encoder(self.embeddings(pixel_values, bool_masked_pos), call)
        last = self.layernorm(x)
        return call.finish(x, BaseModelOutputWithPooling, last_hidden_state=last, pooler_output=last[:, 0])


class Dinov2ForImageClassification(
    ImageClassification, Dinov2PreTrainedModel, body=Dinov2Model, signature="pixel_values head_mask"
):
    """Classification by the first token together with the mean of the patches."""

    def build_head(self, config: Dinov2Config) -> None:
        self.num_labels = config.num_labels
        self.classifier = self.build_classifier(config, 2 * config.hidden_size)

    def image_features(self, outputs: Any) -> Tensor:
        x = outputs.last_hidden_state
        return torch.cat((x[:, 0], x[:, 1:].mean(1)), 1)


class Dinov2Backbone(TokenBackbone, Dinov2PreTrainedModel):
    def __init__(self, config: Dinov2Config) -> None:
        super().__init__(config)
        self.embeddings = Dinov2Embeddings(config)
        self.encoder = Dinov2Encoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def feature_map(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        if self.config.apply_layernorm:
            x = self.layernorm(x)
        return super().feature_map(x, grid) if self.config.reshape_hidden_states else x
