"""Swin: attention within windows that shift from layer to layer, over ever coarser patches (Liu et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...heads.vision import ImageClassification, MaskedImageModeling
from ...layers import (
    Call,
    Dropout,
    DropPath,
    PatchEmbeddings,
    drop_path,  # noqa: F401 - a documented path
    model_forward,
    relative_bias,
    relative_index,
)
from ...layers.encoder import DenseDropout, Intermediate, Prunable, SelfAttention
from ...layers.patches import check_pixels
from ...modeling_outputs import (
    BackboneOutput,
    BaseModelOutput,
    BaseModelOutputWithPooling,
    ImageClassifierOutput,
    MaskedImageModelingOutput,
)
from ...modeling_utils import PreTrainedModel
from ...utils.backbone_utils import BackboneMixin
from ..vit.modeling_vit import masked_patches
from .configuration_swin import SwinConfig

Grid = tuple[int, int]
SwinDropPath, SwinIntermediate, SwinSelfOutput = DropPath, Intermediate, DenseDropout


@dataclass
class SwinEncoderOutput(BaseModelOutput):
    """Of the stages; `reshaped_hidden_states` are the `hidden_states` as maps (batch, hidden, rows, columns)."""

    reshaped_hidden_states: tuple[torch.Tensor, ...] | None = None


@dataclass
class SwinModelOutput(BaseModelOutputWithPooling):
    """Of the bare model; `reshaped_hidden_states` are the `hidden_states` as maps (batch, hidden, rows, columns)."""

    reshaped_hidden_states: tuple[torch.Tensor, ...] | None = None


@dataclass
class SwinMaskedImageModelingOutput(MaskedImageModelingOutput):
    """Of the model that fills in patches; `reshaped_hidden_states` as in `SwinModelOutput`."""

    reshaped_hidden_states: tuple[torch.Tensor, ...] | None = None


@dataclass
class SwinImageClassifierOutput(ImageClassifierOutput):
    """Of the classifier; `reshaped_hidden_states` as in `SwinModelOutput`."""

    reshaped_hidden_states: tuple[torch.Tensor, ...] | None = None


def window_partition(input_feature: Tensor, window_size: int) -> Tensor:
    """Cut maps `(batch, rows, columns, channels)` into windows `(batch * windows, size, size, channels)`."""
    batch, rows, columns, channels = input_feature.shape
    down, right = rows // window_size, columns // window_size
    x = input_feature.reshape(batch, down, window_size, right, window_size, channels)
    return x.transpose(2, 3).reshape(batch * down * right, window_size, window_size, channels)


def window_reverse(windows: Tensor, window_size: int, height: int, width: int, batch: int = -1) -> Tensor:
    """Put windows together again, `(batch, height, width, channels)`; the batch follows from the rest by default."""
    down, right, channels = height // window_size, width // window_size, windows.shape[-1]
    x = windows.reshape(batch, down, right, window_size, window_size, channels)
    return x.transpose(2, 3).reshape(batch, height, width, channels)


def as_map(x: Tensor, grid: Grid) -> Tensor:
    """Tokens `(batch, rows * columns, hidden)` as a map `(batch, hidden, rows, columns)`."""
    return x.transpose(1, 2).unflatten(2, grid)


def pad_map(x: Tensor, rows: int, columns: int) -> Tensor:
    """Zeros below and to the right of maps `(batch, rows, columns, channels)`, up to the given sizes."""
    below, right = rows - x.shape[1], columns - x.shape[2]
    if isinstance(below, int) and isinstance(right, int) and not (below or right):
        return x
    return F.pad(x, (0, 0, 0, right, 0, below))  # by 0 perhaps, where sizes are symbols of a trace: asking takes long


class SwinPatchEmbeddings(PatchEmbeddings):
    """Patches of images of any size; images that do not divide evenly are padded with zeros."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__(config, config.embed_dim)

    def project(self, pixel_values: Tensor, any_size: bool = True) -> Tensor:
        check_pixels(pixel_values, self.num_channels)
        rows, columns = self.grid_of(pixel_values)
        size = rows * self.patch_size[0], columns * self.patch_size[1]
        pixel_values = pad_map(pixel_values.permute(0, 2, 3, 1), *size).permute(0, 3, 1, 2)
        return self.projection(pixel_values.to(self.projection.weight.dtype))

    def grid_of(self, pixel_values: Tensor) -> Grid:
        (height, width), (down, right) = pixel_values.shape[2:], self.patch_size
        return (height + down - 1) // down, (width + right - 1) // right


class SwinEmbeddings(nn.Module):
    def __init__(self, config: SwinConfig, use_mask_token: bool = False) -> None:
        super().__init__()
        width = config.embed_dim
        self.patch_embeddings = SwinPatchEmbeddings(config)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width)) if use_mask_token else None
        self.position_embeddings = None
        if config.use_absolute_embeddings:  # the first row of the table belongs to no patch
            self.position_embeddings = nn.Parameter(torch.zeros(1, self.patch_embeddings.num_patches + 1, width))
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor, bool_masked_pos: Tensor | None = None) -> tuple[Tensor, Grid]:
        x = self.norm(self.patch_embeddings(pixel_values))
        if bool_masked_pos is not None:
            x = masked_patches(x, bool_masked_pos, self.mask_token)
        if self.position_embeddings is not None:
            x = x + self.position_embeddings[:, 1:]
        return self.dropout(x), self.patch_embeddings.grid_of(pixel_values)


class SwinPatchMerging(nn.Module):
    """Joins squares of four patches into one of twice the width."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = nn.LayerNorm(4 * dim)

    def forward(self, x: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        rows, columns = (grid[0] + 1) // 2, (grid[1] + 1) // 2
        x = pad_map(x.unflatten(1, grid), 2 * rows, 2 * columns)
        # The checkpoints take the four patches of a square column by column.
        batch, width = x.shape[0], x.shape[-1]
        x = x.reshape(batch, rows, 2, columns, 2, width).permute(0, 1, 3, 4, 2, 5)
        return self.reduction(self.norm(x.reshape(batch, rows * columns, 4 * width))), (rows, columns)


class SwinSelfAttention(SelfAttention):
    """Attention within windows, with a bias for each offset between two places.

    Args:
        sizes: the fields of the configuration, with those of the stage.
        index: the stage.
    """

    def __init__(self, sizes: Any, index: int = 0) -> None:
        super().__init__(sizes, index, sizes.qkv_bias)
        window = sizes.window_size
        offsets = (2 * window - 1) ** 2
        self.relative_position_bias_table = nn.Parameter(torch.zeros(offsets, sizes.num_attention_heads))
        self.register_buffer("relative_position_index", relative_index(window, window))

    def bias(self, q: Tensor, k: Tensor, call: Call) -> Tensor:
        index: Any = self.relative_position_index
        bias = relative_bias(self.relative_position_bias_table, index).to(q.dtype)
        if call.bias is None:
            return bias
        bias = bias + call.bias.to(q.dtype)  # (windows, heads, places, places)
        return bias.repeat(q.shape[0] // bias.shape[0], 1, 1, 1)


class SwinAttention(Prunable):
    def __init__(self, sizes: Any, index: int = 0) -> None:
        super().__init__()
        self.self = SwinSelfAttention(sizes, index)
        self.output = SwinSelfOutput(sizes)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return self.output(self.self(x, call))


class SwinOutput(DenseDropout):
    def __init__(self, sizes: Any) -> None:
        super().__init__(sizes, sizes.intermediate_size)


class SwinLayer(nn.Module):
    """A layer whose windows are shifted by `shift_size` patches."""

    def __init__(self, sizes: Any, index: int = 0, shift_size: int = 0) -> None:
        super().__init__()
        self.window_size, self.shift_size, self.stage = sizes.window_size, shift_size, index
        self.layernorm_before = nn.LayerNorm(sizes.hidden_size, sizes.layer_norm_eps)
        self.attention = SwinAttention(sizes, index)
        self.drop_path = DropPath(sizes.drop_path_rate)
        self.layernorm_after = nn.LayerNorm(sizes.hidden_size, sizes.layer_norm_eps)
        self.intermediate = SwinIntermediate(sizes)
        self.output = SwinOutput(sizes)

    def forward(self, x: Tensor, grid: Grid, call: Call, always_partition: bool = False) -> Tensor:
        shift = self.shift_size if always_partition or min(grid) > self.window_size else 0
        x = x + self.drop_path(self.attend_windows(self.layernorm_before(x), grid, shift, call))
        return x + self.output(self.intermediate(self.layernorm_after(x)))

    def attend_windows(self, x: Tensor, grid: Grid, shift: int, call: Call) -> Tensor:
        """Attention of `x` `(batch, rows * columns, hidden)` within windows; maps are padded to whole windows."""
        size, (batch, _, width) = self.window_size, x.shape
        rows, columns = ((length + size - 1) // size * size for length in grid)
        x = pad_map(x.unflatten(1, grid), rows, columns).flatten(1, 2)
        device = x.device
        order, back, call.bias = call.shared(
            ("windows", self.stage, shift), lambda: windows(grid, (rows, columns), size, shift, device), device
        )
        x = x.index_select(1, order).reshape(batch * (rows // size) * (columns // size), size * size, width)
        return self.attention(x, call).reshape(batch, rows * columns, width).index_select(1, back)


def windows(
    grid: Grid, padded: Grid, size: int, shift: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor | None]:
    """How to cut a map of `padded` size, rolled by `shift`, into windows.

    Returns:
        The places of the map, window after window; where each place of `grid` is in that order; and, for a rolled map,
        what keeps apart patches from its opposite borders: `(windows, 1, places, places)`, -100 for such pairs.
    """
    places = torch.arange(padded[0] * padded[1], device=device)
    order = window_partition(places.view(1, *padded, 1).roll((-shift, -shift), (1, 2)), size).flatten()
    back = window_reverse(places.view(-1, size, size, 1), size, *padded, 1).roll((shift, shift), (1, 2))
    back = back[0, : grid[0], : grid[1], 0].flatten()
    return order, back, shift_mask(padded, size, shift, device) if shift else None


def shift_mask(grid: Grid, size: int, shift: int, device: torch.device) -> Tensor:
    """What `windows` adds to the scores of a rolled map."""
    bands = []
    for length in grid:
        place = torch.arange(length, device=device)
        bands.append((place >= length - size).long() + (place >= length - shift).long())
    region = 3 * bands[0][:, None] + bands[1]
    region = window_partition(region[None, :, :, None], size).flatten(1)
    apart = region[:, None, :] != region[:, :, None]
    return (apart * -100.0)[:, None]


class SwinStage(nn.Module):
    def __init__(self, config: SwinConfig, index: int) -> None:
        super().__init__()
        width = config.embed_dim * 2**index
        of_stage = {
            "hidden_size": width,
            "num_attention_heads": config.num_heads[index],
            "intermediate_size": int(config.mlp_ratio * width),
        }
        sizes = SimpleNamespace(**{**vars(config), **of_stage})
        shifts = (0 if i % 2 == 0 else config.window_size // 2 for i in range(config.depths[index]))
        self.blocks = nn.ModuleList(SwinLayer(sizes, index, shift) for shift in shifts)
        self.downsample = SwinPatchMerging(width) if index < len(config.depths) - 1 else None

    def forward(self, x: Tensor, grid: Grid, call: Call, always_partition: bool = False) -> tuple[Tensor, Tensor, Grid]:
        """The stage's output, what it was before patches were joined, and the grid of the output."""
        first = 0 if call.attentions is None else len(call.attentions)
        for block in self.blocks:
            x = block(x, grid, call, always_partition)
        if call.attentions is not None:  # those of the last layer stand for the stage
            del call.attentions[first:-1]
        if self.downsample is None:
            return x, x, grid
        merged, grid = self.downsample(x, grid)
        return merged, x, grid


class SwinEncoder(nn.Module):
    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(SwinStage(config, i) for i in range(len(config.depths)))

    def forward(
        self, x: Tensor, grid: Grid, call: Call, always_partition: bool = False
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The output of the last stage; the outputs of all before patches were joined; recorded states, both as maps.

        The maps begin with that of `x`. What is recorded is there only if hidden states were asked for.
        """
        checkpoint = (
            call.model._gradient_checkpointing_func if call.training and call.model.gradient_checkpointing else None
        )
        call.start_encoding(x)
        maps, recorded = [as_map(x, grid)], []
        for stage in self.layers:
            if call.hidden_states is not None:
                call.hidden_states.append(x)
                recorded.append(as_map(x, grid))
            before = grid
            inputs = (x, grid, call, always_partition)
            x, whole, grid = stage(*inputs) if checkpoint is None else checkpoint(stage.__call__, *inputs)
            maps.append(as_map(whole, before))
        recorded.append(as_map(x, grid))
        return x, maps, recorded


class SwinPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, main_input_name = SwinConfig, "swin", "pixel_values"
    input_embeddings = "embeddings.patch_embeddings"
    _no_split_modules = ["SwinStage"]


class SwinModel(SwinPreTrainedModel):
    """The bare model.

    Args:
        add_pooling_layer: also give `pooler_output`, the mean of all tokens.
        use_mask_token: have a token for masked patches, for `bool_masked_pos`.
    """

    def __init__(self, config: SwinConfig, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.num_layers, self.num_features = len(config.depths), config.hidden_size
        self.embeddings = SwinEmbeddings(config, use_mask_token)
        self.encoder = SwinEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.pooler = nn.AdaptiveAvgPool1d(1) if add_pooling_layer else None

    @model_forward
    def forward(self, pixel_values=None, bool_masked_pos=None, head_mask=None, *, call: Call) -> Any:
        x, grid = self.embeddings(pixel_values, bool_masked_pos)
        x, _, maps = self.encoder(x, grid, call)
        last = self.layernorm(x)
        return call.finish(
            x,
            SwinModelOutput,
            last_hidden_state=last,
            pooler_output=None if self.pooler is None else last.mean(1),
            reshaped_hidden_states=None if call.hidden_states is None else tuple(maps),
        )


class SwinForMaskedImageModeling(
    MaskedImageModeling,
    SwinPreTrainedModel,
    body=SwinModel,
    body_options={"add_pooling_layer": False, "use_mask_token": True},
    special=(0, 0),
    output=SwinMaskedImageModelingOutput,
):
    def token_grid(self, pixel_values: Tensor) -> Grid:
        rows, columns = super().token_grid(pixel_values)
        joined = 2 ** (len(self.config.depths) - 1)
        return -(-rows // joined), -(-columns // joined)


class SwinForImageClassification(
    ImageClassification,
    SwinPreTrainedModel,
    body=SwinModel,
    pool="pooled",
    output=SwinImageClassifierOutput,
    signature="pixel_values head_mask",
): ...


class SwinBackbone(BackboneMixin, SwinPreTrainedModel):
    def __init__(self, config: SwinConfig) -> None:
        super().__init__(config)
        self._init_backbone(config)
        self.num_features = [config.embed_dim, *(config.embed_dim * 2**i for i in range(len(config.depths)))]
        self.embeddings = SwinEmbeddings(config)
        self.encoder = SwinEncoder(config)
        norms = {name: nn.LayerNorm(width) for name, width in zip(self.out_features, self.channels)}
        self.hidden_states_norms = nn.ModuleDict(norms)

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, output_attentions=None, return_dict=None,
                *, call: Call) -> Any:  # fmt: skip
        x, grid = self.embeddings(pixel_values)
        _, maps, _ = self.encoder(x, grid, call, always_partition=True)
        chosen = []
        for name, x in zip(self.stage_names, maps):
            if name in self.out_features:
                norm: Any = self.hidden_states_norms[name]
                chosen.append(norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous())
        asked = call.hidden_states is not None
        return BackboneOutput(
            feature_maps=tuple(chosen),
            hidden_states=tuple(x.flatten(2).transpose(1, 2) for x in maps) if asked else None,
            attentions=None if call.attentions is None else tuple(call.attentions),
        )
