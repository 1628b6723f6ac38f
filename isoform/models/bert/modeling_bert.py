"""BERT: an encoder of texts with learned positions, which can serve as a decoder too (Devlin et al. 2018)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads import CausalLM, ExtractiveQA, MaskedLM, MultipleChoice, PooledScore, TokenScore
from ...heads.base import Head, recorded
from ...heads.lm import SharedBias
from ...heads.losses import token_loss
from ...layers import Call, Dropout, cross_attend, encoder_keys, model_forward, run_layers, split_heads
from ...layers.attention import Bias
from ...layers.call import embedded
from ...layers.encoder import DenseDropout, Intermediate, Prunable, SelfAttention
from ...modeling_outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    NextSentencePredictorOutput,
)
from ...modeling_utils import PreTrainedModel
from ...pytorch_utils import apply_chunking_to_forward
from ...utils import ModelOutput, logging
from .configuration_bert import BertConfig

logger = logging.get_logger(__name__)


class BertEmbeddings(nn.Module):
    """Sum of the embeddings of words, token types and positions, normalised."""

    pads_positions = False  # the row of the padding token in the table of positions stays 0

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width, pad = config.hidden_size, config.pad_token_id
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=pad)
        positions = config.max_position_embeddings
        self.position_embeddings = nn.Embedding(positions, width, padding_idx=pad if self.pads_positions else None)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)
        self.position_embedding_type = config.position_embedding_type

    def check_length(self, length: int) -> None:
        """Refuse what has more tokens than there are positions, which indexing would not explain."""
        limit = self.position_embeddings.num_embeddings
        # Where padding takes no position, a long input may still fit.
        if not self.pads_positions and not torch.compiler.is_compiling() and length > limit:
            raise ValueError(
                f"The input has {length} tokens; this model has positions for {limit}: shorten it, for example with "
                f"truncation=True, max_length={limit} of the tokenizer"
            )

    def positions(self, input_ids: Tensor | None, x: Tensor, past: Any) -> Tensor:
        """Position ids of `x` `(batch, sequence, hidden)`, after `past` earlier ones."""
        return torch.arange(x.shape[1], device=x.device)[None] + past

    def forward(
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past_key_values_length: Any = 0,
    ) -> Tensor:
        x: Any = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        types = self.token_type_embeddings.weight[0] if token_type_ids is None else None
        x = x + (self.token_type_embeddings(token_type_ids) if types is None else types)
        if self.position_embedding_type == "absolute":
            if position_ids is None:
                self.check_length(x.shape[1])
                position_ids = self.positions(input_ids, x, past_key_values_length)
            x = x + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(x))


class BertSelfAttention(SelfAttention):
    """Attention among the positions, or with `cross` over the states of an encoder."""

    def __init__(self, config: BertConfig, index: int = 0, cross: bool = False) -> None:
        super().__init__(config, index)
        self.cross, self.max_position_embeddings = cross, config.max_position_embeddings
        self.position_embedding_type = "absolute" if cross else config.position_embedding_type
        if self.position_embedding_type != "absolute":
            self.distance_embedding = nn.Embedding(2 * self.max_position_embeddings - 1, self.attention_head_size)

    def bias(self, q: Tensor, k: Tensor, call: Call) -> Bias | None:
        """Scores of the distances between positions (Shaw et al. 2018; Huang et al. 2020 for those of the keys)."""
        if self.position_embedding_type == "absolute":
            return None

        def scores(q: Tensor, k: Tensor) -> Tensor:
            keys = torch.arange(k.shape[2], device=q.device)
            queries = torch.arange(q.shape[2], device=q.device) + call.start
            distances = queries[:, None] - keys[None, :] + self.max_position_embeddings - 1
            table = self.distance_embedding(distances).to(q.dtype)
            bias = torch.einsum("bhqd,qkd->bhqk", q, table)
            if self.position_embedding_type == "relative_key_query":
                bias = bias + torch.einsum("bhkd,qkd->bhqk", k, table)
            return bias / math.sqrt(self.attention_head_size)

        return scores

    def forward(self, x: Tensor, call: Call) -> Tensor:
        if not self.cross:
            return super().forward(x, call)
        q = split_heads(self.query(x), self.num_attention_heads)
        k, v = encoder_keys(q, call, self.index, self.project)
        return cross_attend(q, k, v, call, self.index, dropout=self.dropout.rate)


class BertSelfOutput(DenseDropout):
    """The projection of the attention's output, added to its input and normalised."""

    def __init__(self, config: BertConfig, inputs: int | None = None) -> None:
        super().__init__(config, inputs)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:  # type: ignore[override]
        return self.LayerNorm(super().forward(hidden_states) + input_tensor)


class BertAttention(Prunable):
    output_class: type = BertSelfOutput

    def __init__(self, config: BertConfig, index: int = 0, cross: bool = False) -> None:
        super().__init__()
        self.self = BertSelfAttention(config, index, cross)
        self.output = self.output_class(config)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return self.output(self.self(x, call), x)


class BertIntermediate(Intermediate): ...


class BertOutput(BertSelfOutput):
    """The second half of the feed-forward, added to its input and normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, config.intermediate_size)


class BertLayer(nn.Module):
    parts: tuple[type, type, type] = (BertAttention, BertIntermediate, BertOutput)

    def __init__(self, config: BertConfig, index: int = 0) -> None:
        super().__init__()
        attention, intermediate, output = self.parts
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.is_decoder, self.add_cross_attention = config.is_decoder, config.add_cross_attention
        self.attention = attention(config, index)
        if self.add_cross_attention:
            if not self.is_decoder:
                raise ValueError(
                    f"{type(self).__name__}: cross-attention needs a decoder, set `config.is_decoder=True`"
                )
            self.crossattention = attention(config, index, cross=True)
        self.intermediate = intermediate(config)
        self.output = output(config)

    def feed_forward_chunk(self, x: Tensor) -> Tensor:
        return self.output(self.intermediate(x), x)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = self.attention(x, call)
        if call.encoder_hidden_states is not None:
            if not self.add_cross_attention:
                raise ValueError(
                    "`encoder_hidden_states` were passed, but this model has no cross-attention layers:"
                    " build it with `config.add_cross_attention=True`"
                )
            x = self.crossattention(x, call)
        return apply_chunking_to_forward(self.feed_forward_chunk, self.chunk_size_feed_forward, 1, x)


class BertEncoder(nn.Module):
    def __init__(self, config: BertConfig, layer: type = BertLayer) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layer(config, index) for index in range(config.num_hidden_layers))

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.layer, x, call)


class BertPooler(nn.Module):
    """The state of the first token, projected."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.activation(self.dense(hidden_states[:, 0]))


class BertPreTrainedModel(PreTrainedModel):
    config_class: type = BertConfig
    base_model_prefix, input_embeddings = "bert", "embeddings.word_embeddings"
    ignored_checkpoint_keys = (r"embeddings\.(position_ids|token_type_ids)$",)
    _no_split_modules = ["BertEmbeddings", "BertLayer"]


class BertModel(BertPreTrainedModel):
    """The body: an encoder, or with `config.is_decoder` a decoder, with cross-attention if the config adds it.

    Args:
        add_pooling_layer: also return a projection of the first token's state, `pooler_output`.
    """

    parts: tuple[type, type] = (BertEmbeddings, BertLayer)

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        embeddings, layer = self.parts
        self.embeddings = embeddings(config)
        self.encoder = BertEncoder(config, layer)
        self.pooler = BertPooler(config) if add_pooling_layer else None

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.encoder.layer[layer].attention.prune_heads(heads)

    def normalise(self, x: Tensor) -> Tensor:
        """What comes after the last layer."""
        return x

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, position_ids=None, head_mask=None,
                inputs_embeds=None, encoder_hidden_states=None, encoder_attention_mask=None, past_key_values=None,
                *, call: Call) -> Any:  # fmt: skip
        words = self.embeddings.word_embeddings
        if input_ids is not None:
            self.warn_if_padding_and_no_attention_mask(input_ids, attention_mask)
        if self.config.is_decoder:
            x = call.start_decoding(words, input_ids, inputs_embeds, attention_mask)
            call.cross_head_mask = call.head_mask  # one mask for both kinds of attention
        else:
            call.encoder_hidden_states = call.cross_attentions = None
            x = call.start_encoding(embedded(words, input_ids, inputs_embeds), attention_mask)
        x = self.embeddings(input_ids, token_type_ids, position_ids, x, call.start)
        x = self.encoder(x, call)
        last = self.normalise(x)
        pooled = None if self.pooler is None else self.pooler(last)
        output = BaseModelOutputWithPoolingAndCrossAttentions
        return call.finish(x, output, last_hidden_state=last, pooler_output=pooled)


class BertPredictionHeadTransform(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.transform_act_fn = ACT2FN[config.hidden_act]
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.LayerNorm(self.transform_act_fn(self.dense(hidden_states)))


class BertLMPredictionHead(SharedBias):
    def __init__(self, config: BertConfig) -> None:
        super().__init__(config.hidden_size, config.vocab_size)
        self.transform = BertPredictionHeadTransform(config)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.decoder(self.transform(hidden_states))


class BertOnlyMLMHead(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertLMPredictionHead(config)

    def forward(self, sequence_output: Tensor) -> Tensor:
        return self.predictions(sequence_output)


class BertOnlyNSPHead(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled_output: Tensor) -> Tensor:
        return self.seq_relationship(pooled_output)


class BertPreTrainingHeads(BertOnlyMLMHead):
    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, sequence_output: Tensor, pooled_output: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return self.predictions(sequence_output), self.seq_relationship(pooled_output)


@dataclass
class BertForPreTrainingOutput(ModelOutput):
    """Output of `BertForPreTraining`.

    Attributes:
        loss: the sum of both losses, `()`, where both labels were given.
        prediction_logits: of the words, `(batch, sequence, vocabulary)`.
        seq_relationship_logits: does the second sentence follow (0) or not (1), `(batch, 2)`.
    """

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


TEXT = "input_ids attention_mask token_type_ids position_ids head_mask inputs_embeds"
CROSS = TEXT + " encoder_hidden_states encoder_attention_mask"
DECODER = CROSS + " labels past_key_values use_cache output_attentions output_hidden_states return_dict"
RATES = ("classifier_dropout", "hidden_dropout_prob")
NO_POOLER = {"add_pooling_layer": False}


class BertForPreTraining(Head, BertPreTrainedModel, body=BertModel, signature=TEXT):
    """The two heads of pretraining: masked words, and whether the second sentence follows the first."""

    label_names = ("labels", "next_sentence_label")
    output_embeddings = "cls.predictions.decoder"
    _tied_weights_keys = ["predictions.decoder.bias", "cls.predictions.decoder.weight"]

    def build_head(self, config: BertConfig) -> None:
        self.cls = BertPreTrainingHeads(config)

    def _head_forward(self, inputs: dict[str, Any], labels: Any, next_sentence_label: Any) -> Any:
        outputs = self.run_body(inputs)
        words, order = self.cls(outputs.last_hidden_state, outputs.pooler_output)
        loss = None
        if labels is not None and next_sentence_label is not None:
            loss = token_loss(words, labels) + token_loss(order, next_sentence_label)
        output = BertForPreTrainingOutput
        return output(loss=loss, prediction_logits=words, seq_relationship_logits=order, **recorded(outputs, output))


class DecoderLM(
    CausalLM, output=CausalLMOutputWithCrossAttentions, places_tokens=False, cache_with_labels=False,
    body_options=NO_POOLER,
):  # fmt: skip
    """Next-token prediction over an encoder that the config makes a decoder (`is_decoder`)."""

    @property
    def bidirectional(self) -> bool:
        return not self.config.is_decoder  # type: ignore[attr-defined]

    def build_head(self, config: BertConfig) -> None:
        super().build_head(config)
        if not config.is_decoder:
            logger.warning(f"{type(self).__name__} is to predict next tokens: set `is_decoder=True` in its config.")


class BertLMHeadModel(
    DecoderLM, BertPreTrainedModel, body=BertModel, head="cls", module=BertOnlyMLMHead,
    projection="predictions.decoder", signature=DECODER,
): ...  # fmt: skip


class BertForMaskedLM(
    MaskedLM, BertPreTrainedModel, body=BertModel, head="cls", module=BertOnlyMLMHead, projection="predictions.decoder",
    signature=CROSS, body_options=NO_POOLER,
): ...  # fmt: skip


class BertForNextSentencePrediction(Head, BertPreTrainedModel, body=BertModel, signature=TEXT):
    """Whether the second sentence follows the first (0) or is a random one (1)."""

    def build_head(self, config: BertConfig) -> None:
        self.cls = BertOnlyNSPHead(config)

    def _head_forward(self, inputs: dict[str, Any], labels: Any) -> NextSentencePredictorOutput:
        old = inputs.pop("next_sentence_label", None)  # the older name of `labels`
        labels = labels if old is None else old
        outputs = self.run_body(inputs)
        logits = self.cls(outputs.pooler_output)
        loss = None if labels is None else token_loss(logits, labels)
        return NextSentencePredictorOutput(loss=loss, logits=logits, **recorded(outputs, NextSentencePredictorOutput))


class BertForSequenceClassification(PooledScore, BertPreTrainedModel, body=BertModel, rates=RATES, signature=TEXT): ...


class BertForMultipleChoice(MultipleChoice, BertPreTrainedModel, body=BertModel, rates=RATES, signature=TEXT): ...


class BertForTokenClassification(
    TokenScore, BertPreTrainedModel, body=BertModel, rates=RATES, signature=TEXT, body_options=NO_POOLER
): ...


class BertForQuestionAnswering(
    ExtractiveQA, BertPreTrainedModel, body=BertModel, signature=TEXT, body_options=NO_POOLER
): ...
