"""Configuration of Wav2Vec2."""

from __future__ import annotations

import math

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError

WAV_2_VEC_2_PRETRAINED_CONFIG_ARCHIVE_MAP: dict[str, str] = {}

Sizes = list[int] | tuple[int, ...]


class Wav2Vec2Config(PretrainedConfig):
    model_type = "wav2vec2"

    vocab_size: int | None = field(32, "Number of token ids of the CTC head.", ge=1)
    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    intermediate_size: int = field(3072, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout: float = field(0.1, "Dropout of what is added to the residual stream.", ge=0, le=1)
    activation_dropout: float = field(0.1, "Dropout inside the feed-forward.", ge=0, le=1)
    attention_dropout: float = field(0.1, "Dropout of attention weights.", ge=0, le=1)
    feat_proj_dropout: float = field(0.0, "Dropout of the projected features.", ge=0, le=1)
    feat_quantizer_dropout: float = field(0.0, "Dropout of what the quantizer sees.", ge=0, le=1)
    final_dropout: float = field(0.1, "Dropout before the projection to the vocabulary.", ge=0, le=1)
    layerdrop: float = field(0.1, "Chance to leave a layer out in training.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    feat_extract_norm: str = field(
        "group", 'Normalisation of the convolutions: "group" of the first alone, "layer" of each.'
    )
    feat_extract_activation: str = field("gelu", "Activation of the convolutions.")
    conv_dim: Sizes = field((512,) * 7, "Channels of each convolution.", ge=1)
    conv_stride: Sizes = field((5, 2, 2, 2, 2, 2, 2), "Stride of each.", ge=1)
    conv_kernel: Sizes = field((10, 3, 3, 3, 3, 2, 2), "Width of each.", ge=1)
    conv_bias: bool = field(False, "Whether the convolutions have a bias.")
    num_conv_pos_embeddings: int = field(128, "Width of the convolution that encodes positions.", ge=1)
    num_conv_pos_embedding_groups: int = field(16, "Groups of that convolution.", ge=1)
    do_stable_layer_norm: bool = field(False, "Normalise before each block rather than after it.")
    apply_spec_augment: bool = field(True, "Mask parts of the features in training (Park et al. 2019).")
    mask_time_prob: float = field(0.05, "Share of positions that start a masked span, times its length.", ge=0, le=1)
    mask_time_length: int = field(10, "Positions of a masked span.", ge=1)
    mask_time_min_masks: int = field(2, "Fewest masked spans of positions.", ge=0)
    mask_feature_prob: float = field(0.0, "As `mask_time_prob`, of channels.", ge=0, le=1)
    mask_feature_length: int = field(10, "Channels of a masked span.", ge=1)
    mask_feature_min_masks: int = field(0, "Fewest masked spans of channels.", ge=0)
    num_codevectors_per_group: int = field(320, "Entries of each codebook.", ge=1)
    num_codevector_groups: int = field(2, "Number of codebooks.", ge=1)
    contrastive_logits_temperature: float = field(0.1, "Temperature of the contrastive loss.", ge=0)
    num_negatives: int = field(100, "Negative samples of the contrastive loss.", ge=1)
    codevector_dim: int = field(256, "Width of the quantized features.", ge=1)
    proj_codevector_dim: int = field(256, "Width of the space in which features are compared.", ge=1)
    diversity_loss_weight: float = field(0.1, "Weight of the loss that spreads the use of the codebooks.")
    ctc_loss_reduction: str = field("sum", 'Reduction of the CTC loss over the batch: "sum", "mean" or "none".')
    ctc_zero_infinity: bool = field(False, "Count infinite CTC losses (too short sounds) as zero.")
    use_weighted_layer_sum: bool = field(False, "Classify a learned average of all layers, not the last one.")
    classifier_proj_size: int = field(256, "Width before the classifier.", ge=1)
    tdnn_dim: Sizes = field((512, 512, 512, 512, 1500), "Channels of the x-vector head's convolutions.", ge=1)
    tdnn_kernel: Sizes = field((5, 3, 3, 1, 1), "Their widths.", ge=1)
    tdnn_dilation: Sizes = field((1, 2, 3, 1, 1), "Their dilations.", ge=1)
    xvector_output_dim: int = field(512, "Width of the x-vectors.", ge=1)
    pad_token_id: int | None = field(0, "Id of padding, and the blank of CTC.")
    bos_token_id: int | None = field(1, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id that ends a text.")
    add_adapter: bool = field(False, "Shorten the output by convolutions, for a decoder that attends to it.")
    adapter_kernel_size: int = field(3, "Width of each of these convolutions.", ge=1)
    adapter_stride: int = field(2, "Stride of each.", ge=1)
    num_adapter_layers: int = field(3, "How many.", ge=0)
    output_hidden_size: int | None = field(None, "Width of their output; None for `hidden_size`.", ge=1)
    adapter_attn_dim: int | None = field(None, "Width inside the adapter of each layer; None for no adapters.", ge=1)

    def validate(self) -> None:
        check_heads(self)
        for name in ("conv_dim", "conv_stride", "conv_kernel", "tdnn_dim", "tdnn_kernel", "tdnn_dilation"):
            setattr(self, name, list(getattr(self, name)))
        self.num_feat_extract_layers = len(self.conv_dim)
        self.output_hidden_size = self.output_hidden_size or self.hidden_size
        if not len(self.conv_dim) == len(self.conv_stride) == len(self.conv_kernel):
            raise ConfigError(
                "Each convolution needs an entry in each of conv_dim, conv_stride and conv_kernel, but their lengths"
                f" are {len(self.conv_dim)}, {len(self.conv_stride)} and {len(self.conv_kernel)}.",
                field="conv_dim",
            )

    @property
    def inputs_to_logits_ratio(self) -> int:
        """Samples for each position of the output."""
        return math.prod(self.conv_stride)
