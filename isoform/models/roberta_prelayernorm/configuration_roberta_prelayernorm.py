"""Configuration of RoBERTa-PreLayerNorm."""

from __future__ import annotations

from ..roberta.configuration_roberta import RobertaConfig


class RobertaPreLayerNormConfig(RobertaConfig):
    model_type = "roberta-prelayernorm"
