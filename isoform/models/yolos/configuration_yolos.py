"""Configuration of YOLOS."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field


class YolosConfig(PretrainedConfig):
    model_type = "yolos"

    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=1)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    intermediate_size: int = field(3072, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout_prob: float = field(0.0, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-12, "Added to the variance in layer normalisation.", ge=0)
    image_size: list[int] | int = field([512, 864], "Height and width of the images of the position embeddings.", ge=1)
    patch_size: int | list[int] = field(16, "Size of patches, or their height and width.", ge=1)
    num_channels: int = field(3, "Channels of images.", ge=1)
    qkv_bias: bool = field(True, "Biases of queries, keys and values.")
    num_detection_tokens: int = field(100, "Most objects that are found in an image.", ge=1)
    use_mid_position_embeddings: bool = field(True, "Add position embeddings after each layer, too.")
    auxiliary_loss: bool = field(False, "Also train what the earlier layers would predict.")
    class_cost: float = field(1, "Weight of classes in matching predictions with objects.")
    bbox_cost: float = field(5, "Weight of the error of boxes in matching.")
    giou_cost: float = field(2, "Weight of the generalised IoU in matching.")
    bbox_loss_coefficient: float = field(5, "Weight of the error of boxes in the loss.")
    giou_loss_coefficient: float = field(2, "Weight of the generalised IoU in the loss.")
    eos_coefficient: float = field(0.1, "Weight of the class `no object` in the loss.")

    def validate(self) -> None:
        check_heads(self)
