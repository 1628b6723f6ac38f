"""From the arguments of `generate` to the inputs of the model."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from ..cache_utils import Cache
from ..utils import logging
from ..utils.generic import ModelOutput
from ._setup import as_id_list

logger = logging.get_logger(__name__)

_PAST_NAMES = ("past_key_values", "mems", "past_buckets_states")


class InputPreparation:
    """The methods that prepare, expand and update what the model is called with. Models may override them."""

    config: Any
    generation_config: Any
    main_input_name: str
    device: torch.device

    def prepare_inputs_for_generation(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The arguments of the model for one step, from the tokens so far and the other inputs.

        Models that generate define it, as `prepare_inputs_for_generation(self, input_ids, past_key_values=None, ...)`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no prepare_inputs_for_generation(input_ids, **kwargs), which generate() needs: "
            "define it to return the arguments of forward for one step"
        )

    def _prepare_model_inputs(
        self,
        inputs: Tensor | None = None,
        bos_token_id: int | None = None,
        model_kwargs: dict[str, Tensor] | None = None,
    ) -> tuple[Tensor, str, dict[str, Any]]:
        """The main input, its name, and the other arguments.

        Raises:
            ValueError: the main input was given twice, or not at all where it has no default, or has no batch axis.
            TypeError: it is no tensor.
        """
        kwargs = model_kwargs or {}
        name = self.main_input_name
        encoder = getattr(self, "encoder", None) if self.config.is_encoder_decoder else None
        name = getattr(encoder, "main_input_name", None) or name
        kwargs = {key: value for key, value in kwargs.items() if value is not None or key != name}
        if name in kwargs:
            if inputs is not None:
                raise ValueError(f"`inputs` and `{name}` were both passed to `generate`: pass only one of them")
            inputs = kwargs.pop(name)

        if name == "input_ids" and "inputs_embeds" in kwargs:
            if not self.config.is_encoder_decoder:
                accepted = inspect.signature(self.prepare_inputs_for_generation).parameters
                if "inputs_embeds" not in accepted:
                    raise ValueError(
                        f"`inputs_embeds` was passed to `generate`, but {type(self).__name__} does not support it: its "
                        "prepare_inputs_for_generation has no such parameter"
                    )
                kwargs["input_ids"] = self._maybe_initialize_input_ids_for_generation(inputs, bos_token_id, kwargs)
            elif inputs is not None:
                raise ValueError("`inputs_embeds` and `input_ids` were both passed to `generate`: pick one")
            inputs, name = kwargs["inputs_embeds"], "inputs_embeds"
        inputs = self._maybe_initialize_input_ids_for_generation(inputs, bos_token_id, kwargs)
        if not isinstance(inputs, Tensor):
            raise TypeError(
                f"`{name}` must be a tensor of token ids, (batch, length); found {type(inputs).__name__}. "
                "For text: inputs = tokenizer(text, return_tensors='pt'); model.generate(**inputs)"
            )
        if inputs.dim() < 2:
            raise ValueError(f"`{name}` must have a batch axis: expected (batch, length), found {tuple(inputs.shape)}")
        return inputs, name, kwargs

    def _maybe_initialize_input_ids_for_generation(
        self,
        inputs: Tensor | None = None,
        bos_token_id: int | None = None,
        model_kwargs: dict[str, Any] | None = None,
    ) -> Tensor:
        """`inputs`, or ids to start from where there are none: `(batch, 1)`, or `(batch, 0)` with embeddings and no id.

        Raises:
            ValueError: there is nothing to start from, and no id for the beginning of a sequence.
        """
        if inputs is not None:
            return inputs
        kwargs = model_kwargs or {}
        encoder_outputs = kwargs.get("encoder_outputs")
        if self.config.is_encoder_decoder and encoder_outputs is not None:
            shape = encoder_outputs[0].shape[:-1]  # ids that fit the encoder's states; nobody reads them
            return torch.full(shape, -100, dtype=torch.long, device=self.device)
        if bos_token_id is None:
            if "inputs_embeds" in kwargs:
                return torch.ones((kwargs["inputs_embeds"].shape[0], 0), dtype=torch.long, device=self.device)
            raise ValueError("There is nothing to start from: pass `input_ids`, or set `bos_token_id`.")
        batch = next((value.shape[0] for value in kwargs.values() if isinstance(value, Tensor)), 1)
        return torch.full((batch, 1), bos_token_id, dtype=torch.long, device=self.device)

    def _prepare_attention_mask_for_generation(
        self, inputs: Tensor, pad_token_id: int | None, eos_token_id: int | list[int] | None
    ) -> Tensor:
        """A mask that hides padding, if `inputs` are ids and padding can be told from their ends; else all ones."""
        is_ids = inputs.dim() == 2 and inputs.dtype in (torch.int, torch.long)
        if is_ids and pad_token_id is not None and pad_token_id not in (as_id_list(eos_token_id) or ()):
            return inputs.ne(pad_token_id).long()
        return torch.ones(inputs.shape[:2], dtype=torch.long, device=inputs.device)

    def _prepare_encoder_decoder_kwargs_for_generation(
        self, inputs_tensor: Tensor, model_kwargs: dict[str, Any], model_input_name: str | None = None
    ) -> dict[str, Any]:
        """Run the encoder, once; its output joins the arguments as `encoder_outputs`."""
        encoder = self.get_encoder()  # type: ignore[attr-defined]
        if hasattr(self, "hf_device_map"):  # a model that is split over devices: outputs go where the inputs are
            if hasattr(encoder, "_hf_hook"):
                encoder._hf_hook.io_same_device = True
            else:
                from accelerate.hooks import AlignDevicesHook, add_hook_to_module

                add_hook_to_module(encoder, AlignDevicesHook(io_same_device=True))
        arguments = {
            name: value
            for name, value in model_kwargs.items()
            if not name.startswith(("decoder_", "cross_attn", "use_cache"))
        }
        accepted = inspect.signature(encoder.forward).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
            arguments = {name: value for name, value in arguments.items() if name in accepted}
        arguments[model_input_name or self.main_input_name] = inputs_tensor
        arguments["return_dict"] = True
        model_kwargs["encoder_outputs"] = encoder(**arguments)
        return model_kwargs

    def _prepare_decoder_input_ids_for_generation(
        self,
        batch_size: int,
        model_input_name: str,
        model_kwargs: dict[str, Any],
        decoder_start_token_id: int | None = None,
        bos_token_id: int | None = None,
        device: torch.device | None = None,
    ) -> tuple[Tensor, dict[str, Any]]:
        """The decoder's first ids, which begin with its start token, and the remaining arguments."""
        ids = model_kwargs.pop("decoder_input_ids", None)
        if ids is None and model_input_name != "input_ids":
            ids = model_kwargs.pop("input_ids", None)
        start = self._get_decoder_start_token_id(decoder_start_token_id, bos_token_id)
        first = torch.full((batch_size, 1), start, dtype=torch.long, device=device or self.device)
        if ids is None:
            return first, model_kwargs
        # Donut's prompts bring a start token of their own.
        own_start = self.config.model_type == "vision-encoder-decoder" and "donut" in self.config.name_or_path.lower()
        if own_start or not (ids[:, 0] != start).all():
            return ids, model_kwargs
        mask = model_kwargs.get("decoder_attention_mask")
        if mask is not None:
            model_kwargs["decoder_attention_mask"] = torch.cat((torch.ones_like(mask[:, :1]), mask), -1)
        return torch.cat((first, ids), -1), model_kwargs

    def _get_decoder_start_token_id(
        self, decoder_start_token_id: int | None = None, bos_token_id: int | None = None
    ) -> int:
        """The id that decoding starts with, from the arguments or else the model's `generation_config`."""
        options = self.generation_config
        for start in (
            decoder_start_token_id if decoder_start_token_id is not None else options.decoder_start_token_id,
            bos_token_id if bos_token_id is not None else options.bos_token_id,
        ):
            if start is not None:
                return start
        raise ValueError("The decoder has nothing to start from: set `decoder_start_token_id` or `bos_token_id`.")

    @staticmethod
    def _expand_inputs_for_generation(
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: Tensor | None = None,
        **model_kwargs: Any,
    ) -> tuple[Tensor | None, dict[str, Any]]:
        """Repeat each row of all inputs `expand_size` times, for beams or several sequences per prompt."""
        if expand_size == 1:
            return input_ids, model_kwargs

        def repeat(values: dict[str, Any]) -> None:
            for name, value in values.items():
                if isinstance(value, Tensor):
                    values[name] = value.repeat_interleave(expand_size, dim=0)

        repeat(model_kwargs)
        if is_encoder_decoder:
            if model_kwargs.get("encoder_outputs") is None:
                raise ValueError("encoder-decoder generation needs `encoder_outputs` among the arguments of the model")
            repeat(model_kwargs["encoder_outputs"])
        if model_kwargs.get("past_key_values") is not None:
            model_kwargs["past_key_values"] = _repeat_past(model_kwargs["past_key_values"], expand_size)
        if input_ids is not None:
            input_ids = input_ids.repeat_interleave(expand_size, dim=0)
        return input_ids, model_kwargs

    def _extract_past_from_model_output(self, outputs: ModelOutput, standardize_cache_format: bool = False) -> Any:
        """The cache that a model returned, whatever its name; None if there is none."""
        return next((outputs[name] for name in _PAST_NAMES if name in outputs), None)

    def _update_model_kwargs_for_generation(
        self,
        outputs: ModelOutput,
        model_kwargs: dict[str, Any],
        is_encoder_decoder: bool = False,
        standardize_cache_format: bool = False,
    ) -> dict[str, Any]:
        """The arguments for the step after the one that gave `outputs`."""
        model_kwargs["past_key_values"] = self._extract_past_from_model_output(outputs, standardize_cache_format)
        if "state" in outputs:  # of recurrent models
            model_kwargs["state"] = outputs["state"]
        types = model_kwargs.get("token_type_ids")
        if types is not None:
            model_kwargs["token_type_ids"] = torch.cat((types, types[:, -1:]), -1)
        name = "decoder_attention_mask" if is_encoder_decoder else "attention_mask"
        mask = model_kwargs.get(name)
        if mask is not None:
            model_kwargs[name] = torch.cat((mask, mask.new_ones(mask.shape[0], 1)), -1)
        return model_kwargs

    def _reorder_cache(self, past_key_values: Any, beam_idx: Tensor) -> Any:
        """The cache with row `beam_idx[i]` as its row `i`. Models whose cache has another layout override it."""
        return reorder_past(past_key_values, beam_idx)

    def _temporary_reorder_cache(self, past_key_values: Any, beam_idx: Tensor) -> Any:
        return self._reorder_cache(past_key_values, beam_idx)

    def _validate_model_kwargs(self, model_kwargs: dict[str, Any]) -> None:
        """Refuse arguments that neither the preparation of inputs nor the model itself knows.

        Raises:
            ValueError: with the names.
        """
        if isinstance(model_kwargs.get("past_key_values"), Cache) and not getattr(self, "_supports_cache_class", True):
            raise ValueError(
                f"{type(self).__name__} does not support a `Cache` object as past_key_values: pass a tuple of tensors"
            )
        known = set(inspect.signature(self.prepare_inputs_for_generation).parameters)
        if known & {"kwargs", "model_kwargs"}:
            known |= set(inspect.signature(self.forward).parameters)  # type: ignore[attr-defined]
        if self.config.is_encoder_decoder:
            known |= self._encoder_decoder_parameters()
        unknown = [name for name, value in model_kwargs.items() if value is not None and name not in known]
        if unknown:
            raise ValueError(
                f"Neither options of generation nor inputs of the model: {unknown}. Check the spelling of these "
                "arguments of generate() (`model_kwargs`)."
            )

    def _encoder_decoder_parameters(self) -> set[str]:
        known = {"decoder_input_ids", "assistant_encoder_outputs", "decoder_attention_mask"}
        base = getattr(self, self.base_model_prefix, None)  # type: ignore[attr-defined]
        for part in ("encoder", "decoder"):
            module = getattr(self, part, None) or getattr(base, part, None)
            if module is not None:
                prefix = "decoder_" if part == "decoder" else ""
                known |= {prefix + name for name in inspect.signature(module.forward).parameters}
        return known


def reorder_past(past: Any, rows: Tensor) -> Any:
    """A cache, or a nested tuple of tensors, with batch entry `rows[i]` as entry `i`."""
    if hasattr(past, "reorder"):
        return past.reorder(rows)
    if isinstance(past, Cache):
        past.reorder_cache(rows)  # type: ignore[attr-defined]
        return past
    return tuple(tuple(x.index_select(0, rows.to(x.device)) for x in layer) for layer in past)


def _repeat_past(past: Any, times: int) -> Any:
    batch = past[0][0].shape[0]
    return reorder_past(past, torch.arange(batch).repeat_interleave(times))


def crop_past(model: Any, past: Any, length: int) -> Any:
    """The cache without the positions from `length` on."""
    if hasattr(past, "crop"):
        past.crop(length)
        return past
    if isinstance(past, Cache):
        raise ValueError(f"{type(past).__name__} cannot forget positions, which assisted decoding needs; pass no cache")
    own = 2 if getattr(model.config, "is_encoder_decoder", False) else None  # the encoder's keys and values stay
    return tuple(
        tuple(x[..., :length, :] if own is None or i < own else x for i, x in enumerate(layer)) for layer in past
    )


def check_prompt(model: Any, ids: Tensor, model_kwargs: dict[str, Any]) -> None:
    """Refuse, before the first step, ids that have no embedding and prompts with more tokens than learned positions.

    Looks at ids on the CPU only: elsewhere it would make the device wait.

    Raises:
        ValueError: says which id, or how long.
    """
    if "encoder_outputs" in model_kwargs or "inputs_embeds" in model_kwargs or torch.compiler.is_compiling():
        return
    rows = _rows(_input_embeddings(model))
    if rows and ids.device.type == "cpu" and ids.numel() and not ids.is_floating_point():
        smallest, largest = (int(value) for value in ids.aminmax())
        if smallest < 0 or largest >= rows:
            wrong = smallest if smallest < 0 else largest
            raise ValueError(
                f"input_ids contains {wrong}, but the model's vocabulary has {rows} ids, 0 to {rows - 1}. Use the"
                " model's own tokenizer; after adding tokens, call model.resize_token_embeddings(len(tokenizer))."
            )
    limit = _learned_positions(model)
    mask = model_kwargs.get("attention_mask")
    if limit and "position_ids" not in model_kwargs and isinstance(mask, Tensor) and mask.dim() == 2 and mask.numel():
        length = ids.shape[-1]
        if length > limit and (tokens := int((mask != 0).sum(-1).max())) > limit:
            raise ValueError(
                f"The prompt has {tokens} tokens, but {type(model).__name__} has learned positions for {limit} only:"
                " shorten it, for instance with truncation=True, max_length=... in the tokenizer."
            )


def _input_embeddings(model: Any) -> Any:
    try:
        return model.get_input_embeddings()
    except (AttributeError, NotImplementedError):  # a user's class without them
        return None


def _rows(embedding: Any) -> int | None:
    weight = getattr(embedding, "weight", None)
    return weight.shape[0] if isinstance(weight, Tensor) and weight.dim() == 2 else None


def _learned_positions(model: Any) -> int | None:
    """The number of positions of a decoder that learned a vector for each; None for the others, which have no limit."""
    body = getattr(model, "base_model", None)
    table = getattr(body, "wpe", None) or getattr(getattr(body, "decoder", None), "embed_positions", None)
    if model.config.is_encoder_decoder or not isinstance(table, torch.nn.Embedding):
        return None
    return table.num_embeddings - getattr(table, "offset", 0)
