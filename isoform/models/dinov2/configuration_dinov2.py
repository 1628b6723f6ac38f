"""Configuration of DINOv2."""

from __future__ import annotations

from ...config_checks import check_heads, check_patches
from ...configuration_utils import PretrainedConfig, field
from ...utils.backbone_utils import BackboneConfigMixin


class Dinov2Config(BackboneConfigMixin, PretrainedConfig):
    model_type = "dinov2"

    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    mlp_ratio: float = field(4, "Width inside the feed-forward, relative to `hidden_size`.", ge=0)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout_prob: float = field(0.0, "Dropout of embeddings and of what attention adds.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-6, "Added to the variance in layer normalisation.", ge=0)
    image_size: int | list[int] | tuple[int, int] = field(224, "Size of images, or their height and width.", ge=1)
    patch_size: int | list[int] | tuple[int, int] = field(16, "Size of patches, or their height and width.", ge=1)
    num_channels: int = field(3, "Channels of images.", ge=1)
    qkv_bias: bool = field(True, "Biases of queries, keys and values.")
    layerscale_value: float = field(1.0, "Initial scale of what each block adds.")
    drop_path_rate: float = field(0.0, "Chance to leave a block out in training.", ge=0, le=1)
    use_swiglu_ffn: bool = field(False, "A gated feed-forward.")
    out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
    out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")
    apply_layernorm: bool = field(True, "A backbone normalises its feature maps.")
    reshape_hidden_states: bool = field(True, "A backbone gives maps (batch, hidden, rows, columns), not sequences.")

    def validate(self) -> None:
        check_heads(self)
        check_patches(self)
        self.name_stages(self.num_hidden_layers)
