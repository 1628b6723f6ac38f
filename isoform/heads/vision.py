"""Heads over images: classification, filling in masked patches, semantic segmentation."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.call import Call, model_forward
from ..layers.patches import pair
from ..modeling_outputs import BackboneOutput, ImageClassifierOutput, MaskedImageModelingOutput, SemanticSegmenterOutput
from ..utils.backbone_utils import BackboneMixin
from .base import Head, recorded
from .losses import sequence_loss


class ImageClassification(Head):
    """Classes of whole images.

    Args of the class statement:
        pool: what is classified: "first", the first token, or "pooled", the body's `pooler_output`. Models with other
            features override `image_features`.
        output: the output class.
    """

    described = {
        "labels": "(batch,): the class of each image; numbers if `num_labels` is 1; (batch, labels) for several."
    }

    pooling = "first"
    output_class: type = ImageClassifierOutput

    def __init_subclass__(cls, pool: str = "first", output: type = ImageClassifierOutput, **options: Any) -> None:
        cls.pooling, cls.output_class = pool, output
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.classifier = self.build_classifier(config, config.hidden_size)

    @staticmethod
    def build_classifier(config: Any, width: int) -> nn.Module:
        """The projection to the labels; without labels, nothing is done to the features."""
        return nn.Linear(width, config.num_labels) if config.num_labels > 0 else nn.Identity()

    def image_features(self, outputs: Any) -> Tensor:
        """What is classified, `(batch, features)`."""
        return outputs.pooler_output if self.pooling == "pooled" else outputs.last_hidden_state[:, 0]

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        outputs = self.run_body(inputs)
        logits = self.classifier(self.image_features(outputs))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)  # type: ignore[attr-defined]
        return self.output_class(loss=loss, logits=logits, **recorded(outputs, self.output_class))


class MaskedImageModeling(Head):
    """Pixels of masked patches (SimMIM, Xie et al. 2021): each position predicts a square of the image.

    Args of the class statement:
        special: numbers of tokens before and after those of the patches.
        same_stride: refuse masks where the squares are not the patches.
        output: the output class.
    """

    label_names = ()
    special_tokens, same_stride = (1, 0), False
    output_class: type = MaskedImageModelingOutput

    def __init_subclass__(
        cls,
        special: tuple[int, int] = (1, 0),
        same_stride: bool = False,
        output: type = MaskedImageModelingOutput,
        **options: Any,
    ) -> None:
        cls.special_tokens, cls.same_stride, cls.output_class = special, same_stride, output
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        stride = config.encoder_stride
        self.decoder = nn.Sequential(
            nn.Conv2d(config.hidden_size, stride**2 * config.num_channels, kernel_size=1), nn.PixelShuffle(stride)
        )

    def token_grid(self, pixel_values: Tensor) -> tuple[int, int]:
        """Rows and columns of the body's output."""
        return self.base_model.embeddings.patch_embeddings.grid_of(pixel_values)  # type: ignore[attr-defined]

    def _head_forward(self, inputs: dict[str, Any]) -> Any:
        config, mask = self.config, inputs.get("bool_masked_pos")  # type: ignore[attr-defined]
        if self.same_stride and mask is not None and pair(config.patch_size) != pair(config.encoder_stride):
            raise ValueError(
                "With `bool_masked_pos`, `patch_size` must be equal to `encoder_stride`, so that what is reconstructed"
                f" has the size of the image. Got `patch_size` = {config.patch_size} and `encoder_stride` ="
                f" {config.encoder_stride}."
            )
        outputs = self.run_body(inputs)
        tokens, (before, after) = outputs.last_hidden_state, self.special_tokens
        tokens = tokens[:, before : tokens.shape[1] - after]
        pixel_values = inputs["pixel_values"]
        pixels = self.decoder(tokens.transpose(1, 2).unflatten(2, self.token_grid(pixel_values)))
        loss = None if mask is None else self.masked_loss(pixel_values, pixels, mask)
        return self.output_class(loss=loss, reconstruction=pixels, **recorded(outputs, self.output_class))

    def masked_loss(self, pixel_values: Tensor, pixels: Tensor, mask: Tensor) -> Tensor:
        """Mean absolute error over the masked patches; `mask` is `(batch, patches)`."""
        config = self.config  # type: ignore[attr-defined]
        patch = pair(config.patch_size)
        grid = pixel_values.shape[2] // patch[0], pixel_values.shape[3] // patch[1]
        mask = mask.reshape(-1, 1, *grid).repeat_interleave(patch[0], 2).repeat_interleave(patch[1], 3)
        errors = F.l1_loss(pixel_values, pixels, reduction="none")
        return (errors * mask).sum() / (mask.sum() + 1e-5) / config.num_channels


class TokenBackbone(BackboneMixin):
    """A backbone whose stages are the layers of a transformer over patches: `embeddings` and `encoder`."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        self._init_backbone(config)
        self.num_features = [config.hidden_size] * (config.num_hidden_layers + 1)

    def feature_map(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        """The tokens `x` `(batch, 1 + patches, hidden)` of one stage as a map `(batch, hidden, rows, columns)`."""
        return x[:, 1:].transpose(1, 2).reshape(x.shape[0], -1, *grid)

    def feature_maps(self, stages: list[Tensor], grid: tuple[int, int]) -> list[Tensor]:
        """The maps of the chosen stages."""
        return [self.feature_map(x, grid) for x in stages]

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, output_attentions=None, return_dict=None,
                *, call: Call) -> Any:  # fmt: skip
        asked, call.hidden_states = call.hidden_states is not None, []
        x = self.encoder(self.embeddings(pixel_values), call)  # type: ignore[attr-defined]
        hidden = (*call.hidden_states, x)
        grid = self.embeddings.patch_embeddings.grid_of(pixel_values)  # type: ignore[attr-defined]
        return BackboneOutput(
            feature_maps=tuple(self.feature_maps(self.select(hidden), grid)),
            hidden_states=hidden if asked else None,
            attentions=None if call.attentions is None else tuple(call.attentions),
        )


class SemanticSegmentation(Head):
    """Classes of pixels, from all hidden states; an auxiliary head, if any, adds its loss.

    Subclasses give `segment`.
    """

    described = {"labels": "(batch, height, width): the class of each pixel; `semantic_loss_ignore_index` to skip it."}

    def segment(self, outputs: Any, pixel_values: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits `(batch, classes, rows, columns)` of the head and of the auxiliary head."""
        raise NotImplementedError

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> SemanticSegmenterOutput:
        config = self.config  # type: ignore[attr-defined]
        asked = inputs.get("output_hidden_states")
        outputs = self.run_body({**inputs, "output_hidden_states": True})
        logits, auxiliary = self.segment(outputs, inputs["pixel_values"])
        loss = None
        if labels is not None:
            loss = segmentation_loss(logits, labels, config, auxiliary)
        further = recorded(outputs, SemanticSegmenterOutput)
        if not (config.output_hidden_states if asked is None else asked):
            del further["hidden_states"]
        return SemanticSegmenterOutput(loss=loss, logits=logits, **further)


def segmentation_loss(logits: Tensor, labels: Tensor, config: Any, auxiliary: Tensor | None = None) -> Tensor:
    """Cross-entropy of pixels, with the logits enlarged to the size of the labels.

    Args:
        logits: `(batch, classes, rows, columns)`.
        labels: `(batch, height, width)`; `config.semantic_loss_ignore_index` is left out.
        auxiliary: logits of an auxiliary head, whose loss counts `config.auxiliary_loss_weight`.

    Raises:
        ValueError: there is one class only.
    """
    if config.num_labels == 1:
        raise ValueError("The number of labels should be greater than one")

    def one(logits: Tensor) -> Tensor:
        logits = F.interpolate(logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
        return F.cross_entropy(logits, labels, ignore_index=config.semantic_loss_ignore_index)

    return one(logits) if auxiliary is None else one(logits) + config.auxiliary_loss_weight * one(auxiliary)
