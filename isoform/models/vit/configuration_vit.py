"""Configuration of ViT."""

from __future__ import annotations

from ...config_checks import check_heads, check_patches
from ...configuration_utils import PretrainedConfig, field


class ViTConfig(PretrainedConfig):
    model_type = "vit"

    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    intermediate_size: int = field(3072, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout_prob: float = field(0.0, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-12, "Added to the variance in layer normalisation.", ge=0)
    image_size: int | list[int] | tuple[int, int] = field(224, "Size of images, or their height and width.", ge=1)
    patch_size: int | list[int] | tuple[int, int] = field(16, "Size of patches, or their height and width.", ge=1)
    num_channels: int = field(3, "Channels of images.", ge=1)
    qkv_bias: bool = field(True, "Biases of queries, keys and values.")
    encoder_stride: int = field(16, "Upsampling of the head that fills in masked patches.", ge=1)

    def validate(self) -> None:
        check_heads(self)
        check_patches(self)
