"""DistilBERT: half of BERT's layers, without token types and pooler (Sanh et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads import ExtractiveQA, MaskedLM, MultipleChoice, PooledScore, TokenScore
from ...layers import Call, Dropout, FeedForward, attend, model_forward, run_layers, split_heads
from ...layers.call import embedded
from ...layers.flash import get_unpad_data as _get_unpad_data  # noqa: F401
from ...modeling_outputs import BaseModelOutput
from ...modeling_utils import PreTrainedModel
from ...pytorch_utils import apply_chunking_to_forward, find_pruneable_heads_and_indices, prune_linear_layer
from .configuration_distilbert import DistilBertConfig

_EPS = 1e-12


def create_sinusoidal_embeddings(n_pos: int, dim: int, out: Tensor) -> None:
    """Fill `out` `(n_pos, dim)`: sines in even channels, cosines in odd ones (Vaswani et al. 2017). It stays fixed."""
    frequencies = 10000.0 ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = torch.arange(n_pos, dtype=torch.float64)[:, None] * frequencies
    out.requires_grad_(False)
    out[:, 0::2] = angles.sin().to(out)
    out[:, 1::2] = angles.cos()[:, : dim // 2].to(out)


class Embeddings(nn.Module):
    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.dim, config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.position_embeddings.weight.requires_grad_(not config.sinusoidal_pos_embds)
        self.LayerNorm = nn.LayerNorm(config.dim, _EPS)
        self.dropout = Dropout(config.dropout)

    def forward(self, input_ids: Tensor | None = None, input_embeds: Tensor | None = None) -> Tensor:
        x: Any = self.word_embeddings(input_ids) if input_embeds is None else input_embeds
        positions = torch.arange(x.shape[1], device=x.device)[None]
        return self.dropout(self.LayerNorm(x + self.position_embeddings(positions)))


class MultiHeadSelfAttention(nn.Module):
    def __init__(self, config: DistilBertConfig, index: int = 0) -> None:
        super().__init__()
        self.index, self.dim, self.n_heads = index, config.dim, config.n_heads
        self.attention_head_size = config.dim // config.n_heads
        self.dropout = Dropout(config.attention_dropout)
        self.q_lin, self.k_lin, self.v_lin, self.out_lin = (nn.Linear(config.dim, config.dim) for _ in range(4))
        self.pruned_heads: set[int] = set()

    def prune_heads(self, heads: Iterable[int]) -> None:
        heads, index = find_pruneable_heads_and_indices(
            heads, self.n_heads, self.attention_head_size, self.pruned_heads
        )
        for name in ("q_lin", "k_lin", "v_lin"):
            setattr(self, name, prune_linear_layer(getattr(self, name), index))
        self.out_lin = prune_linear_layer(self.out_lin, index, dim=1)
        self.n_heads -= len(heads)
        self.dim = self.attention_head_size * self.n_heads
        self.pruned_heads |= heads

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q, k, v = (split_heads(project(x), self.n_heads) for project in (self.q_lin, self.k_lin, self.v_lin))
        return self.out_lin(attend(q, k, v, call, self.index, dropout=self.dropout.rate))


DistilBertFlashAttention2 = MultiHeadSelfAttention  # `attend` picks the kernel
DISTILBERT_ATTENTION_CLASSES = {"eager": MultiHeadSelfAttention, "flash_attention_2": MultiHeadSelfAttention}


class FFN(FeedForward, up="lin1", down="lin2", act="activation", act_name="activation", dropout="dropout"):
    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config, config.hidden_dim)


class TransformerBlock(nn.Module):
    def __init__(self, config: DistilBertConfig, index: int = 0) -> None:
        super().__init__()
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.attention = MultiHeadSelfAttention(config, index)
        self.sa_layer_norm = nn.LayerNorm(config.dim, _EPS)
        self.ffn = FFN(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, _EPS)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = self.sa_layer_norm(self.attention(x, call) + x)
        return self.output_layer_norm(apply_chunking_to_forward(self.ffn, self.chunk_size_feed_forward, 1, x) + x)


class Transformer(nn.Module):
    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(TransformerBlock(config, index) for index in range(config.n_layers))

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.layer, x, call)


class DistilBertPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = DistilBertConfig, "distilbert", "embeddings.word_embeddings"
    ignored_checkpoint_keys = (r"embeddings\.position_ids$",)
    _no_split_modules = ["Embeddings", "TransformerBlock"]

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, Embeddings) and self.config.sinusoidal_pos_embds:
            self._fill_positions(module.position_embeddings)

    @torch.no_grad()
    def _fill_positions(self, table: nn.Embedding) -> None:
        create_sinusoidal_embeddings(*table.weight.shape, out=table.weight)

    def get_position_embeddings(self) -> nn.Embedding:
        """The table of positions."""
        return self.base_model.embeddings.position_embeddings  # type: ignore[union-attr, return-value]

    def resize_position_embeddings(self, new_num_position_embeddings: int) -> None:
        """Change the number of positions: the first ones are kept, further ones are initialised anew.

        Args:
            new_num_position_embeddings: The longest sequence to be.
        """
        old = self.get_position_embeddings().weight
        table = nn.Embedding(new_num_position_embeddings, old.shape[1], device=old.device, dtype=old.dtype)
        if self.config.sinusoidal_pos_embds:
            self._fill_positions(table)
        else:
            self._init_weights(table)
            kept = min(len(old), new_num_position_embeddings)
            table.weight.data[:kept] = old.data[:kept]
        self.base_model.embeddings.position_embeddings = table  # type: ignore[union-attr]
        self.config.max_position_embeddings = new_num_position_embeddings


class DistilBertModel(DistilBertPreTrainedModel):
    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.transformer = Transformer(config)

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.transformer.layer[layer].attention.prune_heads(heads)

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, head_mask=None, inputs_embeds=None,
                *, call: Call) -> Any:  # fmt: skip
        if input_ids is not None:
            self.warn_if_padding_and_no_attention_mask(input_ids, attention_mask)
        x = embedded(self.embeddings.word_embeddings, input_ids, inputs_embeds)
        x = call.start_encoding(self.embeddings(input_embeds=x), attention_mask)
        return call.finish(self.transformer(x, call), BaseModelOutput)


class DistilBertForMaskedLM(
    MaskedLM, DistilBertPreTrainedModel, body=DistilBertModel, head="vocab_projector", bias=True
):
    def build_head(self, config: DistilBertConfig) -> None:
        super().build_head(config)
        self.activation = ACT2FN[config.activation]
        self.vocab_transform = nn.Linear(config.dim, config.dim)
        self.vocab_layer_norm = nn.LayerNorm(config.dim, _EPS)

    def _logits(self, hidden: Tensor) -> Tensor:
        return self.vocab_projector(self.vocab_layer_norm(self.activation(self.vocab_transform(hidden))))


class _FirstToken:
    """Pooling by the first token's state, projected."""

    def build_head(self, config: DistilBertConfig) -> None:
        super().build_head(config)  # type: ignore[misc]
        self.pre_classifier = nn.Linear(config.dim, config.dim)

    def pooled(self, outputs: Any) -> Tensor:
        return F.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))


_RATES = ("seq_classif_dropout",)


class DistilBertForSequenceClassification(
    _FirstToken, PooledScore, DistilBertPreTrainedModel, body=DistilBertModel, rates=_RATES
): ...


class DistilBertForMultipleChoice(
    _FirstToken, MultipleChoice, DistilBertPreTrainedModel, body=DistilBertModel, rates=_RATES
): ...


class DistilBertForTokenClassification(
    TokenScore, DistilBertPreTrainedModel, body=DistilBertModel, rates=("dropout",)
): ...


class DistilBertForQuestionAnswering(
    ExtractiveQA, DistilBertPreTrainedModel, body=DistilBertModel, rate="qa_dropout"
): ...
