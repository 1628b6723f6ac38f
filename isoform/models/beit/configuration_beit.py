"""Configuration of BEiT."""

from __future__ import annotations

from ...config_checks import check_heads, check_patches
from ...configuration_utils import PretrainedConfig, field
from ...utils.backbone_utils import BackboneConfigMixin


class BeitConfig(BackboneConfigMixin, PretrainedConfig):
    model_type = "beit"

    vocab_size: int = field(8192, "Number of visual tokens that masked patches are predicted from.", ge=1)
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
    use_mask_token: bool = field(False, "Have a token for masked patches.")
    use_absolute_position_embeddings: bool = field(False, "Add a learned embedding of each position.")
    use_relative_position_bias: bool = field(False, "Add a learned bias of offsets to the scores, in each layer.")
    use_shared_relative_position_bias: bool = field(False, "Share one such bias among all layers.")
    layer_scale_init_value: float = field(0.1, "Initial scale of what each block adds; 0 for no scaling.")
    drop_path_rate: float = field(0.1, "Chance to leave out the last layer in training; less before it.", ge=0, le=1)
    use_mean_pooling: bool = field(True, "Pool by the mean of all patches, not by the first token.")
    pool_scales: list[int] | tuple[int, ...] = field([1, 2, 3, 6], "Scales of the pooling before segmentation.", ge=1)
    use_auxiliary_head: bool = field(True, "Train segmentation with a second head.")
    auxiliary_loss_weight: float = field(0.4, "Weight of its loss.")
    auxiliary_channels: int = field(256, "Its channels.", ge=1)
    auxiliary_num_convs: int = field(1, "Its number of convolutions.", ge=0)
    auxiliary_concat_input: bool = field(False, "It sees its input once more before it classifies.")
    semantic_loss_ignore_index: int = field(255, "Label of pixels that do not count.")
    out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
    out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")
    add_fpn: bool = field(False, "A backbone gives maps of four sizes, made from its stages.")
    reshape_hidden_states: bool = field(True, "A backbone gives maps (batch, hidden, rows, columns), not sequences.")

    def validate(self) -> None:
        check_heads(self)
        check_patches(self)
        self.name_stages(self.num_hidden_layers)
