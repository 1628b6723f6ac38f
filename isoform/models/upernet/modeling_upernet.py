"""UPerNet: segmentation from the feature maps of any backbone (Xiao et al. 2018)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...heads.vision import segmentation_loss
from ...layers.pyramid import ConvHead, ConvNorm, PyramidHead, resized
from ...modeling_outputs import SemanticSegmenterOutput
from ...modeling_utils import PreTrainedModel
from ...utils.backbone_utils import load_backbone
from .configuration_upernet import UperNetConfig


class UperNetConvModule(ConvNorm): ...


class UperNetHead(PyramidHead): ...


class UperNetFCNHead(ConvHead): ...


class UperNetPreTrainedModel(PreTrainedModel):
    config_class, main_input_name = UperNetConfig, "pixel_values"


class UperNetForSemanticSegmentation(UperNetPreTrainedModel):
    def __init__(self, config: UperNetConfig) -> None:
        super().__init__(config)
        self.backbone = load_backbone(config)
        labels = config.num_labels
        self.decode_head = UperNetHead(
            self.backbone.channels, config.hidden_size, config.pool_scales, labels, UperNetConvModule
        )
        self.auxiliary_head = None
        if config.use_auxiliary_head:
            inputs, width, count = config.auxiliary_in_channels, config.auxiliary_channels, config.auxiliary_num_convs
            concat = config.auxiliary_concat_input
            self.auxiliary_head = UperNetFCNHead(2, inputs, width, count, concat, labels, UperNetConvModule)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Classify the pixels of images.

        Args:
            pixel_values: `(batch, channels, height, width)`.
            labels: `(batch, height, width)`.

        Returns:
            `logits` `(batch, classes, height, width)`; hidden states and attentions are the backbone's.
        """
        if pixel_values is None:
            raise ValueError("You have to specify pixel_values")
        config = self.config
        outputs = self.backbone.forward_with_filtered_kwargs(
            pixel_values,
            output_hidden_states=config.output_hidden_states if output_hidden_states is None else output_hidden_states,
            output_attentions=config.output_attentions if output_attentions is None else output_attentions,
            return_dict=True,
        )
        size, maps = pixel_values.shape[2:], outputs.feature_maps
        logits, loss = resized(self.decode_head(maps), size), None
        if labels is not None:
            auxiliary = None if self.auxiliary_head is None else resized(self.auxiliary_head(maps), size)
            loss = segmentation_loss(logits, labels, config, auxiliary)
        output = SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )
        return output if (config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()
