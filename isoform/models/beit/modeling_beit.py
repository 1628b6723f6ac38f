"""BEiT: ViT with a bias of relative positions, pretrained to predict visual tokens (Bao et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import ConfigError
from ...heads.base import Head, recorded
from ...heads.losses import token_loss
from ...heads.vision import ImageClassification, SemanticSegmentation, TokenBackbone
from ...layers import (
    Call,
    Dropout,
    DropPath,
    PatchEmbeddings,
    drop_path,  # noqa: F401 - a documented path
    drop_path_rates,
    model_forward,
    relative_bias,
    relative_index,
    resize_grid,
)
from ...layers.encoder import SelfAttention
from ...layers.pyramid import ConvHead, ConvNorm, PyramidHead
from ...modeling_outputs import BaseModelOutputWithPooling, MaskedLMOutput
from ..vit.modeling_vit import (
    VisionTransformer,
    ViTAttention,
    ViTEncoder,
    ViTIntermediate,
    ViTOutput,
    ViTSelfOutput,
    masked_patches,
)
from .configuration_beit import BeitConfig

BeitDropPath, BeitSelfOutput, BeitIntermediate, BeitOutput = DropPath, ViTSelfOutput, ViTIntermediate, ViTOutput


@dataclass
class BeitModelOutputWithPooling(BaseModelOutputWithPooling):
    """Of the bare model; `pooler_output` is the mean of the patches, or the first token."""


class BeitPatchEmbeddings(PatchEmbeddings): ...


class BeitEmbeddings(nn.Module):
    """Embeddings of the first token and of patches, of images of any size."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width)) if config.use_mask_token else None
        self.patch_embeddings = BeitPatchEmbeddings(config)
        self.position_embeddings = None
        if config.use_absolute_position_embeddings:
            self.position_embeddings = nn.Parameter(torch.zeros(1, self.patch_embeddings.num_patches + 1, width))
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor, bool_masked_pos: Tensor | None = None) -> Tensor:
        x = self.patch_embeddings(pixel_values, any_size=True)
        first: Tensor = self.cls_token
        if self.position_embeddings is not None:
            positions = self.position_embeddings[:, 1:]
            first = first + self.position_embeddings[:, :1]
            old, new = self.patch_embeddings.grid, self.patch_embeddings.grid_of(pixel_values)
            x = x + (positions if old == new else resize_grid(positions, old, new))
        if bool_masked_pos is not None:  # masked patches have no position either
            x = masked_patches(x, bool_masked_pos, self.mask_token)
        return self.dropout(torch.cat((first.expand(x.shape[0], -1, -1), x), 1))


class BeitRelativePositionBias(nn.Module):
    """A bias for each offset between two patches and each head, and three more for the first token."""

    def __init__(self, config: BeitConfig, window_size: tuple[int, int]) -> None:
        super().__init__()
        rows, columns = self.window_size = window_size
        offsets = (2 * rows - 1) * (2 * columns - 1) + 3
        self.relative_position_bias_table = nn.Parameter(torch.zeros(offsets, config.num_attention_heads))

    def forward(self, call: Call) -> Tensor:
        """`(1, heads, 1 + patches, 1 + patches)`.

        Raises:
            ValueError: the image is of another size than the model's.
        """
        rows, columns = self.window_size
        if call.query_length != rows * columns + 1:
            raise ValueError(
                f"The relative position bias is for {rows} x {columns} patches, found {call.query_length - 1}: images"
                " must be of the configured size"
            )
        table = self.relative_position_bias_table
        index = call.shared(("offsets", self.window_size), lambda: (self.offsets(table.device),), table.device)[0]
        return relative_bias(table, index)

    def offsets(self, device: torch.device) -> Tensor:
        """Rows of the table; the last three are from the first token, to it, and from it to itself."""
        count = self.relative_position_bias_table.shape[0]
        index = F.pad(relative_index(*self.window_size, device), (1, 0, 1, 0))
        first = torch.arange(index.shape[0], device=device) == 0
        index = torch.where(first[:, None], count - 3, torch.where(first, count - 2, index))
        return torch.where(first[:, None] & first, count - 1, index)


class BeitSelfAttention(SelfAttention):
    """Attention whose keys have no bias."""

    def __init__(self, config: BeitConfig, index: int = 0, window_size: tuple[int, int] | None = None) -> None:
        super().__init__(config, index)
        self.key = nn.Linear(config.hidden_size, self.all_head_size, bias=False)
        own = config.use_relative_position_bias and window_size is not None
        self.relative_position_bias = BeitRelativePositionBias(config, window_size) if own else None  # type: ignore[arg-type]

    def bias(self, q: Tensor, k: Tensor, call: Call) -> Tensor | None:
        bias = call.bias
        if self.relative_position_bias is not None:
            own = self.relative_position_bias(call)
            bias = own if bias is None else own + bias
        if bias is not None and bias.shape[1] != q.shape[1]:  # pruned heads
            gone = self.__dict__["pruned_heads"]
            bias = bias[:, [head for head in range(bias.shape[1]) if head not in gone]]
        return None if bias is None else bias.to(q.dtype)


class BeitAttention(ViTAttention):
    def __init__(self, config: BeitConfig, index: int = 0, window_size: tuple[int, int] | None = None) -> None:
        super().__init__(config, index, BeitSelfAttention(config, index, window_size))


class BeitLayer(nn.Module):
    def __init__(
        self, config: BeitConfig, index: int = 0, window_size: tuple[int, int] | None = None,
        drop_path_rate: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        width, scale = config.hidden_size, config.layer_scale_init_value
        self.attention = BeitAttention(config, index, window_size)
        self.intermediate = BeitIntermediate(config)
        self.output = BeitOutput(config)
        self.layernorm_before = nn.LayerNorm(width, config.layer_norm_eps)
        self.drop_path = DropPath(drop_path_rate)
        self.layernorm_after = nn.LayerNorm(width, config.layer_norm_eps)
        self.lambda_1 = nn.Parameter(scale * torch.ones(width)) if scale > 0 else None
        self.lambda_2 = nn.Parameter(scale * torch.ones(width)) if scale > 0 else None

    def forward(self, x: Tensor, call: Call) -> Tensor:
        y = self.attention(self.layernorm_before(x), call)
        x = x + self.drop_path(y if self.lambda_1 is None else self.lambda_1 * y)
        y = self.output(self.intermediate(self.layernorm_after(x)))
        return x + self.drop_path(y if self.lambda_2 is None else self.lambda_2 * y)


class BeitEncoder(ViTEncoder):
    def __init__(self, config: BeitConfig, window_size: tuple[int, int] | None = None) -> None:
        rates = drop_path_rates(config.drop_path_rate, config.num_hidden_layers)
        super().__init__(config, lambda config, i: BeitLayer(config, i, window_size, rates[i]))
        shared = config.use_shared_relative_position_bias and window_size is not None
        self.relative_position_bias = BeitRelativePositionBias(config, window_size) if shared else None  # type: ignore[arg-type]

    def forward(self, x: Tensor, call: Call) -> Tensor:
        call.start_encoding(x)
        if self.relative_position_bias is not None:
            call.bias = self.relative_position_bias(call)
        return super().forward(x, call)


class BeitPooler(nn.Module):
    """The normalised mean of the patches, or the first token."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps) if config.use_mean_pooling else None

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0] if self.layernorm is None else self.layernorm(x[:, 1:].mean(1))


class BeitPreTrainedModel(VisionTransformer):
    config_class, base_model_prefix = BeitConfig, "beit"
    ignored_checkpoint_keys = (r"relative_position_index$",)  # computed here
    _no_split_modules = ["BeitLayer"]


class BeitModel(BeitPreTrainedModel):
    """The bare model.

    Args:
        add_pooling_layer: also give `pooler_output`.
    """

    def __init__(self, config: BeitConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = BeitEmbeddings(config)
        self.encoder = BeitEncoder(config, self.embeddings.patch_embeddings.grid)
        norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.layernorm = nn.Identity() if config.use_mean_pooling else norm
        self.pooler = BeitPooler(config) if add_pooling_layer else None

    @model_forward
    def forward(self, pixel_values=None, bool_masked_pos=None, head_mask=None, *, call: Call) -> Any:
        x = self.encoder(self.embeddings(pixel_values, bool_masked_pos), call)
        last = self.layernorm(x)
        pooled = None if self.pooler is None else self.pooler(last)
        return call.finish(x, BeitModelOutputWithPooling, last_hidden_state=last, pooler_output=pooled)


class BeitForMaskedImageModeling(Head, BeitPreTrainedModel, body=BeitModel, body_options={"add_pooling_layer": False}):
    """Predicts the visual token of each patch; `labels` `(masked patches,)` are those of the masked ones."""

    def build_head(self, config: BeitConfig) -> None:
        self.num_labels = config.num_labels
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> MaskedLMOutput:
        outputs = self.run_body(inputs)
        logits = self.lm_head(self.layernorm(outputs.last_hidden_state)[:, 1:])
        loss = None
        if labels is not None:
            if inputs.get("bool_masked_pos") is None:
                raise ValueError("labels are those of masked patches: pass bool_masked_pos with them")
            loss = token_loss(logits[inputs["bool_masked_pos"].bool()], labels)
        return MaskedLMOutput(loss=loss, logits=logits, **recorded(outputs, MaskedLMOutput))


class BeitForImageClassification(
    ImageClassification, BeitPreTrainedModel, body=BeitModel, pool="pooled", signature="pixel_values head_mask"
): ...


class BeitConvModule(ConvNorm, norm="bn"): ...


def _pyramid(width: int, eps: float = 1e-5) -> tuple[nn.Module, ...]:
    """What makes maps of 4, 2, 1 and 1/2 times the size of their input (Li et al. 2022, ViTDet)."""
    double = [nn.ConvTranspose2d(width, width, 2, stride=2) for _ in range(3)]
    fourfold = nn.Sequential(double[0], nn.BatchNorm2d(width, eps), nn.GELU(), double[1])
    return fourfold, nn.Sequential(double[2]), nn.Identity(), nn.MaxPool2d(2, stride=2)


def _check_four(config: BeitConfig, name: str) -> None:
    if len(config.out_indices) != 4:
        raise ConfigError(
            f"{name} requires config.out_indices to be a list of 4 integers, specifying which features to use from the"
            " backbone. One can use [3, 5, 7, 11] in case of a base-sized architecture."
        )


class BeitForSemanticSegmentation(
    SemanticSegmentation,
    BeitPreTrainedModel,
    body=BeitModel,
    body_options={"add_pooling_layer": False},
    signature="pixel_values head_mask",
):
    """Classes of pixels, by UPerNet over four layers: those before the `out_indices`."""

    def build_head(self, config: BeitConfig) -> None:
        _check_four(config, "BeitForSemanticSegmentation")
        width, labels = config.hidden_size, config.num_labels
        self.num_labels = labels
        self.fpn1, self.fpn2, self.fpn3, self.fpn4 = _pyramid(width)
        self.decode_head = PyramidHead([width] * 4, width, config.pool_scales, labels, BeitConvModule)
        self.auxiliary_head = None
        if config.use_auxiliary_head:
            inside, count, concat = config.auxiliary_channels, config.auxiliary_num_convs, config.auxiliary_concat_input
            self.auxiliary_head = ConvHead(2, width, inside, count, concat, labels, BeitConvModule)

    def segment(self, outputs: Any, pixel_values: Tensor) -> tuple[Tensor, Tensor | None]:
        grid = self.beit.embeddings.patch_embeddings.grid_of(pixel_values)
        chosen = [x for i, x in enumerate(outputs.hidden_states) if i + 1 in self.config.out_indices]
        maps = [x[:, 1:].transpose(1, 2).unflatten(2, grid) for x in chosen]
        maps = [resize(x) for resize, x in zip((self.fpn1, self.fpn2, self.fpn3, self.fpn4), maps)]
        return self.decode_head(maps), None if self.auxiliary_head is None else self.auxiliary_head(maps)


class BeitBackbone(TokenBackbone, BeitPreTrainedModel):
    def __init__(self, config: BeitConfig) -> None:
        super().__init__(config)
        self.embeddings = BeitEmbeddings(config)
        self.encoder = BeitEncoder(config, self.embeddings.patch_embeddings.grid)
        if config.add_fpn:
            _check_four(config, "BeitBackbone")
            eps = getattr(config, "batch_norm_eps", 1e-5)
            self.fpn1, self.fpn2, self.fpn3, self.fpn4 = _pyramid(config.hidden_size, eps)

    def feature_map(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        config = self.config
        return super().feature_map(x, grid) if config.reshape_hidden_states or config.add_fpn else x

    def feature_maps(self, stages: Any, grid: tuple[int, int]) -> list[Tensor]:
        maps = super().feature_maps(stages, grid)
        if not self.config.add_fpn:
            return maps
        return [resize(x) for resize, x in zip((self.fpn1, self.fpn2, self.fpn3, self.fpn4), maps)]
