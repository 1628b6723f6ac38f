"""Configuration of DPT."""

from __future__ import annotations

from typing import Any

from ...config_checks import build_backbone, check_heads
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError

# The ResNet of the original hybrid.
_HYBRID = {
    "model_type": "bit",
    "global_padding": "same",
    "layer_type": "bottleneck",
    "depths": [3, 4, 9],
    "out_features": ["stage1", "stage2", "stage3"],
    "embedding_dynamic_padding": True,
}

# What a backbone knows itself: None in configurations (and their files) that have one.
_OF_OWN_VIT = (
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "layer_norm_eps",
    "image_size",
    "patch_size",
    "num_channels",
    "qkv_bias",
    "backbone_out_indices",
)


class DPTConfig(PretrainedConfig):
    """Configuration of DPT over a ViT of its own, over a hybrid of ResNet and ViT, or over any other backbone."""

    model_type = "dpt"

    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int | None = field(12, "Number of layers. This and others are None with a backbone.", ge=1)
    num_attention_heads: int | None = field(12, "Attention heads of each layer.", ge=1)
    intermediate_size: int | None = field(3072, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout_prob: float | None = field(0.0, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    attention_probs_dropout_prob: float | None = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float | None = field(1e-12, "Added to the variance in layer normalisation.", ge=0)
    image_size: int | list[int] | None = field(384, "Size of images, or their height and width.", ge=1)
    patch_size: int | list[int] | None = field(16, "Size of patches, or their height and width.", ge=1)
    num_channels: int | None = field(3, "Channels of images.", ge=1)
    is_hybrid: bool = field(False, "Embed the maps of a ResNet rather than patches.")
    qkv_bias: bool | None = field(True, "Biases of queries, keys and values.")
    backbone_out_indices: list[int] | None = field([2, 5, 8, 11], "Layers whose states are used, from 0.")
    readout_type: str = field("project", "What becomes of the first token: `ignore`, `add` or `project`.")
    reassemble_factors: list[float] = field([4, 2, 1, 0.5], "How much the maps of each layer are enlarged.")
    neck_hidden_sizes: list[int] = field([96, 192, 384, 768], "Channels of these maps.", ge=1)
    fusion_hidden_size: int = field(256, "Channels of the fused maps.", ge=1)
    head_in_index: int = field(-1, "Which of the fused maps the head sees.")
    use_batch_norm_in_fusion_residual: bool = field(False, "Batch normalisation in the residual blocks of the fusion.")
    use_bias_in_fusion_residual: bool | None = field(None, "Biases there; None: where there is no normalisation.")
    add_projection: bool = field(False, "One more convolution in the depth head.")
    use_auxiliary_head: bool = field(True, "A second head in segmentation, which helps training.")
    auxiliary_loss_weight: float = field(0.4, "Weight of its loss.")
    semantic_loss_ignore_index: int = field(255, "Label that is left out of the loss of segmentation.")
    semantic_classifier_dropout: float = field(0.1, "Dropout in the segmentation head.", ge=0, le=1)
    backbone_featmap_shape: list[int] | None = field([1, 1024, 24, 24], "Shape of the map that a hybrid embeds.")
    neck_ignore_stages: list[int] = field([0, 1], "Maps of a hybrid that come from its ResNet.")
    backbone_config: Any = field(None, "Configuration of a backbone, or a dictionary of one.")

    def validate(self) -> None:
        if self.is_hybrid and self.backbone_config is None:
            self.backbone_config = dict(_HYBRID)
        build_backbone(self)
        if self.readout_type not in ("ignore", "add", "project"):
            raise ConfigError("Readout_type must be one of ['ignore', 'add', 'project']", field="readout_type")
        if self.is_hybrid:
            if self.readout_type != "project":
                raise ConfigError("Readout type must be 'project' when using `DPT-hybrid` mode.", field="readout_type")
        else:
            self.backbone_featmap_shape, self.neck_ignore_stages = None, []
            if self.backbone_config is not None:
                for name in _OF_OWN_VIT:
                    setattr(self, name, None)
        if len(self.reassemble_factors) < len(self.neck_hidden_sizes):
            raise ConfigError(
                field="reassemble_factors",
                expected=f"a number for each of {len(self.neck_hidden_sizes)} neck_hidden_sizes",
                found=self.reassemble_factors,
            )
        if self.num_attention_heads is not None:
            check_heads(self)
