"""XLM-RoBERTa: RoBERTa for a hundred languages (Conneau et al. 2019)."""

from __future__ import annotations

from ..roberta.modeling_roberta import (
    RobertaAttention,
    RobertaClassificationHead,
    RobertaEmbeddings,
    RobertaEncoder,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaIntermediate,
    RobertaLayer,
    RobertaLMHead,
    RobertaModel,
    RobertaOutput,
    RobertaPooler,
    RobertaPreTrainedModel,
    RobertaSelfAttention,
    RobertaSelfOutput,
)
from ..roberta.modeling_roberta import create_position_ids_from_input_ids as create_position_ids_from_input_ids
from .configuration_xlm_roberta import XLMRobertaConfig


class XLMRobertaEmbeddings(RobertaEmbeddings): ...


class XLMRobertaLayer(RobertaLayer): ...


# The rest is RoBERTa's.
XLMRobertaSelfAttention = RobertaSelfAttention
XLMRobertaSelfOutput = RobertaSelfOutput
XLMRobertaAttention = RobertaAttention
XLMRobertaIntermediate = RobertaIntermediate
XLMRobertaOutput = RobertaOutput
XLMRobertaEncoder = RobertaEncoder
XLMRobertaPooler = RobertaPooler
XLMRobertaLMHead = RobertaLMHead
XLMRobertaClassificationHead = RobertaClassificationHead


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
