"""Language modelling heads."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from torch import Tensor, nn

from ..cache_utils import Cache, SinkCache
from ..modeling_outputs import CausalLMOutputWithPast
from .base import Head, recorded
from .losses import next_token_loss


class CausalLM(Head):
    """Next-token prediction over a decoder.

    Args of the class statement:
        body: the decoder.
        head: attribute name of the projection to the vocabulary, tied to the embedding if the config says so.
        bias: whether it has one.
        width: config field of its input width.
        upcast: logits in float32 whatever the model's dtype, as the architecture's original does.
        narrow_loss: the loss computed from them goes back to the model's dtype.
        output: the output class.
    """

    head_name: str
    head_bias, head_width, upcast, narrow_loss = False, "hidden_size", False, False
    output_class: type = CausalLMOutputWithPast
    output_embeddings: str | None
    _tied_weights_keys: list[str] | None

    def __init_subclass__(
        cls,
        head: str | None = None,
        bias: bool = False,
        width: str = "hidden_size",
        upcast: bool = False,
        narrow_loss: bool = False,
        output: type = CausalLMOutputWithPast,
        **options: Any,
    ) -> None:
        if head is not None:
            cls.head_name, cls.head_bias, cls.head_width, cls.upcast = head, bias, width, upcast
            cls.output_class, cls.output_embeddings, cls.narrow_loss = output, head, narrow_loss
            # A tied bias has no counterpart in the embedding; only the weight is shared.
            cls._tied_weights_keys = [f"{head}.weight"]
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        width = getattr(config, self.head_width)
        setattr(self, self.head_name, nn.Linear(width, config.vocab_size, bias=self.head_bias))

    def get_decoder(self) -> nn.Module:
        """The decoder under the head."""
        body = self.base_model  # type: ignore[attr-defined]
        return body.get_decoder() if hasattr(body, "get_decoder") else body

    def set_decoder(self, decoder: nn.Module) -> None:
        """Replace the decoder under the head."""
        body = self.base_model  # type: ignore[attr-defined]
        if hasattr(body, "get_decoder"):
            body.decoder = decoder
        else:
            setattr(self, self.base_model_prefix, decoder)  # type: ignore[attr-defined]

    def _logits(self, hidden: Tensor) -> Tensor:
        logits = getattr(self, self.head_name)(hidden)
        return logits.float() if self.upcast else logits

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        outputs = self.run_body(inputs)
        logits = self._logits(outputs.last_hidden_state)
        loss = None if labels is None else next_token_loss(logits, labels)
        if loss is not None and self.narrow_loss:
            loss = loss.to(outputs.last_hidden_state.dtype)
        return self.output_class(loss=loss, logits=logits, **recorded(outputs, self.output_class))

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The forward's inputs for one decoding step: only the tokens that the cache has not seen."""
        takes = self.forward_names()
        seen = _cached_length(past_key_values)
        limit = past_key_values.get_max_length() if isinstance(past_key_values, SinkCache) else None
        if limit is not None and attention_mask is not None:
            attention_mask = attention_mask[:, -limit:]  # the mask is of what the window will hold
        optional = {name: kwargs.get(name) for name in ("position_ids", "token_type_ids")}
        if attention_mask is not None and optional["position_ids"] is None:
            optional["position_ids"] = (attention_mask.long().cumsum(-1) - 1).masked_fill(attention_mask == 0, 1)
        if seen:
            new = input_ids.shape[1] - seen if input_ids.shape[1] > seen else 1
            input_ids = input_ids[:, -new:]
            optional = {name: value if value is None else value[:, -new:] for name, value in optional.items()}
        inputs = {"input_ids": input_ids} if inputs_embeds is None or seen else {"inputs_embeds": inputs_embeds}
        optional.update({name: kwargs.get(name) for name in ("encoder_hidden_states", "encoder_attention_mask")})
        inputs.update({name: value for name, value in optional.items() if name in takes and value is not None})
        return {
            **inputs,
            "past_key_values": past_key_values,
            "attention_mask": attention_mask,
            "use_cache": kwargs.get("use_cache"),
        }

    @classmethod
    def forward_names(cls) -> frozenset[str]:
        """Names of the forward's parameters; with those of the forwards that `**kwargs` of a user's subclass go to."""
        return _forward_names(cls, cls.forward)  # type: ignore[attr-defined, arg-type]

    @staticmethod
    def _reorder_cache(past_key_values: Any, beam_idx: Tensor) -> Any:
        """The cache with its batch entries picked by `beam_idx`."""
        if hasattr(past_key_values, "reorder"):
            return past_key_values.reorder(beam_idx)
        return tuple(tuple(x.index_select(0, beam_idx.to(x.device)) for x in layer) for layer in past_key_values)


@lru_cache(maxsize=256)
def _forward_names(cls: type, current: Any) -> frozenset[str]:
    """Parameters of `cls.forward`. `current` is that function: a key, so that a replaced one is read anew."""
    names: set[str] = set()
    for base in cls.__mro__:
        if "forward" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["forward"]).parameters.values()
        names.update(p.name for p in parameters)
        if not any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            break
    return frozenset(names)


def _cached_length(past_key_values: Any) -> int:
    """Positions that a cache or nested tuple has seen; 0 for None."""
    if past_key_values is None:
        return 0
    if isinstance(past_key_values, Cache):
        if isinstance(past_key_values, SinkCache):
            return past_key_values.seen_tokens
        return past_key_values.get_seq_length()
    return past_key_values[0][0].shape[2]
