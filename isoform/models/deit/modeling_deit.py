"""DeiT: ViT with a second special token, which learns from a teacher (Touvron et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ...heads.base import Head, recorded
from ...heads.vision import ImageClassification, MaskedImageModeling
from ...layers import Call, model_forward
from ...modeling_outputs import BaseModelOutputWithPooling
from ...utils import ModelOutput
from ..vit.modeling_vit import (
    VisionTransformer,
    ViTAttention,
    ViTEmbeddings,
    ViTEncoder,
    ViTIntermediate,
    ViTLayer,
    ViTOutput,
    ViTPatchEmbeddings,
    ViTPooler,
    ViTSelfAttention,
    ViTSelfOutput,
)
from .configuration_deit import DeiTConfig

DeiTPatchEmbeddings, DeiTSelfAttention, DeiTSelfOutput = ViTPatchEmbeddings, ViTSelfAttention, ViTSelfOutput
DeiTAttention, DeiTIntermediate, DeiTOutput, DeiTPooler = ViTAttention, ViTIntermediate, ViTOutput, ViTPooler


class DeiTEmbeddings(ViTEmbeddings):
    special_tokens = ("cls_token", "distillation_token")


class DeiTLayer(ViTLayer): ...


class DeiTEncoder(ViTEncoder):
    def __init__(self, config: DeiTConfig) -> None:
        super().__init__(config, DeiTLayer)


class DeiTPreTrainedModel(VisionTransformer):
    config_class, base_model_prefix = DeiTConfig, "deit"
    _no_split_modules = ["DeiTLayer"]


class DeiTModel(DeiTPreTrainedModel):
    """The bare model.

    Args:
        add_pooling_layer: also give `pooler_output`.
        use_mask_token: have a token for masked patches, for `bool_masked_pos`.
    """

    def __init__(self, config: DeiTConfig, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.embeddings = DeiTEmbeddings(config, use_mask_token)
        self.encoder = DeiTEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.pooler = DeiTPooler(config) if add_pooling_layer else None

    @model_forward
    def forward(self, pixel_values=None, bool_masked_pos=None, head_mask=None, *, call: Call) -> Any:
        x = self.encoder(self.embeddings(pixel_values, bool_masked_pos), call)
        last = self.layernorm(x)
        pooled = None if self.pooler is None else self.pooler(last)
        return call.finish(x, BaseModelOutputWithPooling, last_hidden_state=last, pooler_output=pooled)


class DeiTForMaskedImageModeling(
    MaskedImageModeling,
    DeiTPreTrainedModel,
    body=DeiTModel,
    body_options={"add_pooling_layer": False, "use_mask_token": True},
    special=(1, 1),  # as the checkpoints were trained: the first and the last position are left out
    same_stride=True,
): ...


class DeiTForImageClassification(
    ImageClassification,
    DeiTPreTrainedModel,
    body=DeiTModel,
    body_options={"add_pooling_layer": False},
    signature="pixel_values head_mask",
): ...


@dataclass
class DeiTForImageClassificationWithTeacherOutput(ModelOutput):
    """Of a classifier with a distillation token.

    `logits`, the mean of `cls_logits` and `distillation_logits`, are (batch, classes) each.
    """

    logits: torch.Tensor | None = None
    cls_logits: torch.Tensor | None = None
    distillation_logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


class DeiTForImageClassificationWithTeacher(
    Head,
    DeiTPreTrainedModel,
    body=DeiTModel,
    body_options={"add_pooling_layer": False},
    signature="pixel_values head_mask output_attentions output_hidden_states return_dict",
):
    """Classification by both special tokens, for inference: it has no loss."""

    label_names = ()

    def build_head(self, config: DeiTConfig) -> None:
        self.num_labels = config.num_labels
        self.cls_classifier = ImageClassification.build_classifier(config, config.hidden_size)
        self.distillation_classifier = ImageClassification.build_classifier(config, config.hidden_size)

    def _head_forward(self, inputs: dict[str, Any]) -> DeiTForImageClassificationWithTeacherOutput:
        outputs = self.run_body(inputs)
        first = self.cls_classifier(outputs.last_hidden_state[:, 0])
        second = self.distillation_classifier(outputs.last_hidden_state[:, 1])
        output = DeiTForImageClassificationWithTeacherOutput
        return output(
            logits=(first + second) / 2,
            cls_logits=first,
            distillation_logits=second,
            **recorded(outputs, output),
        )
