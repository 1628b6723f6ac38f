"""RoBERTa-PreLayerNorm: RoBERTa with normalisation before each block rather than after it (Ott et al. 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from ...layers import Call
from ...layers.encoder import DenseDropout
from ..bert.modeling_bert import BertAttention, BertIntermediate
from ..roberta.configuration_roberta import RobertaConfig
from ..roberta.modeling_roberta import (
    RobertaClassificationHead,
    RobertaEmbeddings,
    RobertaEncoder,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaLayer,
    RobertaLMHead,
    RobertaModel,
    RobertaPooler,
    RobertaPreTrainedModel,
    RobertaSelfAttention,
)
from ..roberta.modeling_roberta import create_position_ids_from_input_ids as create_position_ids_from_input_ids
from .configuration_roberta_prelayernorm import RobertaPreLayerNormConfig


class RobertaPreLayerNormEmbeddings(RobertaEmbeddings): ...


class RobertaPreLayerNormSelfOutput(DenseDropout):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(hidden_states) + input_tensor


class RobertaPreLayerNormAttention(BertAttention):
    output_class = RobertaPreLayerNormSelfOutput

    def __init__(self, config: RobertaConfig, index: int = 0, cross: bool = False) -> None:
        super().__init__(config, index, cross)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return self.output(self.self(self.LayerNorm(x), call), x)


class RobertaPreLayerNormIntermediate(BertIntermediate):
    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.LayerNorm(x))


class RobertaPreLayerNormOutput(RobertaPreLayerNormSelfOutput):
    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config, config.intermediate_size)


class RobertaPreLayerNormLayer(RobertaLayer):
    parts = (RobertaPreLayerNormAttention, RobertaPreLayerNormIntermediate, RobertaPreLayerNormOutput)


# The rest is RoBERTa's.
RobertaPreLayerNormSelfAttention = RobertaSelfAttention
RobertaPreLayerNormEncoder = RobertaEncoder
RobertaPreLayerNormPooler = RobertaPooler
RobertaPreLayerNormLMHead = RobertaLMHead
RobertaPreLayerNormClassificationHead = RobertaClassificationHead


class RobertaPreLayerNormPreTrainedModel(RobertaPreTrainedModel):
    config_class, base_model_prefix = RobertaPreLayerNormConfig, "roberta_prelayernorm"
    _no_split_modules = ["RobertaPreLayerNormEmbeddings", "RobertaPreLayerNormLayer"]


class RobertaPreLayerNormModel(RobertaPreLayerNormPreTrainedModel, RobertaModel):
    parts = (RobertaPreLayerNormEmbeddings, RobertaPreLayerNormLayer)

    def __init__(self, config: RobertaPreLayerNormConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def normalise(self, x: Tensor) -> Tensor:
        return self.LayerNorm(x)


class RobertaPreLayerNormForCausalLM(
    RobertaForCausalLM, RobertaPreLayerNormPreTrainedModel, body=RobertaPreLayerNormModel
): ...


class RobertaPreLayerNormForMaskedLM(
    RobertaForMaskedLM, RobertaPreLayerNormPreTrainedModel, body=RobertaPreLayerNormModel
): ...


class RobertaPreLayerNormForSequenceClassification(
    RobertaForSequenceClassification, RobertaPreLayerNormPreTrainedModel, body=RobertaPreLayerNormModel
): ...


class RobertaPreLayerNormForMultipleChoice(
    RobertaForMultipleChoice, RobertaPreLayerNormPreTrainedModel, body=RobertaPreLayerNormModel
): ...


class RobertaPreLayerNormForTokenClassification(
    RobertaForTokenClassification, RobertaPreLayerNormPreTrainedModel, body=RobertaPreLayerNormModel
): ...


class RobertaPreLayerNormForQuestionAnswering(
    RobertaForQuestionAnswering, RobertaPreLayerNormPreTrainedModel, body=RobertaPreLayerNormModel
): ...
