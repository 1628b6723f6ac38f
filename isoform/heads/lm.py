"""Language modelling heads."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from torch import Tensor, nn

from ..cache_utils import Cache, SinkCache
from ..modeling_outputs import CausalLMOutputWithPast, MaskedLMOutput
from .base import Head, recorded
from .losses import next_token_loss, token_loss


class VocabularyHead(Head):
    """What language modelling heads share: a projection to the vocabulary, tied to the embedding if the config says so.

    Args of the class statement:
        body: the model under the head.
        head: attribute name of the projection, or of the module that holds it.
        module: that module's class, built from the config; None where the head is the projection itself.
        projection: dotted path of the projection within the module.
        bias: whether the projection has one.
        width: config field of its input width.
        output: the output class.
    """

    head_name: str
    head_module: Callable[[Any], nn.Module] | None = None
    head_bias, head_width = False, "hidden_size"
    output_class: Any
    output_embeddings: str | None
    _tied_weights_keys: list[str] | None

    def __init_subclass__(
        cls,
        head: str | None = None,
        module: Callable[[Any], nn.Module] | None = None,
        projection: str = "decoder",
        bias: bool = False,
        width: str = "hidden_size",
        output: type | None = None,
        **options: Any,
    ) -> None:
        cls._set_options(output_class=output)
        if head is not None:
            cls.head_name, cls.head_module, cls.head_bias, cls.head_width = head, module, bias, width
            path = head if module is None else f"{head}.{projection}"
            # A tied bias has no counterpart in the embedding, but perhaps one in the module (see `SharedBias`).
            cls.output_embeddings = path
            cls._tied_weights_keys = [f"{path}.weight"] + ([] if module is None else [f"{path}.bias"])
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        make = type(self).head_module
        if make is not None:
            setattr(self, self.head_name, make(config))
            return
        width = getattr(config, self.head_width)
        setattr(self, self.head_name, nn.Linear(width, config.vocab_size, bias=self.head_bias))


class SharedBias(nn.Module):
    """A projection to the vocabulary, `decoder`, whose bias checkpoints also hold as `bias`."""

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.decoder = nn.Linear(width, vocabulary)
        self.bias = self.decoder.bias

    def _tie_weights(self) -> None:  # after a resize the projection is another one
        self.bias = self.decoder.bias


class MaskedLM(VocabularyHead):
    """Words that were masked out of a text; labels of -100 are left out of the loss. Options: see `VocabularyHead`."""

    described = {"labels": "(batch, sequence): the right id where it counts, -100 elsewhere."}

    output_class = MaskedLMOutput

    def _logits(self, hidden: Tensor) -> Tensor:
        return getattr(self, self.head_name)(hidden)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        outputs = self.run_body(inputs)
        logits = self._logits(outputs.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return self.output_class(loss=loss, logits=logits, **recorded(outputs, self.output_class))


class CausalLM(VocabularyHead):
    """Next-token prediction over a decoder.

    Args of the class statement, besides those of `VocabularyHead`:
        upcast: logits in float32 whatever the model's dtype, as the architecture's original does.
        narrow_loss: the loss computed from them goes back to the model's dtype.
        places_tokens: generation counts the positions of real tokens; False leaves positions to the model, which
            counts columns or looks at the ids.
        cache_with_labels: a pass with labels returns keys and values, too.
        shifts_labels: labels are the input ids, each position is held against the next one; if not, against its own.
    """

    described = {"labels": "(batch, sequence): the ids themselves, they are shifted here; -100 does not count."}

    shifts_labels = True
    upcast, narrow_loss, places_tokens, cache_with_labels = False, False, True, True
    output_class = CausalLMOutputWithPast

    def __init_subclass__(
        cls,
        upcast: bool | None = None,
        narrow_loss: bool | None = None,
        places_tokens: bool | None = None,
        cache_with_labels: bool | None = None,
        shifts_labels: bool | None = None,
        **options: Any,
    ) -> None:
        cls._set_options(
            shifts_labels=shifts_labels,
            upcast=upcast,
            narrow_loss=narrow_loss,
            places_tokens=places_tokens,
            cache_with_labels=cache_with_labels,
        )
        super().__init_subclass__(**options)

    @property
    def bidirectional(self) -> bool:
        """Whether all positions see each other, so that nothing can be cached (BERT unless it is made a decoder)."""
        return False

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
        if labels is not None and not self.cache_with_labels:
            inputs["use_cache"] = False
        outputs = self.run_body(inputs)
        logits = self._logits(outputs.last_hidden_state)
        loss_of = next_token_loss if self.shifts_labels else token_loss
        loss = None if labels is None else loss_of(logits, labels)
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
        if attention_mask is not None and optional["position_ids"] is None and self.places_tokens:
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
