"""ConvNeXt: a convolutional network with the macro design of a vision transformer (Liu et al. 2022).

Tensors are `(batch, channels, height, width)`, laid out in memory with the channels last: the first normalisation makes
them so, and what follows keeps them so. The depthwise convolutions are fastest on that layout, and normalisations and
linear layers over the channels need no copy.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads import ImageClassification
from ...layers import Call, DropPath, drop_path_rates, model_forward, run_layers
from ...layers.patches import check_pixels
from ...layers.pieces import in_pieces
from ...modeling_outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from ...modeling_utils import PreTrainedModel
from ...utils.backbone_utils import BackboneMixin
from .configuration_convnext import ConvNextConfig


class ConvNextLayerNorm(nn.LayerNorm):
    """Layer normalisation over the channels.

    Args:
        data_format: "channels_last" for inputs `(batch, height, width, channels)`, "channels_first" for
            `(batch, channels, height, width)`.
    """

    def __init__(self, normalized_shape: int, eps: float = 1e-6, data_format: str = "channels_last") -> None:
        super().__init__(normalized_shape, eps)
        if data_format not in ("channels_last", "channels_first"):
            raise NotImplementedError(f"data_format is 'channels_last' or 'channels_first', found {data_format!r}")
        self.data_format = data_format

    def forward(self, x: Tensor) -> Tensor:
        if self.data_format == "channels_last":
            return super().forward(x)
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNextEmbeddings(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        width, patch = config.hidden_sizes[0], config.patch_size
        self.num_channels = config.num_channels
        self.patch_embeddings = nn.Conv2d(config.num_channels, width, patch, patch)
        self.layernorm = ConvNextLayerNorm(width, data_format="channels_first")

    def forward(self, pixel_values: Tensor) -> Tensor:
        check_pixels(pixel_values, self.num_channels)
        return self.layernorm(self.patch_embeddings(pixel_values))


class ConvNextLayer(nn.Module):
    def __init__(self, config: Any, dim: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.layernorm = ConvNextLayerNorm(dim)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.act = ACT2FN[config.hidden_act]
        self.pwconv2 = nn.Linear(4 * dim, dim)
        scale = getattr(config, "layer_scale_init_value", 0)
        self.layer_scale_parameter = nn.Parameter(scale * torch.ones(dim)) if scale > 0 else None
        self.drop_path = DropPath(drop_path)

    def mlp(self, x: Tensor) -> Tensor:
        """What each position, or each image, goes through by itself: `(batch, height, width, channels)` to the same."""
        return self.pwconv2(self.act(self.pwconv1(x)))

    def forward(self, x: Tensor) -> Tensor:
        y = in_pieces(self.mlp, self.layernorm(self.dwconv(x).permute(0, 2, 3, 1)), growth=4)
        if self.layer_scale_parameter is not None:
            y = self.layer_scale_parameter * y
        return x + self.drop_path(y.permute(0, 3, 1, 2))


class ConvNextStage(nn.Module):
    """Halves the resolution, but in the first stage, and runs the layers `layer(config, channels, drop path)`."""

    def __init__(
        self, config: Any, in_channels: int, out_channels: int, stride: int, rates: list[float], layer: Any
    ) -> None:
        super().__init__()
        self.downsampling_layer = nn.Identity()
        if in_channels != out_channels or stride > 1:
            self.downsampling_layer = nn.Sequential(
                ConvNextLayerNorm(in_channels, data_format="channels_first"),
                nn.Conv2d(in_channels, out_channels, kernel_size=stride if stride > 1 else 2, stride=stride),
            )
        self.layers = nn.Sequential(*(layer(config, out_channels, rate) for rate in rates))

    def forward(self, x: Tensor, call: Call | None = None) -> Tensor:
        return self.layers(self.downsampling_layer(x))


class ConvNextEncoder(nn.Module):
    def __init__(self, config: Any, layer: Any = ConvNextLayer) -> None:
        super().__init__()
        rates = drop_path_rates(config.drop_path_rate, sum(config.depths))
        stages, before = [], config.hidden_sizes[0]
        for i in range(config.num_stages):
            first, width = sum(config.depths[:i]), config.hidden_sizes[i]
            own = rates[first : first + config.depths[i]]
            stages.append(ConvNextStage(config, before, width, 1 if i == 0 else 2, own, layer))
            before = width
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.stages, x, call)


class ConvNextPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, main_input_name = ConvNextConfig, "convnext", "pixel_values"
    input_embeddings = "embeddings.patch_embeddings"
    layer_class: type[nn.Module] = ConvNextLayer


class ConvNextModel(ConvNextPreTrainedModel):
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.embeddings = ConvNextEmbeddings(config)
        self.encoder = ConvNextEncoder(config, self.layer_class)
        self.layernorm = nn.LayerNorm(config.hidden_sizes[-1], config.layer_norm_eps)

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, *, call: Call) -> Any:
        x = self.encoder(self.embeddings(pixel_values), call)
        pooled = self.layernorm(x.mean((-2, -1)))
        return call.finish(x, BaseModelOutputWithPoolingAndNoAttention, pooler_output=pooled)


HEAD = {
    "pool": "pooled",
    "output": ImageClassifierOutputWithNoAttention,
    "signature": "pixel_values labels output_hidden_states return_dict",
}


class ConvNextForImageClassification(ImageClassification, ConvNextPreTrainedModel, body=ConvNextModel, **HEAD):
    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.classifier = self.build_classifier(config, config.hidden_sizes[-1])


class ConvNextBackbone(ConvNextPreTrainedModel, BackboneMixin):
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._init_backbone(config)
        self.embeddings = ConvNextEmbeddings(config)
        self.encoder = ConvNextEncoder(config, self.layer_class)
        self.num_features = [config.hidden_sizes[0], *config.hidden_sizes]
        self.hidden_states_norms = nn.ModuleDict(
            {
                name: ConvNextLayerNorm(width, data_format="channels_first")
                for name, width in zip(self.out_features, self.channels)
            }
        )

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, *, call: Call) -> Any:
        asked, call.hidden_states = call.hidden_states is not None, []
        x = self.encoder(self.embeddings(pixel_values), call)
        stages = (*call.hidden_states, x)
        norms = self.hidden_states_norms
        maps = tuple(norms[name](x) for name, x in zip(self.stage_names, stages) if name in norms)
        return BackboneOutput(feature_maps=maps, hidden_states=stages if asked else None)
