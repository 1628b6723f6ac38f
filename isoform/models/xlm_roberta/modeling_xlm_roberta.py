"""XLM-RoBERTa: RoBERTa for a hundred languages (Conneau et al. 2019)."""

from __future__ import annotations

from ..roberta.modeling_roberta import (
    RobertaEmbeddings,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaLayer,
    RobertaModel,
    RobertaPreTrainedModel,
)
from .configuration_xlm_roberta import XLMRobertaConfig


class XLMRobertaEmbeddings(RobertaEmbeddings): ...


class XLMRobertaLayer(RobertaLayer): ...


class XLMRobertaPreTrainedModel(RobertaPreTrainedModel):
    config_class = XLMRobertaConfig
    _no_split_modules = ["XLMRobertaEmbeddings", "XLMRobertaLayer"]


class XLMRobertaModel(XLMRobertaPreTrainedModel, RobertaModel):
    parts = (XLMRobertaEmbeddings, XLMRobertaLayer)


class XLMRobertaForCausalLM(RobertaForCausalLM, XLMRobertaPreTrainedModel, body=XLMRobertaModel): ...


class XLMRobertaForMaskedLM(RobertaForMaskedLM, XLMRobertaPreTrainedModel, body=XLMRobertaModel): ...


class XLMRobertaForSequenceClassification(
    RobertaForSequenceClassification, XLMRobertaPreTrainedModel, body=XLMRobertaModel
): ...


class XLMRobertaForMultipleChoice(RobertaForMultipleChoice, XLMRobertaPreTrainedModel, body=XLMRobertaModel): ...


class XLMRobertaForTokenClassification(
    RobertaForTokenClassification, XLMRobertaPreTrainedModel, body=XLMRobertaModel
): ...


class XLMRobertaForQuestionAnswering(RobertaForQuestionAnswering, XLMRobertaPreTrainedModel, body=XLMRobertaModel): ...
