"""YOLOS: ViT with tokens for the objects in an image (Fang et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...heads.base import Head
from ...heads.detection import (
    DetectionLoss,
    HungarianMatcher,
    MLPPredictionHead,
    box_area,
    box_iou,
    detection_loss,
    dice_loss,
    generalized_box_iou,
    sigmoid_focal_loss,
)
from ...layers import Call, Dropout, model_forward, resize_grid
from ...modeling_outputs import BaseModelOutputWithPooling
from ...modeling_utils import PreTrainedModel
from ...utils import ModelOutput
from ..vit.modeling_vit import VisionTransformer, ViTEncoder, ViTLayer, ViTPatchEmbeddings, ViTPooler
from .configuration_yolos import YolosConfig

__all__ = [
    "YolosForObjectDetection",
    "YolosHungarianMatcher",
    "YolosLoss",
    "YolosMLPPredictionHead",
    "YolosModel",
    "YolosObjectDetectionOutput",
    "YolosPreTrainedModel",
    "box_area",
    "box_iou",
    "dice_loss",
    "generalized_box_iou",
    "sigmoid_focal_loss",
]


class YolosHungarianMatcher(HungarianMatcher): ...


class YolosLoss(DetectionLoss): ...


class YolosMLPPredictionHead(MLPPredictionHead): ...


@dataclass
class YolosObjectDetectionOutput(ModelOutput):
    """Output of an object detector.

    Attributes:
        loss: the weighted sum of the losses, `()`, where labels were given.
        loss_dict: the losses by name.
        logits: `(batch, detection tokens, classes + 1)`; the last class is "no object".
        pred_boxes: `(batch, detection tokens, 4)`: centre x, centre y, width and height, relative to the image.
        auxiliary_outputs: `logits` and `pred_boxes` of the earlier layers, where they are trained.
        last_hidden_state, hidden_states, attentions: of the body.
    """

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor | None = None
    pred_boxes: Tensor | None = None
    auxiliary_outputs: list[dict[str, Tensor]] | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class YolosPatchEmbeddings(ViTPatchEmbeddings): ...


class YolosEmbeddings(nn.Module):
    """A class token, the patches, and tokens for objects, plus positions, which are fitted to the size of the image."""

    def __init__(self, config: YolosConfig) -> None:
        super().__init__()
        width, detections = config.hidden_size, config.num_detection_tokens
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.detection_tokens = nn.Parameter(torch.zeros(1, detections, width))
        self.patch_embeddings = YolosPatchEmbeddings(config)
        count = 1 + self.patch_embeddings.num_patches + detections
        self.position_embeddings = nn.Parameter(torch.zeros(1, count, width))
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor) -> Tensor:
        x = self.patch_embeddings(pixel_values, any_size=True)
        first, last = (token.expand(x.shape[0], -1, -1) for token in (self.cls_token, self.detection_tokens))
        positions = fitted(self.position_embeddings, self.patch_embeddings, pixel_values)
        return self.dropout(torch.cat((first, x, last), 1) + positions)


def fitted(positions: Tensor, patches: YolosPatchEmbeddings, pixel_values: Tensor) -> Tensor:
    """Position embeddings `(tables, tokens, hidden)` with those of the patches interpolated to the images' size."""
    grid = patches.grid_of(pixel_values)
    if all(isinstance(size, int) for size in grid) and grid == patches.grid:  # symbols do not decide on the program
        return positions
    middle = positions[:, 1 : 1 + patches.num_patches]
    tables, _, width = middle.shape
    resized = resize_grid(middle.transpose(0, 1).flatten(1)[None], patches.grid, grid)
    middle = resized[0].unflatten(-1, (tables, width)).transpose(0, 1)
    return torch.cat((positions[:, :1], middle, positions[:, 1 + patches.num_patches :]), 1)


class YolosLayer(ViTLayer):
    """ViT's, with position embeddings added to what all but the last layer give."""

    def __init__(self, config: YolosConfig, index: int = 0) -> None:
        super().__init__(config, index)
        self.index = index

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = super().forward(x, call)
        between = getattr(call, "between", ())
        return x + between[self.index] if self.index < len(between) else x


class YolosEncoder(ViTEncoder):
    def __init__(self, config: YolosConfig, tokens: int) -> None:
        super().__init__(config, YolosLayer)
        shape = config.num_hidden_layers - 1, 1, tokens, config.hidden_size
        self.mid_position_embeddings = nn.Parameter(torch.zeros(shape)) if config.use_mid_position_embeddings else None


class YolosPooler(ViTPooler): ...


class YolosPreTrainedModel(VisionTransformer):
    config_class, base_model_prefix = YolosConfig, "vit"
    _no_split_modules = ["YolosEmbeddings", "YolosLayer"]

    def _init_weights(self, module: nn.Module) -> None:
        PreTrainedModel._init_weights(self, module)  # tokens and positions start at zero


class YolosModel(YolosPreTrainedModel):
    """The bare model.

    Args:
        add_pooling_layer: also give `pooler_output`.
    """

    def __init__(self, config: YolosConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = YolosEmbeddings(config)
        self.encoder = YolosEncoder(config, self.embeddings.position_embeddings.shape[1])
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.pooler = YolosPooler(config) if add_pooling_layer else None

    @model_forward
    def forward(self, pixel_values=None, head_mask=None, *, call: Call) -> Any:
        x = self.embeddings(pixel_values)
        between = self.encoder.mid_position_embeddings
        if between is not None:
            positions = fitted(between[:, 0], self.embeddings.patch_embeddings, pixel_values)
            call.between = positions  # type: ignore[attr-defined]  # read by the encoder
        x = self.encoder(x, call)
        last = self.layernorm(x)
        pooled = None if self.pooler is None else self.pooler(last)
        return call.finish(x, BaseModelOutputWithPooling, last_hidden_state=last, pooler_output=pooled)


class YolosForObjectDetection(
    Head,
    YolosPreTrainedModel,
    body=YolosModel,
    body_options={"add_pooling_layer": False},
    signature="pixel_values labels output_attentions output_hidden_states return_dict",
):
    def build_head(self, config: YolosConfig) -> None:
        width = config.hidden_size
        self.class_labels_classifier = YolosMLPPredictionHead(width, width, config.num_labels + 1, 3)
        self.bbox_predictor = YolosMLPPredictionHead(width, width, 4, 3)

    def detect(self, x: Tensor) -> dict[str, Tensor]:
        """Classes and boxes from states `(batch, tokens, hidden)`, whose last tokens are those of objects."""
        x = x[:, -self.config.num_detection_tokens :]
        return {"logits": self.class_labels_classifier(x), "pred_boxes": self.bbox_predictor(x).sigmoid()}

    def _head_forward(self, inputs: dict[str, Any], labels: Any) -> YolosObjectDetectionOutput:
        """`labels` holds `class_labels` `(objects,)` and `boxes` `(objects, 4)` for each image."""
        asked, earlier = inputs.get("output_hidden_states"), self.config.auxiliary_loss and labels is not None
        outputs = self.run_body({**inputs, "output_hidden_states": True} if earlier else inputs)
        found = self.detect(outputs.last_hidden_state)
        loss = losses = auxiliary = None
        if labels is not None:
            if earlier:
                auxiliary = [self.detect(self.vit.layernorm(x)) for x in outputs.hidden_states[1:-1]]
            loss, losses = detection_loss({**found, "auxiliary_outputs": auxiliary}, labels, self.config)
        show = self.config.output_hidden_states if asked is None else asked
        return YolosObjectDetectionOutput(
            loss=loss,
            loss_dict=losses,
            **found,
            auxiliary_outputs=auxiliary,
            last_hidden_state=outputs.last_hidden_state,
            hidden_states=outputs.hidden_states if show else None,
            attentions=outputs.attentions,
        )
