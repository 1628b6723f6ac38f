"""Configuration of XLM-RoBERTa."""

from __future__ import annotations

from ...configuration_utils import field
from ..roberta.configuration_roberta import RobertaConfig


class XLMRobertaConfig(RobertaConfig):
    model_type = "xlm-roberta"

    vocab_size: int = field(30522, "Number of token ids.", ge=1)
