"""What one forward pass shares among its layers, and the wrapper that gives every body the documented signature."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..cache_utils import Cache, StaticCache, as_cache
from ..modeling_outputs import BaseModelOutputWithPast
from ..utils import logging
from . import masks
from .documentation import forward_docstring

logger = logging.get_logger(__name__)

FLAGS = ("use_cache", "output_attentions", "output_hidden_states", "return_dict")


def _per_layer(head_mask: Tensor | None, layers: int) -> Tensor | None:
    """A head mask `(heads,)` or `(layers, heads)` as `(layers, 1, heads, 1, 1)`."""
    if head_mask is None:
        return None
    if head_mask.dim() == 1:
        head_mask = head_mask[None].expand(layers, -1)
    return head_mask[:, None, :, None, None] if head_mask.dim() == 2 else head_mask


def _check_ids(input_ids: Any) -> None:
    if input_ids is not None and not hasattr(input_ids, "dim"):  # a Tensor, or what stands for one in a trace, has it
        hint = "; pass the tokenizer's output as model(**inputs)" if hasattr(input_ids, "keys") else ""
        found = type(input_ids).__name__
        raise TypeError(f"input_ids must be a torch.Tensor of token ids (batch, sequence), found {found}{hint}")


class Call:
    """One forward pass: its mask, positions, cache and head mask, and what it records.

    Attributes:
        position_ids: `(batch or 1, sequence)` int64.
        padding: `(batch, keys)` of 1 for tokens and 0 for padding, a 4-D mask, or None.
        cache: the handle that this pass fills, or None.
        explicit: weights are computed by the written-out formula (recording, head masks, `eager`).
        causal: self-attention sees no later position.
        whole: no positions came before these, so the kernels' own causal mode is right.
        bias: `(1, heads, sequence, keys)` added to the scores of all layers' self-attention (T5's positions), or None.
    """

    def __init__(self, model: Any, inputs: dict[str, Any], use_cache: bool, attentions: bool, hidden: bool) -> None:
        config = model.config
        _check_ids(inputs.get("input_ids"))
        self.model, self.training, self.causal, self.whole = model, model.training, True, True
        self.implementation = config._attn_implementation
        self.past = inputs.get("past_key_values")
        self.use_cache = use_cache
        self.cache: Cache | None = None
        self.bias: Tensor | None = None
        self.attentions: list[Tensor] | None = [] if attentions else None
        self.hidden_states: list[Tensor] | None = [] if hidden else None
        self.head_mask = self.cross_head_mask = None
        self.encoder_hidden_states = inputs.get("encoder_hidden_states")
        self.encoder_attention_mask = inputs.get("encoder_attention_mask")
        self.cross_attentions: list[Tensor] | None = (
            [] if attentions and self.encoder_hidden_states is not None else None
        )
        head_mask, cross_head_mask = inputs.get("head_mask"), inputs.get("cross_attn_head_mask")
        if head_mask is not None or cross_head_mask is not None:
            self.head_mask = _per_layer(head_mask, config.num_hidden_layers)
            self.cross_head_mask = _per_layer(cross_head_mask, config.num_hidden_layers)
        self.explicit = (
            attentions or self.implementation == "eager" or head_mask is not None or cross_head_mask is not None
        )
        self._memo: dict[Hashable, Any] = {}

    def start_decoding(
        self,
        embed: Callable[[Tensor], Tensor],
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """Embed the tokens, open the cache and fix positions and mask; returns `(batch, sequence, hidden)`."""
        x: Any = embedded(embed, input_ids, inputs_embeds)
        length = x.shape[1]
        if self.training and self.model.gradient_checkpointing and self.use_cache:
            logger.warning_once("`use_cache=True` does not go with gradient checkpointing; using `use_cache=False`.")
            self.use_cache = False
        past = self.past
        start: Any = 0  # positions before these ones: an int, or a tensor with a static cache
        if past is not None or self.use_cache:
            past = as_cache(past)
            start = past.position if isinstance(past, StaticCache) else past.get_usable_length(length)
            self.whole = isinstance(past.length, int) and past.length == 0
            self.cache = past.fork(length)
        self.start, self.query_length, self.key_length = start, length, start + length
        self.padding = attention_mask
        if position_ids is None:
            position_ids = torch.arange(length, device=x.device)[None] + start
        self.position_ids = position_ids.view(-1, length)
        return x

    def start_encoding(self, x: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Open a pass in which all positions of `x` `(batch, sequence, hidden)` see each other; nothing is cached."""
        self.causal, self.use_cache, self.past = False, False, None
        self.padding, self.start, self.query_length, self.key_length = attention_mask, 0, x.shape[1], x.shape[1]
        self.position_ids = torch.arange(x.shape[1], device=x.device)[None]
        return x

    def shared(self, key: Hashable, make: Callable[[], Any], device: torch.device) -> Any:
        """What `make` returns, made once for this pass and device."""
        if (key, device) not in self._memo:
            value = make()
            if isinstance(value, tuple) and value[0].device != device:
                value = tuple(x.to(device) for x in value)
            self._memo[key, device] = value
        return self._memo[key, device]

    def self_mask(self, q: Tensor, k: Tensor, window: int | None = None, bias: Tensor | None = None) -> Tensor | None:
        """The additive mask of self-attention, or None where none is needed or the kernel's causal mode will do.

        It includes `bias`, one layer's own, or else the bias that all layers share.
        """
        own = bias is not None
        bias = bias if own else self.bias
        # One layer's own bias is added for it alone; so is one that needs gradients, which checkpointing computes anew.
        once = not own and (bias is None or not bias.requires_grad)
        key = ("mask", window, q.dtype, own)
        if key not in self._memo:
            mask = self._self_mask(q, k, window, biased=bias is not None)
            self._memo[key] = _sum(bias, mask, q) if once else mask
        return self._memo[key] if once else _sum(bias, self._memo[key], q)

    def _self_mask(self, q: Tensor, k: Tensor, window: int | None, biased: bool = False) -> Tensor | None:
        padding, queries, keys = self.padding, q.shape[2], k.shape[2]
        tracing = torch.compiler.is_compiling()
        if padding is not None and padding.dim() > 2:
            return masks.to_additive(padding, q.dtype)
        if not self.causal:
            return None if padding is None else masks.to_additive(padding, q.dtype)
        if padding is not None and not tracing and padding.shape[-1] != keys:
            raise ValueError(
                f"attention_mask has {padding.shape[-1]} columns; expected {keys}: one per position,"
                f" cached ({keys - queries}) and new ({queries})"
            )
        static = isinstance(self.cache, StaticCache)
        if window is not None and not tracing and keys <= window:
            window = None
        needless = queries == 1 or (self.whole and not self.explicit and not biased)
        if window is None and not static:
            if padding is None and needless:
                return None
            if padding is not None and queries == 1:  # the newest position sees all others
                return masks.to_additive(padding, q.dtype)
        rows = self.cache.rows if static else torch.arange(queries, device=q.device) + (keys - queries)  # type: ignore[union-attr]
        allowed = masks.causal(rows, torch.arange(keys, device=q.device), window)[None, None]
        if padding is not None:
            allowed = allowed & (padding[:, None, None, :] != 0)
        return masks.additive(allowed, q.dtype)

    def encoder_mask(self, q: Tensor) -> Tensor | None:
        """The additive mask over the encoder's positions, or None."""
        mask = self.encoder_attention_mask
        if mask is None:
            return None
        return self.shared(("encoder", q.dtype), lambda: (masks.to_additive(mask, q.dtype),), q.device)[0]

    def finish(self, x: Tensor, output: type | None = None, **further: Any) -> Any:
        """The body's output: `x`, the cache and what was recorded.

        `x` is also the last of the recorded hidden states. Models whose final normalisation comes after these pass what
        it gives as `last_hidden_state=…`.
        """
        if self.hidden_states is not None:
            self.hidden_states.append(x)
            further["hidden_states"] = tuple(self.hidden_states)
        if self.attentions is not None:
            further["attentions"] = tuple(self.attentions)
        if self.cross_attentions is not None:
            further["cross_attentions"] = tuple(self.cross_attentions)
        if self.cache is not None:
            self.cache.open = False  # type: ignore[attr-defined]
            if self.use_cache:
                further["past_key_values"] = self.cache
        # Not a default argument: TorchDynamo cannot build classes that it meets there.
        further.setdefault("last_hidden_state", x)
        return (output or BaseModelOutputWithPast)(**further)


def embedded(embed: Callable[[Tensor], Tensor], input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
    """`inputs_embeds`, or the embedding of `input_ids`.

    Raises:
        ValueError: neither or both are given.
    """
    if (input_ids is None) == (inputs_embeds is None):
        raise ValueError(
            "Pass input_ids or inputs_embeds, not both"
            if input_ids is not None
            else "Nothing to compute on: pass input_ids or inputs_embeds"
        )
    return embed(input_ids) if inputs_embeds is None else inputs_embeds  # type: ignore[arg-type]


def _sum(bias: Tensor | None, mask: Tensor | None, q: Tensor) -> Tensor | None:
    """Bias plus mask, on the queries' device and in their dtype; finite, so that rows that see nothing stay finite."""
    if bias is None:
        return mask
    bias = bias.to(q.device, q.dtype)
    return bias if mask is None else (bias + mask.to(q.device)).clamp(min=torch.finfo(q.dtype).min)


def run_layers(layers: Iterable[nn.Module], x: Tensor, call: Call, layerdrop: float = 0.0) -> Tensor:
    """Run `layer(x, call)` for each layer, recording hidden states and checkpointing gradients where asked.

    Args:
        layerdrop: in training, the chance to leave a layer out (Fan et al. 2019). Nothing is cached then: the layers
            would hold different positions.
    """
    hidden = call.hidden_states
    dropping = call.training and layerdrop > 0
    if dropping:
        call.cache, call.use_cache = None, False
    checkpoint = (
        call.model._gradient_checkpointing_func if call.training and call.model.gradient_checkpointing else None
    )
    for layer in layers:
        if hidden is not None:
            hidden.append(x)
        if dropping and float(torch.rand([])) < layerdrop:
            continue
        x = layer(x, call) if checkpoint is None else checkpoint(layer.__call__, x, call)
    return x


def model_forward(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a body's `forward(self, tensors..., *, call)` the documented signature.

    Adds `use_cache` (where there is a `past_key_values`), `output_attentions`, `output_hidden_states` and
    `return_dict`, taken from the config where None, and returns a tuple for `return_dict=False`. Where the documented
    order is another one, the function declares these flags among its parameters; it is not given them.
    """
    declared = [name for name in inspect.signature(function).parameters if name not in ("self", "call")]
    names = [name for name in declared if name not in FLAGS]
    decodes = "past_key_values" in names
    order = (*names, *(FLAGS if decodes else FLAGS[1:])) if len(names) == len(declared) else tuple(declared)
    accepted = frozenset(order)

    @functools.wraps(function)
    def forward(self: Any, *args: Any, **inputs: Any) -> Any:
        if args:
            inputs = _named(args, order, inputs)
        config = self.config
        use_cache = inputs.pop("use_cache", None) if decodes else False
        attentions = inputs.pop("output_attentions", None)
        hidden = inputs.pop("output_hidden_states", None)
        return_dict = inputs.pop("return_dict", None)
        if inputs.keys() - accepted:
            unknown = ", ".join(sorted(inputs.keys() - accepted))
            raise TypeError(f"{type(self).__name__}.forward() got an unexpected keyword argument: {unknown}")
        call = Call(
            self,
            inputs,
            bool(config.use_cache if use_cache is None else use_cache),
            bool(config.output_attentions if attentions is None else attentions),
            bool(config.output_hidden_states if hidden is None else hidden),
        )
        output = function(self, **inputs, call=call)
        return output if (config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()

    forward.__signature__ = _signature(order)  # type: ignore[attr-defined]
    forward.__doc__ = function.__doc__ or forward_docstring(order)
    del forward.__wrapped__  # type: ignore[attr-defined]  # or inspect would show the inner signature
    return forward


def _named(args: tuple[Any, ...], names: tuple[str, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    if len(args) > len(names):
        raise TypeError(
            f"forward() takes at most {len(names)} arguments ({', '.join(names)}) but {len(args)} were given"
        )
    inputs = dict(zip(names, args))
    for name in inputs.keys() & keywords.keys():
        raise TypeError(f"forward() got multiple values for argument '{name}'")
    return inputs | keywords


def _signature(names: Iterable[str], flags: Iterable[str] = ()) -> inspect.Signature:
    """`(self, name: Tensor | None = None, ...)`; of `flags` and of names known to be flags, `bool | None`."""
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    booleans = {*FLAGS, *flags, "interpolate_pos_encoding"}
    parameters = [inspect.Parameter("self", keyword)]
    for name in (*names, *flags):
        annotation = "bool | None" if name in booleans else "Tensor | None"
        parameters.append(inspect.Parameter(name, keyword, default=None, annotation=annotation))
    return inspect.Signature(parameters)
