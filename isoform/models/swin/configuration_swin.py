"""Configuration of Swin."""

from __future__ import annotations

from ...config_checks import check_patches
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError
from ...utils.backbone_utils import BackboneConfigMixin


class SwinConfig(BackboneConfigMixin, PretrainedConfig):
    model_type = "swin"
    attribute_map = {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    image_size: int | list[int] | tuple[int, int] = field(224, "Size of images, or their height and width.", ge=1)
    patch_size: int | list[int] | tuple[int, int] = field(4, "Size of patches, or their height and width.", ge=1)
    num_channels: int = field(3, "Channels of images.", ge=1)
    embed_dim: int = field(96, "Width of the first stage; each further stage has twice the width.", ge=1)
    depths: list[int] | tuple[int, ...] = field([2, 2, 6, 2], "Number of layers of each stage.", ge=1)
    num_heads: list[int] | tuple[int, ...] = field([3, 6, 12, 24], "Attention heads of each stage.", ge=1)
    window_size: int = field(7, "Patches along each side of the windows that attention sees.", ge=1)
    mlp_ratio: float = field(4.0, "Width inside the feed-forward, relative to that of the stage.", ge=0)
    qkv_bias: bool = field(True, "Biases of queries, keys and values.")
    hidden_dropout_prob: float = field(0.0, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    drop_path_rate: float = field(0.1, "Chance to leave attention out in training.", ge=0, le=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    use_absolute_embeddings: bool = field(False, "Add a learned embedding of each position.")
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    encoder_stride: int = field(32, "Upsampling of the head that fills in masked patches.", ge=1)
    out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
    out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")

    def validate(self) -> None:
        check_patches(self)
        if len(self.depths) != len(self.num_heads) or not self.depths:
            raise ConfigError(
                f"depths {self.depths} and num_heads {self.num_heads} must have one number for each stage"
            )
        self.num_layers = len(self.depths)
        self.hidden_size = self.embed_dim * 2 ** (self.num_layers - 1)  # of the last stage
        for i, heads in enumerate(self.num_heads):
            if (width := self.embed_dim * 2**i) % heads:
                raise ConfigError(
                    f"The hidden size ({width}) is not a multiple of the number of attention heads ({heads})"
                )
        self.name_stages(self.num_layers)
