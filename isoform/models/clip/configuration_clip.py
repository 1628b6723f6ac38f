"""Configuration of CLIP."""

from __future__ import annotations

from typing import Any

from ...config_checks import build_part, check_heads
from ...configuration_utils import PretrainedConfig, field


class CLIPTextConfig(PretrainedConfig):
    model_type = "clip_text_model"
    part_of = {"clip": "text_config"}

    vocab_size: int = field(49408, "Number of token ids.", ge=1)
    hidden_size: int = field(512, "Width of the residual stream.", ge=1)
    intermediate_size: int = field(2048, "Width inside the feed-forward.", ge=1)
    projection_dim: int = field(512, "Width of the space shared with images.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(8, "Attention heads of each layer.", ge=1)
    max_position_embeddings: int = field(77, "Longest sequence.", ge=1)
    hidden_act: str = field("quick_gelu", "Activation of the feed-forward.")
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial embeddings.", ge=0)
    initializer_factor: float = field(1.0, "Factor of all initial deviations.", ge=0)
    pad_token_id: int | None = field(1, "Id of padding.")
    bos_token_id: int | None = field(49406, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(49407, "Id that ends a text, whose state stands for it.")

    def validate(self) -> None:
        check_heads(self)


class CLIPVisionConfig(PretrainedConfig):
    model_type = "clip_vision_model"
    part_of = {"clip": "vision_config"}

    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    intermediate_size: int = field(3072, "Width inside the feed-forward.", ge=1)
    projection_dim: int = field(512, "Width of the space shared with texts.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    num_channels: int = field(3, "Channels of images.", ge=1)
    image_size: int = field(224, "Height and width of images.", ge=1)
    patch_size: int = field(32, "Height and width of patches.", ge=1)
    hidden_act: str = field("quick_gelu", "Activation of the feed-forward.")
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    initializer_range: float = field(0.02, "Standard deviation of initial embeddings.", ge=0)
    initializer_factor: float = field(1.0, "Factor of all initial deviations.", ge=0)

    def validate(self) -> None:
        check_heads(self)


class CLIPConfig(PretrainedConfig):
    model_type = "clip"

    text_config: Any = field(None, "Settings of the text encoder, a dictionary; None for the defaults.")
    vision_config: Any = field(None, "Settings of the image encoder, a dictionary; None for the defaults.")
    projection_dim: int = field(512, "Width of the space that texts and images share.", ge=1)
    logit_scale_init_value: float = field(2.6592, "Initial logarithm of the factor of similarities.")
    initializer_factor: float = field(1.0, "Factor of all initial deviations.", ge=0, kw_only=True)

    def validate(self) -> None:
        build_part(self, "text_config", CLIPTextConfig)
        build_part(self, "vision_config", CLIPVisionConfig)

    @classmethod
    def from_text_vision_configs(
        cls, text_config: CLIPTextConfig, vision_config: CLIPVisionConfig, **kwargs: Any
    ) -> CLIPConfig:
        """A configuration from those of the two encoders; `kwargs` are its other fields."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
