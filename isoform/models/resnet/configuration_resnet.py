"""Configuration of ResNet."""

from __future__ import annotations

from typing import ClassVar

from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError
from ...utils.backbone_utils import BackboneConfigMixin


class ResNetConfig(BackboneConfigMixin, PretrainedConfig):
    model_type = "resnet"
    layer_types: ClassVar[list[str]] = ["basic", "bottleneck"]

    num_channels: int = field(3, "Channels of images.", ge=1)
    embedding_size: int = field(64, "Channels of the first convolution.", ge=1)
    hidden_sizes: list[int] = field([256, 512, 1024, 2048], "Channels of each stage.", ge=1)
    depths: list[int] = field([3, 4, 6, 3], "Layers of each stage.", ge=1)
    layer_type: str = field("bottleneck", "Two convolutions a layer (`basic`) or three (`bottleneck`).")
    hidden_act: str = field("relu", "Activation of the stem and of what each layer gives.")
    downsample_in_first_stage: bool = field(False, "Halve the resolution in the first stage, too.")
    downsample_in_bottleneck: bool = field(False, "Halve it in the first convolution of a bottleneck, not the second.")
    out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
    out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")

    def validate(self) -> None:
        if self.layer_type not in self.layer_types:
            raise ConfigError(f"layer_type={self.layer_type} is not one of {','.join(self.layer_types)}")
        self.name_stages(len(self.depths))
