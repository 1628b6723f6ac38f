"""DPT: dense predictions from the states of a vision transformer's layers (Ranftl et al. 2021).

The states of some layers become maps of different resolutions (reassemble), which are fused from the coarsest to the
finest (fusion). The transformer is a ViT over patches, a ViT over the maps of a ResNet (hybrid), or any backbone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads.vision import segmentation_loss
from ...layers import Call, Dropout, PatchEmbeddings, model_forward, pair, resize_grid
from ...layers.patches import check_pixels
from ...modeling_outputs import DepthEstimatorOutput, SemanticSegmenterOutput
from ...modeling_utils import PreTrainedModel
from ...utils import ModelOutput
from ...utils.backbone_utils import load_backbone
from ..vit.modeling_vit import VisionTransformer, ViTEncoder, ViTLayer, ViTPooler
from .configuration_dpt import DPTConfig


@dataclass
class BaseModelOutputWithIntermediateActivations(ModelOutput):
    """Embeddings `(batch, tokens, hidden)`, and the maps that a hybrid's ResNet gave on the way."""

    last_hidden_states: Tensor | None = None
    intermediate_activations: tuple[Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithPoolingAndIntermediateActivations(ModelOutput):
    """Output of the bare model; `intermediate_activations` are the maps of a hybrid's ResNet."""

    last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    intermediate_activations: tuple[Tensor, ...] | None = None


class Embedded(NamedTuple):
    """Embeddings `(batch, 1 + places, hidden)`, the maps of a hybrid's ResNet, and rows and columns of places."""

    tokens: Tensor
    maps: tuple[Tensor, ...]
    grid: tuple[int, ...]


class DPTViTPatchEmbeddings(PatchEmbeddings): ...


class DPTViTEmbeddings(nn.Module):
    """A class token and the patches of images of any size."""

    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.patch_embeddings = DPTViTPatchEmbeddings(config)
        self.grid = self.patch_embeddings.grid
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.grid[0] * self.grid[1] + 1, config.hidden_size))
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor) -> Embedded:
        x = self.patch_embeddings.project(pixel_values, any_size=True)
        return Embedded(self.dropout(_tokens(self, x)), (), tuple(x.shape[2:]))


class DPTViTHybridEmbeddings(nn.Module):
    """A class token and the places of the last map of a ResNet; its first two maps go to the neck directly."""

    residual_feature_map_index = (0, 1)

    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.image_size, patch = pair(config.image_size), pair(config.patch_size)
        self.grid = self.image_size[0] // patch[0], self.image_size[1] // patch[1]
        self.num_channels = config.num_channels
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.grid[0] * self.grid[1] + 1, config.hidden_size))
        self.backbone = load_backbone(config)
        if len(self.backbone.channels) != 3:
            raise ValueError(f"Expected backbone to have 3 output features, got {len(self.backbone.channels)}")
        self.projection = nn.Conv2d(self.backbone.channels[-1], config.hidden_size, kernel_size=1)

    def forward(self, pixel_values: Tensor) -> Embedded:
        check_pixels(pixel_values, self.num_channels)
        size = tuple(pixel_values.shape[2:])
        if size != self.image_size:
            height, width = self.image_size
            raise ValueError(f"Input image size ({size[0]}*{size[1]}) doesn't match model ({height}*{width}).")
        maps = self.backbone(pixel_values, return_dict=True).feature_maps
        x = self.projection(maps[-1])
        return Embedded(_tokens(self, x), tuple(maps[i] for i in self.residual_feature_map_index), tuple(x.shape[2:]))


def _tokens(embeddings: Any, x: Tensor) -> Tensor:
    """The class token and then the places of a map `(batch, hidden, rows, columns)`, plus positions."""
    grid, positions = tuple(x.shape[2:]), embeddings.position_embeddings
    if not all(isinstance(size, int) for size in grid) or grid != embeddings.grid:  # symbols decide nothing
        resized = resize_grid(positions[:, 1:], embeddings.grid, grid, mode="bilinear")  # type: ignore[arg-type]
        positions = torch.cat((positions[:, :1], resized), 1)
    first = embeddings.cls_token.expand(x.shape[0], -1, -1)
    return torch.cat((first, x.flatten(2).transpose(1, 2)), 1) + positions


class DPTViTLayer(ViTLayer): ...


class DPTViTPooler(ViTPooler): ...


class DPTReassembleLayer(nn.Module):
    """Projects a map and changes its resolution.

    Args:
        inputs, channels: before and after the projection.
        factor: of the resolution.
    """

    def __init__(self, inputs: int, channels: int, factor: float) -> None:
        super().__init__()
        self.projection = nn.Conv2d(inputs, channels, kernel_size=1)
        self.resize: nn.Module = nn.Identity()
        if factor > 1:
            self.resize = nn.ConvTranspose2d(channels, channels, kernel_size=int(factor), stride=int(factor))
        elif factor < 1:
            self.resize = nn.Conv2d(channels, channels, kernel_size=3, stride=int(1 / factor), padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.resize(self.projection(x))


class DPTReassembleStage(nn.Module):
    """Makes maps of different resolutions from the states of different layers.

    Args:
        inputs: width of each layer's states.
        tokens: the states are `(batch, 1 + places, width)`, with a first token to read out; otherwise they are maps.
    """

    def __init__(self, config: DPTConfig, inputs: Sequence[int], tokens: bool) -> None:
        super().__init__()
        self.readout_type, self.ignored = config.readout_type, config.neck_ignore_stages
        self.layers = nn.ModuleList()
        projects: list[nn.Module] = []
        for i, (width, channels, factor) in enumerate(zip(inputs, config.neck_hidden_sizes, config.reassemble_factors)):
            plain = config.is_hybrid and i <= 1  # a map of the ResNet
            self.layers.append(nn.Identity() if plain else DPTReassembleLayer(width, channels, factor))
            dense = (nn.Linear(2 * width, width), ACT2FN[config.hidden_act])
            projects.append(nn.Sequential(nn.Identity()) if plain else nn.Sequential(*dense))
        if self.readout_type == "project" and tokens:
            self.readout_projects = nn.ModuleList(projects)

    def forward(self, states: Sequence[Tensor], grid: tuple[int, int]) -> list[Tensor]:
        """`states` are `(batch, 1 + places, hidden)`, of a grid of places, or maps."""
        return [
            x if i in self.ignored else layer(self.read_out(x, i, grid) if x.dim() == 3 else x)
            for i, (x, layer) in enumerate(zip(states, self.layers))
        ]

    def read_out(self, x: Tensor, index: int, grid: tuple[int, int]) -> Tensor:
        """The map of the places, with what the first token says on them."""
        first, x = x[:, :1], x[:, 1:]
        if self.readout_type == "project":
            x = self.readout_projects[index](torch.cat((x, first.expand_as(x)), -1))
        elif self.readout_type == "add":
            x = x + first
        return x.transpose(1, 2).unflatten(2, grid)


class DPTPreActResidualLayer(nn.Module):
    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.use_batch_norm = config.use_batch_norm_in_fusion_residual
        bias, width = config.use_bias_in_fusion_residual, config.fusion_hidden_size
        bias = not self.use_batch_norm if bias is None else bias
        self.activation1 = nn.ReLU()
        self.convolution1 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=bias)
        self.activation2 = nn.ReLU()
        self.convolution2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=bias)
        if self.use_batch_norm:
            self.batch_norm1, self.batch_norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolution1(self.activation1(x))
        y = self.batch_norm1(y) if self.use_batch_norm else y
        y = self.convolution2(self.activation2(y))
        return x + (self.batch_norm2(y) if self.use_batch_norm else y)


class DPTFeatureFusionLayer(nn.Module):
    """Adds a finer map to the fused one, and doubles the resolution.

    Args:
        align_corners: how to interpolate.
    """

    def __init__(self, config: DPTConfig, align_corners: bool = True) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.projection = nn.Conv2d(config.fusion_hidden_size, config.fusion_hidden_size, kernel_size=1)
        self.residual_layer1 = DPTPreActResidualLayer(config)
        self.residual_layer2 = DPTPreActResidualLayer(config)

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        if residual is not None:
            if x.shape[2:] != residual.shape[2:]:
                residual = F.interpolate(residual, size=x.shape[2:], mode="bilinear", align_corners=False)
            x = x + self.residual_layer1(residual)
        return self.projection(_doubled(self.residual_layer2(x), self.align_corners))


def _doubled(x: Tensor, align_corners: bool = True) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=align_corners)


class DPTFeatureFusionStage(nn.Module):
    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DPTFeatureFusionLayer(config) for _ in config.neck_hidden_sizes)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The fused maps, the coarsest first; `maps` begin with the finest."""
        fused: list[Tensor] = []
        for x, layer in zip(reversed(maps), self.layers):
            fused.append(layer(fused[-1], x) if fused else layer(x))
        return fused


class DPTNeck(nn.Module):
    """Turns the states of layers into fused maps; arguments as those of `DPTReassembleStage`."""

    def __init__(self, config: DPTConfig, inputs: Sequence[int], tokens: bool) -> None:
        super().__init__()
        self.reassemble_stage = DPTReassembleStage(config, inputs, tokens)
        width = config.fusion_hidden_size
        self.convs = nn.ModuleList(nn.Conv2d(n, width, 3, padding=1, bias=False) for n in config.neck_hidden_sizes)
        self.fusion_stage = DPTFeatureFusionStage(config)

    def forward(self, states: Sequence[Tensor], grid: tuple[int, int]) -> list[Tensor]:
        if len(states) != len(self.convs):
            raise ValueError(
                "The number of hidden states should be equal to the number of neck hidden sizes."
                f" Found {len(states)} states for {len(self.convs)} sizes: see backbone_out_indices"
            )
        maps = self.reassemble_stage(states, grid)
        return self.fusion_stage([conv(x) for conv, x in zip(self.convs, maps)])


class DPTPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, main_input_name = DPTConfig, "dpt", "pixel_values"


class DPTModel(DPTPreTrainedModel):
    """The bare model.

    Args:
        add_pooling_layer: also give `pooler_output`.
    """

    def __init__(self, config: DPTConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        if config.num_hidden_layers is None:
            raise ValueError("DPTModel is a ViT of its own: with a backbone_config, only is_hybrid=True has one")
        self.embeddings: nn.Module = DPTViTHybridEmbeddings(config) if config.is_hybrid else DPTViTEmbeddings(config)
        self.encoder = ViTEncoder(config, DPTViTLayer)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.pooler = DPTViTPooler(config) if add_pooling_layer else None

    _prune_heads = VisionTransformer._prune_heads

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings if self.config.is_hybrid else self.embeddings.patch_embeddings  # type: ignore[return-value]

    @model_forward
    def forward(self, pixel_values=None, head_mask=None, *, call: Call) -> Any:
        embedded = self.embeddings(pixel_values)
        x = self.encoder(embedded.tokens, call)
        last = self.layernorm(x)
        return call.finish(
            x,
            BaseModelOutputWithPoolingAndIntermediateActivations,
            last_hidden_state=last,
            pooler_output=None if self.pooler is None else self.pooler(last),
            intermediate_activations=embedded.maps or None,
        )


class DPTDense(DPTPreTrainedModel):
    """What the heads share: fused maps of an image. Subclasses build the head and give `predict`."""

    def __init__(self, config: DPTConfig) -> None:
        super().__init__(config)
        count = len(config.neck_hidden_sizes)
        if config.backbone_config is not None and not config.is_hybrid:
            self.backbone = load_backbone(config)
            tokens = not getattr(config.backbone_config, "reshape_hidden_states", True)
            self.neck = DPTNeck(config, self.backbone.channels, tokens)
        else:
            self.dpt = DPTModel(config, add_pooling_layer=False)
            self.neck = DPTNeck(config, [config.hidden_size] * count, True)
        self.build_head(config)

    def build_head(self, config: DPTConfig) -> None:
        raise NotImplementedError

    def predict(self, maps: list[Tensor], labels: Tensor | None, **recorded: Any) -> ModelOutput:
        """The output from the fused maps, the coarsest first."""
        raise NotImplementedError

    @model_forward
    def forward(self, pixel_values=None, head_mask=None, labels=None, *, call: Call) -> Any:
        shown = call.hidden_states is not None
        if hasattr(self, "backbone"):
            outputs = self.backbone.forward_with_filtered_kwargs(
                pixel_values,
                output_hidden_states=shown,
                output_attentions=call.attentions is not None,
                return_dict=True,
            )
            states, hidden, attentions = outputs.feature_maps, outputs.hidden_states, outputs.attentions
            patch = pair(getattr(self.config.backbone_config, "patch_size", 1))
            grid = pixel_values.shape[2] // patch[0], pixel_values.shape[3] // patch[1]
        else:
            states, hidden, grid = self.states(pixel_values, call)
            attentions = None if call.attentions is None else tuple(call.attentions)
        maps = self.neck(states, grid)
        return self.predict(maps, labels, hidden_states=hidden if shown else None, attentions=attentions)

    def states(self, pixel_values: Any, call: Call) -> tuple[list[Tensor], tuple[Tensor, ...], Any]:
        """What the neck sees, all hidden states, and rows and columns of places."""
        embedded = self.dpt.embeddings(pixel_values)
        call.hidden_states = []
        x = self.dpt.encoder(embedded.tokens, call)
        hidden = (*call.hidden_states, x)
        chosen = self.config.backbone_out_indices
        chosen = chosen[2:] if self.config.is_hybrid else chosen  # in place of the others there are maps
        return [*embedded.maps, *(x for i, x in enumerate(hidden[1:]) if i in chosen)], hidden, embedded.grid


class DPTDepthEstimationHead(nn.Module):
    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.index, width = config.head_in_index, config.fusion_hidden_size
        self.projection = nn.Conv2d(width, width, 3, padding=1) if config.add_projection else None
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, kernel_size=3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            nn.Conv2d(width // 2, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 1, kernel_size=1),
            nn.ReLU(),
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Depths `(batch, height, width)`."""
        x = maps[self.index]
        if self.projection is not None:
            x = F.relu(self.projection(x))
        return self.head(x).squeeze(1)


class DPTForDepthEstimation(DPTDense):
    def build_head(self, config: DPTConfig) -> None:
        self.head = DPTDepthEstimationHead(config)

    def predict(self, maps: list[Tensor], labels: Tensor | None, **recorded: Any) -> DepthEstimatorOutput:
        if labels is not None:
            raise NotImplementedError("Training is not implemented yet: compute a loss from `predicted_depth`")
        return DepthEstimatorOutput(predicted_depth=self.head(maps), **recorded)


def _classifier(config: DPTConfig, dropout: float) -> list[nn.Module]:
    width = config.fusion_hidden_size
    return [
        nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(width, config.num_labels, kernel_size=1),
    ]


class DPTSemanticSegmentationHead(nn.Module):
    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.index = config.head_in_index
        enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.head = nn.Sequential(*_classifier(config, config.semantic_classifier_dropout), enlarge)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        return self.head(maps[self.index])


class DPTAuxiliaryHead(nn.Module):
    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        self.head = nn.Sequential(*_classifier(config, 0.1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x)


class DPTForSemanticSegmentation(DPTDense):
    def build_head(self, config: DPTConfig) -> None:
        self.head = DPTSemanticSegmentationHead(config)
        self.auxiliary_head = DPTAuxiliaryHead(config) if config.use_auxiliary_head else None

    def predict(self, maps: list[Tensor], labels: Tensor | None, **recorded: Any) -> SemanticSegmenterOutput:
        logits, loss = self.head(maps), None
        if labels is not None:
            auxiliary = None if self.auxiliary_head is None else self.auxiliary_head(maps[-1])
            loss = segmentation_loss(logits, labels, self.config, auxiliary)
        return SemanticSegmenterOutput(loss=loss, logits=logits, **recorded)
