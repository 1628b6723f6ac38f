"""Configuration of ConvNeXt V2."""

from __future__ import annotations

from ...configuration_utils import PretrainedConfig, field
from ...utils.backbone_utils import BackboneConfigMixin
from ..convnext.configuration_convnext import fill_stages


class ConvNextV2Config(BackboneConfigMixin, PretrainedConfig):
    model_type = "convnextv2"

    num_channels: int = field(3, "Channels of images.", ge=1)
    patch_size: int = field(4, "Height and width of patches.", ge=1)
    num_stages: int = field(4, "Number of stages.", ge=1)
    hidden_sizes: list[int] | None = field(None, "Channels of each stage; None for 96, 192, 384, 768.", ge=1)
    depths: list[int] | None = field(None, "Layers of each stage; None for 3, 3, 9, 3.", ge=0)
    hidden_act: str = field("gelu", "Activation of the layers.")
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-12, "Added to the variance in the last layer normalisation.", ge=0)
    drop_path_rate: float = field(0.0, "Chance to drop the last layer in training; earlier ones less.", ge=0, le=1)
    image_size: int = field(224, "Height and width of images in training.", ge=1)
    out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
    out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")

    def validate(self) -> None:
        fill_stages(self)
