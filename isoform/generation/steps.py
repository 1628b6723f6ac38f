"""How the model is run over the tokens that it has not seen, and how what it has seen is kept."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from ..cache_utils import DynamicCache, as_cache
from ..layers import masks
from ..modeling_outputs import CausalLMOutputWithPast, Seq2SeqLMOutput
from ._inputs import InputPreparation, crop_past

if TYPE_CHECKING:
    from .loop import Decoding, Options, Strategy

# Rooms to reserve in the cache beyond the prompt at first: it grows by doubling, and most texts end before max_length.
_CACHE_HEADROOM = 512


class Steps(Protocol):
    """A way to run the model."""

    def forward(self, run: Decoding) -> Any:
        """The outputs for the new tokens of all rows; they count as seen from then on."""
        ...

    def reorder(self, rows: Tensor, start: int = 0) -> None:
        """Continue row `rows[i]` as row `i`; the two are of the same prompt, with equal tokens before `start`."""
        ...

    def crop(self, length: int) -> None:
        """Forget what was seen from position `length` on."""
        ...

    @property
    def past(self) -> Any:
        """The cache."""
        ...

    @property
    def encoder_outputs(self) -> Any:
        """What the encoder said, or None."""
        ...

    def close(self) -> None:
        """Called once at the end."""
        ...


class ProtocolSteps:
    """Steps of any model, through the documented hooks.

    Each step calls `prepare_inputs_for_generation`, the model, and `_update_model_kwargs_for_generation`.
    """

    def __init__(self, model: Any, kwargs: dict[str, Any], options: Options) -> None:
        self.model, self.kwargs = model, kwargs
        self.encoder_decoder = bool(model.config.is_encoder_decoder)
        self.flags = {
            "return_dict": True,
            "output_attentions": options.attentions,
            "output_hidden_states": options.hidden_states,
        }

    @property
    def past(self) -> Any:
        return self.kwargs.get("past_key_values")

    @property
    def encoder_outputs(self) -> Any:
        return self.kwargs.get("encoder_outputs")

    def forward(self, run: Decoding) -> Any:
        inputs = self.model.prepare_inputs_for_generation(run.ids, **self.kwargs)
        outputs = self.model(**inputs, **self.flags)
        if not run.ended:
            self.update(outputs)
        return outputs

    def update(self, outputs: Any) -> None:
        """Take over the cache of `outputs`; masks grow by one position."""
        self.kwargs = self.model._update_model_kwargs_for_generation(
            outputs, self.kwargs, is_encoder_decoder=self.encoder_decoder
        )

    def reorder(self, rows: Tensor, start: int = 0) -> None:
        if self.past is not None:
            self.kwargs["past_key_values"] = self.model._reorder_cache(self.past, rows)

    def crop(self, length: int) -> None:
        if self.past is not None:
            self.kwargs["past_key_values"] = crop_past(self.model, self.past, length)

    def close(self) -> None:
        pass

    def fit_masks(self, length: int) -> None:
        """Bring masks and token types to `length` positions, after steps of more or less than one token."""
        names = ("decoder_attention_mask",) if self.encoder_decoder else ("attention_mask", "token_type_ids")
        for name in names:
            value = self.kwargs.get(name)
            if value is not None and value.shape[1] > length:
                self.kwargs[name] = value[:, :length]
            elif value is not None and value.shape[1] < length:
                last = value[:, -1:] if name == "token_type_ids" else value.new_ones(value.shape[0], 1)
                self.kwargs[name] = torch.cat((value, last.expand(-1, length - value.shape[1])), -1)


class PlainSteps:
    """Steps of this package's own decoders: all that does not change from step to step is prepared once.

    The mask is left out where nothing is padded; else it and the positions are prepared up to the last step and sliced.
    Neighbouring rows with the same prompt, such as beams, share one pass over it.
    """

    encoder_outputs: Any = None

    def __init__(self, model: Any, ids: Tensor, kwargs: dict[str, Any], options: Options) -> None:
        self.model = model
        self.embeds = kwargs.get("inputs_embeds")
        prompt = ids.shape[1] if self.embeds is None else self.embeds.shape[1]
        self.offset = prompt - ids.shape[1]  # positions that embeddings fill and ids do not count
        limit = prompt + _CACHE_HEADROOM
        capacity = limit if options.max_length is None else min(limit, options.max_length + self.offset)
        past = kwargs.get("past_key_values")
        self.cache: Any = DynamicCache(capacity=capacity) if past is None else as_cache(past)
        self.records = options.attentions or options.hidden_states
        self.product = _small_batch_product(model, ids.shape[0])
        self.copies = 1 if self.records else self.count_copies(ids, kwargs)
        self.exchanges = is_hook(model, "_reorder_cache", _family(model))
        self.flags = {"use_cache": True, "return_dict": True}
        if options.attentions:
            self.flags["output_attentions"] = True
        if options.hidden_states:
            self.flags["output_hidden_states"] = True
        self.mask: Tensor | None = None
        self.positions: Tensor | None = None
        mask = kwargs.get("attention_mask")
        if mask is not None and mask.shape != (ids.shape[0], prompt):
            raise ValueError(
                f"attention_mask must be {(ids.shape[0], prompt)}, one entry per token of the prompt; found "
                f"{tuple(mask.shape)}"
            )
        if mask is not None and not bool(mask.all()):
            self._prepare_mask(mask, capacity)

    def count_copies(self, ids: Tensor, kwargs: dict[str, Any]) -> int:
        """How many neighbouring rows are the same prompt, such as the beams of one."""
        if kwargs.get("inputs_embeds") is not None or kwargs.get("past_key_values") is not None:
            return 1
        return _copies(ids, kwargs.get("attention_mask"))

    def _prepare_mask(self, mask: Tensor, capacity: int) -> None:
        further = max(capacity - mask.shape[1], 1)
        self.mask = torch.cat((mask, mask.new_ones(mask.shape[0], further)), -1)
        if self.model.places_tokens and "position_ids" in self.model.forward_names():
            # Hidden positions count as 1: they may not be negative, and what stands there is not seen.
            self.positions = (self.mask.long().cumsum(-1) - 1).masked_fill(self.mask == 0, 1)

    @property
    def past(self) -> Any:
        return self.cache

    def forward(self, run: Decoding) -> Any:
        end = run.length + self.offset
        seen = self.cache.length
        inputs: dict[str, Any] = dict(self.flags)
        if self.embeds is not None:
            inputs["inputs_embeds"], self.embeds = self.embeds, None
        else:
            inputs["input_ids"] = run.last_ids(end - seen)
        if self.mask is not None:
            if self.mask.shape[1] < end:
                self.positions = None
                self._prepare_mask(self.mask, 2 * end)
            inputs["attention_mask"] = self.mask[:, :end]
            if self.positions is not None:
                inputs["position_ids"] = self.positions[:, seen:end]
        if self.copies > 1:
            return self._forward_prompt_once(inputs)
        outputs = self._run(inputs)
        self.cache = outputs.past_key_values
        return outputs

    def _run(self, inputs: dict[str, Any]) -> Any:
        """Call the model. Unless someone watches, only the last position's logits are computed, in the fastest way."""
        model, inputs["past_key_values"] = self.model, self.cache
        first: Any = inputs.get("input_ids", inputs.get("inputs_embeds"))
        if self.records or (first.shape[1] == 1 and self.product is None) or not _is_unwatched(model):
            return model(**inputs)
        outputs = model.run_body(inputs)
        last = outputs.last_hidden_state[:, -1:]
        head = getattr(model, model.head_name)
        logits = (
            model._logits(last) if self.product is None else self.product(last, head.weight, head.bias, "none", [], "")
        )
        return CausalLMOutputWithPast(logits=logits, past_key_values=outputs.past_key_values)

    def _forward_prompt_once(self, inputs: dict[str, Any]) -> Any:
        copies, self.copies = self.copies, 1
        inputs = {n: x[::copies] if isinstance(x, Tensor) else x for n, x in inputs.items()}
        outputs = self._run(inputs)
        logits = outputs.logits[:, -1:].repeat_interleave(copies, 0)
        self.cache = self.spread(outputs.past_key_values, copies)
        return type(outputs)(logits=logits)

    def spread(self, cache: Any, copies: int) -> Any:
        """The cache with each batch entry `copies` times."""
        device = cache[0][0].device
        rows = torch.arange(cache[0][0].shape[0], device=device).repeat_interleave(copies)
        return self.model._reorder_cache(cache, rows)

    def reorder(self, rows: Tensor, start: int = 0) -> None:
        # Rows change places only among the beams of one prompt, whose masks are the same.
        if isinstance(self.cache, DynamicCache) and self.exchanges:
            self.cache = self.cache.exchange(rows, start + self.offset)
        else:
            self.cache = self.model._reorder_cache(self.cache, rows)

    def crop(self, length: int) -> None:
        self.cache.crop(length + self.offset)

    def close(self) -> None:
        pass


class EncoderDecoderSteps(PlainSteps):
    """As `PlainSteps`, of the decoder of a model with an encoder, which has run already.

    Beams of one prompt share the encoder's keys and values.
    """

    def __init__(self, model: Any, ids: Tensor, kwargs: dict[str, Any], options: Options) -> None:
        self.encoder_outputs = kwargs["encoder_outputs"]
        self.states = self.encoder_outputs[0]
        self.decoder, mask = model.get_decoder(), kwargs.get("attention_mask")
        self.encoder_mask = None
        self.rows = [self.states] if mask is None else [self.states, mask]
        if mask is not None and not bool(mask.all()):
            self.encoder_mask = mask if mask.dim() > 2 else masks.Prepared(masks.to_additive(mask, self.states.dtype))
        own = {name: kwargs.get(name) for name in ("past_key_values", "use_cache")}
        super().__init__(model, ids, {**own, "attention_mask": kwargs.get("decoder_attention_mask")}, options)

    def count_copies(self, ids: Tensor, kwargs: dict[str, Any]) -> int:
        return 1 if kwargs["past_key_values"] is not None else _copies(ids, kwargs["attention_mask"], *self.rows)

    def _run(self, inputs: dict[str, Any]) -> Any:
        model, rows, states, mask = self.model, inputs["input_ids"].shape[0], self.states, self.encoder_mask
        if states.shape[0] != rows:  # the prompt of several copies, which comes once
            copies = states.shape[0] // rows
            states = states[::copies]
            mask = masks.Prepared(mask.tensor[::copies]) if isinstance(mask, masks.Prepared) else mask
        outputs = self.decoder(
            **inputs, past_key_values=self.cache, encoder_hidden_states=states, encoder_attention_mask=mask
        )
        last = model._before_head(outputs.last_hidden_state[:, -1:])
        if self.product is None:
            logits = model._head(last)
        else:
            bias = model.final_logits_bias[0] if model.final_bias else None
            logits = self.product(last, model.lm_head.weight, bias, "none", [], "")
        return Seq2SeqLMOutput(
            logits=logits,
            past_key_values=outputs.past_key_values,
            decoder_hidden_states=outputs.hidden_states,
            decoder_attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )

    def spread(self, cache: Any, copies: int) -> Any:
        if cache[0][0].shape[0] > 1 or not isinstance(cache, DynamicCache):
            return super().spread(cache, copies)
        spread = cache.reorder(torch.zeros(copies, dtype=torch.long, device=cache[0][0].device), cross=False)
        spread.cross.update(
            {i: (k.expand(copies, -1, -1, -1), v.expand(copies, -1, -1, -1)) for i, (k, v) in cache.cross.items()}
        )
        return spread


def _is_unwatched(model: Any) -> bool:
    """Whether calling body and head in turn is the same as calling the model: no hooks, no replaced methods."""
    modules = {model, model.base_model} if model.config.is_encoder_decoder else {model}
    hooked = any(m._forward_hooks or m._forward_pre_hooks or "forward" in vars(m) for m in modules)
    return not hooked and is_hook(model, "_head_forward", _family(model))


def _small_batch_product(model: Any, rows: int) -> Any:
    """What multiplies a few rows by the vocabulary's matrix up to twice as fast as `nn.Linear` on processors.

    That is oneDNN; in float32 and by default, torch uses MKL. None where it would not be faster, or not be the same.
    """
    head = getattr(model, model.head_name)
    plain = (
        is_hook(model, "_logits", _family(model))
        and type(head) is torch.nn.Linear
        and not (head._forward_hooks or head._forward_pre_hooks or "forward" in vars(head))
    )
    if not plain or not 3 <= rows <= 32 or torch.is_grad_enabled() or not torch.backends.mkldnn.is_available():
        return None
    if head.weight.device.type != "cpu" or head.weight.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def make_steps(model: Any, ids: Tensor, kwargs: dict[str, Any], options: Options, strategy: Strategy) -> Steps:
    """The fastest way of running `model` that gives what its hooks and `strategy` ask for."""
    kwargs = dict(kwargs)
    use_cache = kwargs.get("use_cache")
    use_cache = getattr(model.config, "use_cache", True) if use_cache is None else use_cache
    compiled = kwargs.pop("compile_decoding", None)
    plain = strategy.plain_steps and use_cache and _is_plain(model, ids, kwargs, options)
    if compiled:
        from .compiled import CompiledEncoderDecoderSteps, CompiledSteps, reason_against, warn_once

        reason = (
            reason_against(model, options) if plain else "the model, its inputs or the kind of decoding rule it out"
        )
        if reason is None:
            kind = CompiledEncoderDecoderSteps if model.config.is_encoder_decoder else CompiledSteps
            return kind(model, ids, kwargs, options)
        warn_once(reason)
    if not plain:
        return ProtocolSteps(model, kwargs, options)
    return (EncoderDecoderSteps if model.config.is_encoder_decoder else PlainSteps)(model, ids, kwargs, options)


def is_hook(model: Any, name: str, owner: type) -> bool:
    """Whether the model's method of that name is the one that `owner` defines, not an override."""
    return name not in vars(model) and inspect.getattr_static(type(model), name) is vars(owner)[name]


def _family(model: Any) -> type:
    """The head that says how `model` decodes."""
    from ..heads.lm import CausalLM
    from ..heads.seq2seq import Seq2SeqLM

    return Seq2SeqLM if isinstance(model, Seq2SeqLM) else CausalLM


def _copies(*tensors: Tensor | None) -> int:
    """How many neighbouring batch entries of all `tensors` are the same, if that is so throughout; else 1."""
    rows = [x.flatten(1) for x in tensors if x is not None]
    if rows[0].shape[0] == 1:
        return 1
    same = torch.stack([(x[1:] == x[:-1]).all(-1) for x in rows]).all(0).tolist()
    count = same.index(False) + 1 if False in same else len(same) + 1
    uniform = rows[0].shape[0] % count == 0 and all(same[i] for i in range(len(same)) if (i + 1) % count)
    return count if uniform else 1


_PLAIN_ARGUMENTS = {
    "attention_mask",
    "inputs_embeds",
    "input_ids",
    "output_attentions",
    "output_hidden_states",
    "past_key_values",
    "use_cache",
}


_ENCODER_DECODER_ARGUMENTS = _PLAIN_ARGUMENTS | {"decoder_attention_mask", "encoder_outputs"}


def _is_plain(model: Any, ids: Tensor, kwargs: dict[str, Any], options: Options) -> bool:
    """Whether the model is one of this package with no hook overridden, and the arguments are the usual ones."""
    given = {name for name, value in kwargs.items() if value is not None}
    family, encoder_decoder = _family(model), bool(model.config.is_encoder_decoder)
    if options.synced_gpus or given - (_ENCODER_DECODER_ARGUMENTS if encoder_decoder else _PLAIN_ARGUMENTS):
        return False
    if not isinstance(model, family) or not type(model).__module__.startswith(__package__.partition(".")[0] + "."):
        return False
    hooks = {
        "prepare_inputs_for_generation": family,
        "_update_model_kwargs_for_generation": InputPreparation,
        "_extract_past_from_model_output": InputPreparation,
    }
    if not all(is_hook(model, name, owner) for name, owner in hooks.items()):
        return False
    mask, embeds, past = (kwargs.get(name) for name in ("attention_mask", "inputs_embeds", "past_key_values"))
    if encoder_decoder != hasattr(family, "get_encoder") or getattr(model, "bidirectional", False):
        return False
    if encoder_decoder:
        mask, embeds = kwargs.get("decoder_attention_mask"), None
        if not _is_unwatched(model):
            return False
    if mask is not None and mask.dim() != 2:
        return False
    if past is not None:
        seen = as_cache(past)
        return isinstance(seen, DynamicCache) and embeds is None and seen.length < ids.shape[1]
    return True
