"""mT5: T5 v1.1 for 101 languages (Xue et al. 2020)."""

from __future__ import annotations

from ..t5 import modeling_t5 as t5
from .configuration_mt5 import MT5Config


class MT5PreTrainedModel(t5.T5PreTrainedModel):
    config_class = MT5Config


class MT5Model(t5.T5Model, MT5PreTrainedModel):
    config_class = MT5Config


class MT5EncoderModel(t5.T5EncoderModel, MT5PreTrainedModel):
    config_class = MT5Config


class MT5ForConditionalGeneration(t5.T5ForConditionalGeneration, MT5PreTrainedModel):
    config_class = MT5Config


class MT5ForSequenceClassification(t5.T5ForSequenceClassification, MT5PreTrainedModel, body=MT5Model):
    config_class = MT5Config


class MT5ForQuestionAnswering(t5.T5ForQuestionAnswering, MT5PreTrainedModel):
    config_class = MT5Config
