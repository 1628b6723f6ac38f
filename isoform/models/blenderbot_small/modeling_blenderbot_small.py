"""Blenderbot Small: BART whose positions start at 0, and whose decoder normalises tokens before it adds positions
(Roller et al. 2020)."""

from __future__ import annotations

from ...heads import Seq2SeqLM
from ...heads.seq2seq import shift_tokens_right  # noqa: F401
from ..bart.modeling_bart import (
    BartAttention,
    BartDecoder,
    BartDecoderLayer,
    BartDecoderWrapper,
    BartEncoder,
    BartEncoderLayer,
    BartForCausalLM,
    BartLearnedPositionalEmbedding,
    BartModel,
    BartPreTrainedModel,
)
from .configuration_blenderbot_small import BlenderbotSmallConfig


class BlenderbotSmallLearnedPositionalEmbedding(BartLearnedPositionalEmbedding):
    offset = 0


class BlenderbotSmallAttention(BartAttention): ...


class BlenderbotSmallEncoderLayer(BartEncoderLayer):
    attention_class = BlenderbotSmallAttention


class BlenderbotSmallDecoderLayer(BartDecoderLayer):
    attention_class = BlenderbotSmallAttention


class BlenderbotSmallPreTrainedModel(BartPreTrainedModel):
    config_class = BlenderbotSmallConfig
    _no_split_modules = ["BlenderbotSmallEncoderLayer", "BlenderbotSmallDecoderLayer"]


class BlenderbotSmallEncoder(BlenderbotSmallPreTrainedModel, BartEncoder):
    layer_class, position_class = BlenderbotSmallEncoderLayer, BlenderbotSmallLearnedPositionalEmbedding


class BlenderbotSmallDecoder(BlenderbotSmallPreTrainedModel, BartDecoder):
    layer_class, position_class = BlenderbotSmallDecoderLayer, BlenderbotSmallLearnedPositionalEmbedding
    norm_embedding = "tokens"


class BlenderbotSmallModel(BlenderbotSmallPreTrainedModel, BartModel):
    encoder_class, decoder_class, repeats_input = BlenderbotSmallEncoder, BlenderbotSmallDecoder, False


class BlenderbotSmallForConditionalGeneration(
    Seq2SeqLM, BlenderbotSmallPreTrainedModel, body=BlenderbotSmallModel, final_bias=True
): ...


class BlenderbotSmallDecoderWrapper(BlenderbotSmallPreTrainedModel, BartDecoderWrapper):
    decoder_class = BlenderbotSmallDecoder


class BlenderbotSmallForCausalLM(
    BlenderbotSmallPreTrainedModel, BartForCausalLM, body=BlenderbotSmallDecoderWrapper,
): ...  # fmt: skip
