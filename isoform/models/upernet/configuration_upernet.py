"""Configuration of UPerNet."""

from __future__ import annotations

from typing import Any

from ...config_checks import build_backbone
from ...configuration_utils import PretrainedConfig, field

_STAGES = ["stage1", "stage2", "stage3", "stage4"]


class UperNetConfig(PretrainedConfig):
    model_type = "upernet"

    backbone_config: Any = field(None, "Configuration of the backbone, or a dictionary of one; None for a ResNet.")
    hidden_size: int = field(512, "Channels inside the head.", ge=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    pool_scales: list[int] = field([1, 2, 3, 6], "Sizes to which the coarsest map is pooled.", ge=1)
    use_auxiliary_head: bool = field(True, "A second head, which helps training.")
    auxiliary_loss_weight: float = field(0.4, "Weight of its loss.")
    auxiliary_in_channels: int = field(384, "Channels of the map that it sees, the third.", ge=1)
    auxiliary_channels: int = field(256, "Channels inside it.", ge=1)
    auxiliary_num_convs: int = field(1, "Its convolutions.", ge=0)
    auxiliary_concat_input: bool = field(False, "Show the map itself to its classifier as well.")
    loss_ignore_index: int = field(255, "Label that is left out of the loss.")

    def validate(self) -> None:
        build_backbone(self, {"model_type": "resnet", "out_features": _STAGES})

    @property
    def semantic_loss_ignore_index(self) -> int:
        """What other configurations call `loss_ignore_index`."""
        return self.loss_ignore_index
