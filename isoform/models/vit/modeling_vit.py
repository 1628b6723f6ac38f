"""ViT: a transformer over the patches of an image (Dosovitskiy et al. 2020). Its descendants share its layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ...heads.vision import ImageClassification, MaskedImageModeling
from ...layers import Call, Dropout, PatchEmbeddings, model_forward, resize_grid, run_layers
from ...layers.encoder import DenseDropout, Intermediate, Prunable, SelfAttention
from ...modeling_outputs import BaseModelOutputWithPooling
from ...modeling_utils import PreTrainedModel
from .configuration_vit import ViTConfig


class ViTPatchEmbeddings(PatchEmbeddings): ...


class ViTEmbeddings(nn.Module):
    """Embeddings of patches and of special tokens, plus positions.

    Attributes:
        nudge: see `resize_grid`.
    """

    special_tokens: tuple[str, ...] = ("cls_token",)  # before the patches
    nudge = 0.1

    def __init__(self, config: Any, use_mask_token: bool = False) -> None:
        super().__init__()
        width = config.hidden_size
        for name in self.special_tokens:
            setattr(self, name, nn.Parameter(torch.zeros(1, 1, width)))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width)) if use_mask_token else None
        self.patch_embeddings = ViTPatchEmbeddings(config)
        positions = self.patch_embeddings.num_patches + len(self.special_tokens)
        self.position_embeddings = nn.Parameter(torch.zeros(1, positions, width))
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(
        self, pixel_values: Tensor, bool_masked_pos: Tensor | None = None, interpolate_pos_encoding: bool | None = False
    ) -> Tensor:
        x = self.patch_embeddings(pixel_values, any_size=bool(interpolate_pos_encoding))
        if bool_masked_pos is not None:
            x = masked_patches(x, bool_masked_pos, self.mask_token)
        tokens = [getattr(self, name).expand(x.shape[0], -1, -1) for name in self.special_tokens]
        positions: Tensor = self.position_embeddings
        if interpolate_pos_encoding:
            positions = self.interpolate_pos_encoding(pixel_values)
        return self.dropout(torch.cat((*tokens, x), 1) + positions)

    def interpolate_pos_encoding(self, pixel_values: Tensor) -> Tensor:
        """Position embeddings for images of another size."""
        height, width = pixel_values.shape[2:]
        old, new = self.patch_embeddings.grid, self.patch_embeddings.grid_of(pixel_values)
        # The reference interpolates for images that are not square even where the grid stays the same; with the nudge
        # that is not the identity.
        if new == old and (height == width or old[0] != old[1]):
            return self.position_embeddings
        count = len(self.special_tokens)
        special, patches = self.position_embeddings[:, :count], self.position_embeddings[:, count:]
        return torch.cat((special, resize_grid(patches, old, new, nudge=self.nudge)), 1)


def masked_patches(x: Tensor, mask: Tensor, mask_token: Tensor | None) -> Tensor:
    """`x` `(batch, patches, hidden)` with the mask token where `mask` `(batch, patches)` is set.

    Raises:
        ValueError: the model has no mask token.
    """
    if mask_token is None:
        raise ValueError("bool_masked_pos needs a mask token: build the model with use_mask_token=True")
    share = mask.to(x.dtype)[..., None]
    return x * (1 - share) + mask_token * share


class ViTSelfAttention(SelfAttention):
    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__(config, index, bias=config.qkv_bias)


class ViTSelfOutput(DenseDropout): ...


class ViTAttention(Prunable):
    inner = "attention"

    def __init__(self, config: Any, index: int = 0, attention: SelfAttention | None = None) -> None:
        super().__init__()
        self.attention = ViTSelfAttention(config, index) if attention is None else attention
        self.output = ViTSelfOutput(config)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return self.output(self.attention(x, call))


class ViTIntermediate(Intermediate): ...


class ViTOutput(DenseDropout):
    def __init__(self, config: Any) -> None:
        super().__init__(config, config.intermediate_size)


class ViTLayer(nn.Module):
    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        self.attention = ViTAttention(config, index)
        self.intermediate = ViTIntermediate(config)
        self.output = ViTOutput(config)
        self.layernorm_before = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.attention(self.layernorm_before(x), call)
        return x + self.output(self.intermediate(self.layernorm_after(x)))


class ViTEncoder(nn.Module):
    def __init__(self, config: Any, layer: Callable[[Any, int], nn.Module] = ViTLayer) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layer(config, i) for i in range(config.num_hidden_layers))

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.layer, call.start_encoding(x), call)


class ViTPooler(nn.Module):
    """The first token, through a dense layer and tanh."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.dense(x[:, 0]))


class VisionTransformer(PreTrainedModel):
    """What ViT and its descendants share: initial weights of embeddings, pruning, and where images enter."""

    main_input_name = "pixel_values"
    input_embeddings = "embeddings.patch_embeddings"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        for name in ("cls_token", "distillation_token", "position_embeddings"):
            parameter = getattr(module, name, None)
            if isinstance(parameter, nn.Parameter):
                parameter.data.normal_(0.0, self.config.initializer_range)

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.encoder.layer[layer].attention.prune_heads(heads)  # type: ignore[union-attr, index]


class ViTPreTrainedModel(VisionTransformer):
    config_class, base_model_prefix = ViTConfig, "vit"
    _no_split_modules = ["ViTEmbeddings", "ViTLayer"]


class ViTModel(ViTPreTrainedModel):
    """The bare model.

    Args:
        add_pooling_layer: also give `pooler_output`.
        use_mask_token: have a token for masked patches, for `bool_masked_pos`.
    """

    def __init__(self, config: ViTConfig, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.embeddings = ViTEmbeddings(config, use_mask_token)
        self.encoder = ViTEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.pooler = ViTPooler(config) if add_pooling_layer else None

    @model_forward
    def forward(self, pixel_values=None, bool_masked_pos=None, head_mask=None, output_attentions=None,
                output_hidden_states=None, interpolate_pos_encoding=None, return_dict=None,
                *, call: Call) -> Any:  # fmt: skip
        x = self.encoder(self.embeddings(pixel_values, bool_masked_pos, interpolate_pos_encoding), call)
        last = self.layernorm(x)
        pooled = None if self.pooler is None else self.pooler(last)
        return call.finish(x, BaseModelOutputWithPooling, last_hidden_state=last, pooler_output=pooled)


_FLAGS = "output_attentions output_hidden_states interpolate_pos_encoding return_dict"


class ViTForMaskedImageModeling(
    MaskedImageModeling,
    ViTPreTrainedModel,
    body=ViTModel,
    same_stride=True,
    body_options={"add_pooling_layer": False, "use_mask_token": True},
    signature=f"pixel_values bool_masked_pos head_mask {_FLAGS}",
): ...


class ViTForImageClassification(
    ImageClassification,
    ViTPreTrainedModel,
    body=ViTModel,
    body_options={"add_pooling_layer": False},
    signature=f"pixel_values head_mask labels {_FLAGS}",
): ...
