"""The parts of an encoder layer under the names that BERT's checkpoints give them, as do ViT's and many others'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from ..activations import ACT2FN
from ..pytorch_utils import find_pruneable_heads_and_indices, prune_linear_layer
from .attention import Bias, attend, split_heads
from .call import Call
from .dropout import Dropout


class SelfAttention(nn.Module):
    """Attention with projections `query`, `key` and `value`, without the one on its output.

    Args:
        config: gives `hidden_size`, `num_attention_heads` and `attention_probs_dropout_prob`.
        index: the layer, for the cache and the head mask.
        bias: whether the projections have one.
    """

    def __init__(self, config: Any, index: int = 0, bias: bool = True) -> None:
        super().__init__()
        width, heads = config.hidden_size, config.num_attention_heads
        self.index, self.num_attention_heads, self.attention_head_size = index, heads, width // heads
        self.all_head_size = heads * self.attention_head_size
        self.query = nn.Linear(width, self.all_head_size, bias=bias)
        self.key = nn.Linear(width, self.all_head_size, bias=bias)
        self.value = nn.Linear(width, self.all_head_size, bias=bias)
        self.dropout = Dropout(config.attention_probs_dropout_prob)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of `x` `(batch, sequence, hidden)`, each `(batch, heads, sequence, head_size)`."""
        heads = self.num_attention_heads
        return split_heads(self.key(x), heads), split_heads(self.value(x), heads)

    def bias(self, q: Tensor, k: Tensor, call: Call) -> Tensor | Bias | None:
        """What this layer adds to the scores, as `attend` takes it; None for nothing. `q`, `k`: of new positions."""
        return None

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q = split_heads(self.query(x), self.num_attention_heads)
        k, v = self.project(x)
        return attend(q, k, v, call, self.index, dropout=self.dropout.rate, bias=self.bias(q, k, call))


class DenseDropout(nn.Module):
    """A projection (`dense`) and dropout: what a block adds to the residual stream."""

    def __init__(self, config: Any, inputs: int | None = None) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs or config.hidden_size, config.hidden_size)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.dense(x))


class Intermediate(nn.Module):
    """The first half of the feed-forward: a projection (`dense`) and the activation."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = ACT2FN[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        return self.intermediate_act_fn(self.dense(x))


class Prunable(nn.Module):
    """An attention block that can lose heads: a `SelfAttention` under the name `inner`, `output.dense` after it."""

    inner = "self"
    output: Any

    def prune_heads(self, heads: Iterable[int]) -> None:
        """Remove heads, numbered as in the unpruned block."""
        block = getattr(self, self.inner)
        index: Any
        pruned: set[int] = block.__dict__.setdefault("pruned_heads", set())
        size = block.attention_head_size
        heads, index = find_pruneable_heads_and_indices(heads, block.num_attention_heads, size, pruned)
        if not heads:
            return
        for name in ("query", "key", "value"):
            setattr(block, name, prune_linear_layer(getattr(block, name), index))
        self.output.dense = prune_linear_layer(self.output.dense, index, dim=1)
        block.num_attention_heads -= len(heads)
        block.all_head_size = size * block.num_attention_heads
        pruned |= heads

    @property
    def pruned_heads(self) -> set[int]:
        """The heads removed so far."""
        return getattr(self, self.inner).__dict__.get("pruned_heads", set())
