"""Configuration of CLAP."""

from __future__ import annotations

from typing import Any

from ...config_checks import build_part, check_heads
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError

CLAP_PRETRAINED_MODEL_ARCHIVE_LIST: list[str] = []

Pair = int | list[int] | tuple[int, ...]


class ClapTextConfig(PretrainedConfig):
    model_type = "clap_text_model"
    part_of = {"clap": "text_config"}

    vocab_size: int = field(50265, "Number of token ids.", ge=1)
    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    intermediate_size: int = field(3072, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout_prob: float = field(0.1, "Dropout of what is added to the residual stream.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.1, "Dropout of attention weights.", ge=0, le=1)
    max_position_embeddings: int = field(514, "Rows of the table of positions.", ge=1)
    type_vocab_size: int = field(1, "Number of token types.", ge=1)
    initializer_factor: float = field(1.0, "Factor of all initial deviations.", ge=0)
    layer_norm_eps: float = field(1e-12, "Added to the variance in layer normalisation.", ge=0)
    projection_dim: int = field(512, "Width of the space shared with sounds.", ge=1)
    pad_token_id: int | None = field(1, "Id of padding, from which positions count on.")
    bos_token_id: int | None = field(0, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id that ends a text.")
    position_embedding_type: str = field("absolute", "Kind of positions: `absolute`, `relative_key` or …`_query`.")
    use_cache: bool = field(True, "Return keys and values for decoding.")
    projection_hidden_act: str = field("relu", "Activation inside the projection.")

    def validate(self) -> None:
        check_heads(self)


class ClapAudioConfig(PretrainedConfig):
    model_type = "clap_audio_model"
    part_of = {"clap": "audio_config"}

    window_size: int = field(8, "Patches along the sides of the windows of attention.", ge=1)
    num_mel_bins: int = field(64, "Mel filters of the input.", ge=1)
    spec_size: int = field(256, "Height and width of the image that a spectrogram is folded into.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    patch_size: Pair = field(4, "Height and width of patches.", ge=1)
    patch_stride: Pair = field((4, 4), "From one patch to the next.", ge=1)
    num_classes: int = field(527, "Classes of pretraining; not used.", ge=1)
    hidden_size: int = field(768, "Width of the last stage.", ge=1)
    projection_dim: int = field(512, "Width of the space shared with texts.", ge=1)
    depths: list[int] | tuple[int, ...] = field((2, 2, 6, 2), "Layers of each stage.", ge=1)
    num_attention_heads: list[int] | tuple[int, ...] = field((4, 8, 16, 32), "Attention heads of each stage.", ge=1)
    enable_fusion: bool = field(False, "Longer sounds come as the whole, shrunk, and three parts.")
    hidden_dropout_prob: float = field(0.1, "Dropout of what is added to the residual stream.", ge=0, le=1)
    fusion_type: str | None = field(None, '"channel_map" stacks the four views as channels of the patches.')
    patch_embed_input_channels: int = field(1, "Channels of the input.", ge=1)
    flatten_patch_embeds: bool = field(True, "Patches as a sequence.")
    patch_embeds_hidden_size: int = field(96, "Width of the first stage.", ge=1)
    enable_patch_layer_norm: bool = field(True, "Normalise the embedded patches.")
    drop_path_rate: float = field(0.0, "Chance to leave out what a layer adds, in training.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    qkv_bias: bool = field(True, "Whether queries, keys and values have a bias.")
    mlp_ratio: float = field(4.0, "Width inside the feed-forward over that of the stage.", ge=0)
    aff_block_r: int = field(4, "How much narrower the block that fuses the views is inside.", ge=1)
    num_hidden_layers: int = field(4, "Number of stages.", ge=0)
    projection_hidden_act: str = field("relu", "Activation inside the projection.")
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    initializer_factor: float = field(1.0, "Factor of all initial deviations.", ge=0)

    def validate(self) -> None:
        for name in ("patch_stride", "depths", "num_attention_heads"):
            if isinstance(getattr(self, name), tuple):
                setattr(self, name, list(getattr(self, name)))
        if len(self.depths) != len(self.num_attention_heads):
            raise ConfigError(
                f"ClapAudioConfig: depths ({len(self.depths)}) and num_attention_heads"
                f" ({len(self.num_attention_heads)}) must have an entry for each stage"
            )


class ClapConfig(PretrainedConfig):
    model_type = "clap"

    text_config: Any = field(None, "Settings of the text encoder, a dictionary; None for the defaults.")
    audio_config: Any = field(None, "Settings of the sound encoder, a dictionary; None for the defaults.")
    logit_scale_init_value: float = field(1 / 0.07, "Initial factor of similarities.")
    projection_dim: int = field(512, "Width of the space that texts and sounds share.", ge=1)
    projection_hidden_act: str = field("relu", "Activation inside the projections.")
    initializer_factor: float = field(1.0, "Factor of all initial deviations.", ge=0)

    def validate(self) -> None:
        build_part(self, "text_config", ClapTextConfig)
        build_part(self, "audio_config", ClapAudioConfig)
        for part in (self.text_config, self.audio_config):
            part.projection_dim, part.projection_hidden_act = self.projection_dim, self.projection_hidden_act
        self.hidden_size = self.text_config.hidden_size
        self.num_hidden_layers = self.text_config.num_hidden_layers + len(self.audio_config.depths)

    @classmethod
    def from_text_audio_configs(
        cls, text_config: ClapTextConfig, audio_config: ClapAudioConfig, **kwargs: Any
    ) -> ClapConfig:
        """A configuration from those of the two encoders; `kwargs` are its other fields."""
        return cls(text_config=text_config.to_dict(), audio_config=audio_config.to_dict(), **kwargs)
