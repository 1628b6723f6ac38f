"""Configuration of a model that compares images with texts, with encoders of any architectures."""

from __future__ import annotations

from typing import Any, TypeVar

from ...configuration_utils import PretrainedConfig
from ..encoder_decoder.configuration_encoder_decoder import part_config

Config = TypeVar("Config", bound="VisionTextDualEncoderConfig")


class VisionTextDualEncoderConfig(PretrainedConfig):
    """Configurations of an image encoder and of a text encoder.

    Args:
        projection_dim: Width of the space that images and texts share.
        logit_scale_init_value: Logarithm of the initial scale of similarities.
        kwargs: `vision_config` and `text_config`, dictionaries with their `model_type`, and what all configurations
            have. Of a CLIP configuration the image encoder's part is taken.
    """

    model_type = "vision-text-dual-encoder"
    is_composition = True

    def __init__(self, projection_dim: int = 512, logit_scale_init_value: float = 2.6592, **kwargs: Any) -> None:
        parts = {name: part_config(self, name, kwargs.pop(name, None)) for name in ("vision_config", "text_config")}
        super().__init__(**kwargs)
        vision = parts["vision_config"]
        self.vision_config = vision.vision_config if vision.model_type == "clip" else vision
        self.text_config = parts["text_config"]
        self.projection_dim, self.logit_scale_init_value = projection_dim, logit_scale_init_value

    @classmethod
    def from_vision_text_configs(
        cls: type[Config], vision_config: PretrainedConfig, text_config: PretrainedConfig, **kwargs: Any
    ) -> Config:
        """Combine two configurations.

        Args:
            vision_config, text_config: Of the parts.
            kwargs: Further settings of the whole.
        """
        return cls(vision_config=vision_config.to_dict(), text_config=text_config.to_dict(), **kwargs)
