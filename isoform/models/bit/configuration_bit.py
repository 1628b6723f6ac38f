"""Configuration of BiT."""

from __future__ import annotations

from typing import ClassVar

from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError
from ...utils.backbone_utils import BackboneConfigMixin


class BitConfig(BackboneConfigMixin, PretrainedConfig):
    model_type = "bit"
    layer_types: ClassVar[list[str]] = ["preactivation", "bottleneck"]
    supported_padding: ClassVar[list[str]] = ["SAME", "VALID"]

    num_channels: int = field(3, "Channels of images.", ge=1)
    embedding_size: int = field(64, "Channels of the first convolution.", ge=1)
    hidden_sizes: list[int] = field([256, 512, 1024, 2048], "Channels of each stage.", ge=1)
    depths: list[int] = field([3, 4, 6, 3], "Layers of each stage.", ge=1)
    layer_type: str = field("preactivation", "Normalise before (`preactivation`) or after (`bottleneck`) convolutions.")
    hidden_act: str = field("relu", "Activation after each normalisation.")
    global_padding: str | None = field(None, "Padding of convolutions: `SAME`, `VALID`, or None for symmetric.")
    num_groups: int = field(32, "Groups of the group normalisation.", ge=1)
    drop_path_rate: float = field(0.0, "Chance to drop the last layer in training; earlier ones less.", ge=0, le=1)
    embedding_dynamic_padding: bool = field(False, "Pad the first pooling as TensorFlow does.")
    output_stride: int = field(32, "Pixels between positions of the last stage; below 32, convolutions dilate.", ge=1)
    width_factor: int = field(1, "Factor of the channels of all stages.", ge=1)
    out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
    out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")

    def validate(self) -> None:
        if self.layer_type not in self.layer_types:
            raise ConfigError(f"layer_type={self.layer_type} is not one of {','.join(self.layer_types)}")
        if self.global_padding is not None:
            if self.global_padding.upper() not in self.supported_padding:
                raise ConfigError(
                    f"Padding strategy {self.global_padding} not supported: global_padding is one of"
                    f" {', '.join(self.supported_padding)}, or None"
                )
            self.global_padding = self.global_padding.upper()
        if len(self.hidden_sizes) < len(self.depths):
            raise ConfigError(
                field="hidden_sizes",
                expected=f"a number for each of {len(self.depths)} depths",
                found=self.hidden_sizes,
            )
        self.name_stages(len(self.depths))
