"""M2M100: BART with fixed positions, normalised before each block (Fan et al. 2020)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ...heads import Seq2SeqLM
from ...heads.seq2seq import shift_tokens_right  # noqa: F401
from ...layers import Call
from ..bart.modeling_bart import (
    BartAttention,
    BartDecoder,
    BartDecoderLayer,
    BartEncoder,
    BartEncoderLayer,
    BartModel,
    BartPreTrainedModel,
)
from .configuration_m2m_100 import M2M100Config


class M2M100SinusoidalPositionalEmbedding(nn.Module):
    """Fixed sines and cosines of positions that count from `padding_idx + 1` and leave padding out.

    Holds no table, so there is no longest sequence.
    """

    def __init__(self, num_positions: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        super().__init__()
        self.embedding_dim, self.padding_idx = embedding_dim, padding_idx or 0

    def forward(self, call: Call, input_ids: Tensor | None) -> Tensor:
        if input_ids is None:
            return self.encode(call.position_ids + self.padding_idx + 1)
        real = (input_ids != self.padding_idx).long()
        return self.encode((real.cumsum(1) + call.start) * real + self.padding_idx)

    def encode(self, positions: Tensor) -> Tensor:
        """`(batch, sequence, width)` for `positions` `(batch, sequence)`; zeros at that of padding."""
        half = self.embedding_dim // 2
        steps = torch.arange(half, device=positions.device).float()
        angles = positions[..., None].float() * torch.exp(steps * -(math.log(10000) / max(half - 1, 1)))
        y = torch.cat((angles.sin(), angles.cos()), -1) * (positions != self.padding_idx)[..., None]
        return nn.functional.pad(y, (0, self.embedding_dim % 2))


class M2M100Attention(BartAttention): ...


class M2M100EncoderLayer(BartEncoderLayer):
    norm_first, attention_class = True, M2M100Attention


class M2M100DecoderLayer(BartDecoderLayer):
    norm_first, attention_class = True, M2M100Attention


class M2M100PreTrainedModel(BartPreTrainedModel):
    config_class = M2M100Config
    ignored_checkpoint_keys = (r"(en|de)coder\.(version|embed_positions\.weights)$",)
    _no_split_modules = ["M2M100Attention"]


class M2M100Stack(M2M100PreTrainedModel):
    norm_embedding, norm_last = None, True

    def make_positions(self, config: Any) -> nn.Module:
        return M2M100SinusoidalPositionalEmbedding(config.max_position_embeddings, config.d_model, config.pad_token_id)


class M2M100Encoder(M2M100Stack, BartEncoder):
    layer_class = M2M100EncoderLayer


class M2M100Decoder(M2M100Stack, BartDecoder):
    layer_class = M2M100DecoderLayer


class M2M100Model(M2M100PreTrainedModel, BartModel):
    encoder_class, decoder_class, repeats_input = M2M100Encoder, M2M100Decoder, False


class M2M100ForConditionalGeneration(Seq2SeqLM, M2M100PreTrainedModel, body=M2M100Model, cache_with_labels=True): ...
