"""Configuration of DeiT."""

from __future__ import annotations

from ..vit.configuration_vit import ViTConfig


class DeiTConfig(ViTConfig):
    """Configuration of DeiT: the fields of ViT's."""

    model_type = "deit"
