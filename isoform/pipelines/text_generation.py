"""Text generation: continue prompts with a causal language model."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import torch

from .base import Pipeline
from .text_inputs import tokenize_many


class ReturnType(enum.Enum):
    """What `TextGenerationPipeline` returns: token ids, only the continuation, or the prompt with it."""

    TENSORS = 0
    NEW_TEXT = 1
    FULL_TEXT = 2


class TextGenerationPipeline(Pipeline):
    """Continues each prompt.

    Task: "text-generation".

    Args:
        return_full_text: Whether the prompt is part of the text returned (default: yes).
        return_tensors: Return token ids (`generated_token_ids`) instead of text.
        return_text: Return text; excludes `return_tensors`.
        clean_up_tokenization_spaces: Passed to the tokenizer's `decode`.
        prefix: Text put before every prompt, and not returned.
        handle_long_generation: "hole" drops the left end of prompts that leave too little room for the new tokens.
        stop_sequence: End at the (first) token of this text.
        add_special_tokens: Whether the tokenizer adds its special tokens to the prompt (default: no).

    Further keyword arguments go to `generate`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

        self.check_model_type(MODEL_FOR_CAUSAL_LM_MAPPING)
        if "prefix" not in self._preprocess_params and getattr(self.model.config, "prefix", None) is not None:
            self._preprocess_params, self._forward_params = self._with_prefix(self.model.config.prefix)

    def _with_prefix(self, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
        preprocess_params, forward_params, _ = self._sanitize_parameters(prefix=prefix, **self._forward_params)
        return {**self._preprocess_params, **preprocess_params}, {**self._forward_params, **forward_params}

    def _sanitize_parameters(
        self,
        return_full_text: bool | None = None,
        return_tensors: bool | None = None,
        return_text: bool | None = None,
        return_type: ReturnType | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        prefix: str | None = None,
        handle_long_generation: str | None = None,
        stop_sequence: str | None = None,
        add_special_tokens: bool = False,
        **generate_kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess_params: dict[str, Any] = {"add_special_tokens": add_special_tokens}
        if prefix is not None:
            preprocess_params["prefix"] = prefix
        if prefix:
            encoded = self.tokenizer(prefix, padding=False, add_special_tokens=add_special_tokens)
            generate_kwargs["prefix_length"] = len(encoded["input_ids"])
        if handle_long_generation not in (None, "hole"):
            raise ValueError(f"`handle_long_generation` must be None or 'hole', found {handle_long_generation!r}")
        if handle_long_generation is not None:
            preprocess_params["handle_long_generation"] = handle_long_generation
        if stop_sequence is not None:
            generate_kwargs["eos_token_id"] = self._stop_token(stop_sequence)
        preprocess_params.update(generate_kwargs)

        postprocess_params: dict[str, Any] = {}
        return_type = _return_type(return_full_text, return_tensors, return_text, return_type)
        if return_type is not None:
            postprocess_params["return_type"] = return_type
        if clean_up_tokenization_spaces is not None:
            postprocess_params["clean_up_tokenization_spaces"] = clean_up_tokenization_spaces
        return preprocess_params, generate_kwargs, postprocess_params

    def _stop_token(self, stop_sequence: str) -> int:
        ids = self.tokenizer.encode(stop_sequence, add_special_tokens=False)
        if len(ids) > 1:
            warnings.warn(
                "`stop_sequence` is several tokens long, and isoform stops at single ones: it stops at the first "
                "of them.",
                stacklevel=3,
            )
        return ids[0]

    def __call__(self, text_inputs: Any, **kwargs: Any) -> Any:
        """Continue.

        Args:
            text_inputs: A prompt or several.

        Returns:
            For each prompt a list (`num_return_sequences` entries) of `{"generated_text": …}` or
            `{"generated_token_ids": …}`.
        """
        return super().__call__(text_inputs, **kwargs)

    def preprocess(
        self,
        prompt_text: str,
        prefix: str = "",
        handle_long_generation: str | None = None,
        add_special_tokens: bool = False,
        **generate_kwargs: Any,
    ) -> Any:
        inputs = self.tokenizer(
            prefix + prompt_text,
            padding=False,
            add_special_tokens=add_special_tokens,
            return_tensors=self.framework,
        )
        inputs["prompt_text"] = prompt_text
        if handle_long_generation == "hole":
            self._make_room(inputs, generate_kwargs)
        return inputs

    def preprocess_batch(
        self,
        inputs: list[Any],
        prefix: str = "",
        handle_long_generation: str | None = None,
        add_special_tokens: bool = False,
        **generate_kwargs: Any,
    ) -> list[list[Any]]:
        texts = [prefix + prompt for prompt in inputs]
        rows = tokenize_many(self.tokenizer, texts, add_special_tokens=add_special_tokens)
        for row, prompt in zip(rows, inputs):
            row["prompt_text"] = prompt
            if handle_long_generation == "hole":
                self._make_room(row, generate_kwargs)
        return [[row] for row in rows]

    def _make_room(self, inputs: Any, generate_kwargs: dict[str, Any]) -> None:
        """Cut the prompt on the left so that prompt and new tokens fit the model."""
        length = inputs["input_ids"].shape[-1]
        new_tokens = generate_kwargs.get("max_new_tokens")
        if new_tokens is None:
            new_tokens = generate_kwargs.get("max_length", self.model.config.max_length) - length
            if new_tokens < 0:
                raise ValueError(
                    "The number of new tokens is not known: set `max_new_tokens`, or a `max_length` beyond the prompt"
                )
        if length + new_tokens <= self.tokenizer.model_max_length:
            return
        kept = self.tokenizer.model_max_length - new_tokens
        if kept <= 0:
            raise ValueError(
                "`handle_long_generation='hole'` leaves no room for the prompt: more new tokens are asked for "
                "than the model takes in all"
            )
        for key in ("input_ids", "attention_mask"):
            if key in inputs:
                inputs[key] = inputs[key][:, -kept:]

    def _forward(self, model_inputs: Any, **generate_kwargs: Any) -> dict[str, Any]:
        input_ids = model_inputs["input_ids"]
        attention_mask = model_inputs.get("attention_mask")
        prompt_text = model_inputs.pop("prompt_text")
        rows = input_ids.shape[0]
        if input_ids.shape[1] == 0:  # an empty prompt: start from the model's first token
            input_ids, attention_mask, rows = None, None, 1
        self._lengthen_by_prefix(generate_kwargs)
        generated = self.model.generate(input_ids=input_ids, attention_mask=attention_mask, **generate_kwargs)
        sequences = getattr(generated, "sequences", generated)
        sequences = sequences.reshape(rows, sequences.shape[0] // rows, *sequences.shape[1:])
        return {"generated_sequence": sequences, "input_ids": input_ids, "prompt_text": prompt_text}

    def _lengthen_by_prefix(self, generate_kwargs: dict[str, Any]) -> None:
        """Lengths that the caller gives do not count the prefix."""
        extra = generate_kwargs.pop("prefix_length", 0)
        if not extra:
            return
        given = generate_kwargs.get("generation_config")
        for bound, counted_anew in (("max_length", "max_new_tokens"), ("min_length", "min_new_tokens")):
            if counted_anew in generate_kwargs or getattr(given, counted_anew, None) is not None:
                continue
            if bound == "max_length":
                generate_kwargs[bound] = (generate_kwargs.get(bound) or self.model.config.max_length) + extra
            elif bound in generate_kwargs:
                generate_kwargs[bound] += extra

    def postprocess(
        self,
        model_outputs: dict[str, Any],
        return_type: ReturnType = ReturnType.FULL_TEXT,
        clean_up_tokenization_spaces: bool = True,
    ) -> list[dict[str, Any]]:
        sequences = model_outputs["generated_sequence"][0].tolist()
        if return_type == ReturnType.TENSORS:
            return [{"generated_token_ids": sequence} for sequence in sequences]

        def decode(ids: Any) -> str:
            return self.tokenizer.decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=clean_up_tokenization_spaces
            )

        # The prompt is found by its decoded length: decoding may have changed its spaces.
        input_ids = model_outputs["input_ids"]
        skipped = 0 if input_ids is None else len(decode(input_ids[0]))
        prompt = model_outputs["prompt_text"] if return_type == ReturnType.FULL_TEXT else ""
        return [{"generated_text": prompt + decode(sequence)[skipped:]} for sequence in sequences]

    def _generates(self) -> bool:
        return True

    def _cut_padding(
        self, output: dict[str, Any], padding: int, length: int, forward_params: dict[str, Any]
    ) -> dict[str, Any]:
        """Padding is on the left, and on the right of sequences that ended before others of the batch."""
        sequences = output["generated_sequence"][..., padding:]
        given = forward_params.get("generation_config") or self.model.generation_config
        end_ids = forward_params.get("eos_token_id", given.eos_token_id)
        end_ids = torch.tensor([] if end_ids is None else end_ids).reshape(-1)
        ended = torch.isin(sequences[..., length - padding :], end_ids).cumsum(-1) > 0
        surplus = max(int(ended.all(1).sum()) - 1, 0)  # all ended: one position holds the last end itself
        sequences = sequences[..., : sequences.shape[-1] - surplus]
        return {**output, "generated_sequence": sequences, "input_ids": output["input_ids"][:, padding:]}

    def _new_tokens(self, forward_params: dict[str, Any]) -> int | None:
        """How many tokens are generated at most, None if that depends on the prompt's length."""
        given = forward_params.get("generation_config") or self.model.generation_config
        return forward_params.get("max_new_tokens") or given.max_new_tokens

    def _batch_cost(self, length: int, forward_params: dict[str, Any]) -> int:
        given = forward_params.get("generation_config") or self.model.generation_config
        new_tokens = self._new_tokens(forward_params)
        total = (
            (forward_params.get("max_length") or given.max_length or 0) if new_tokens is None else length + new_tokens
        )
        # The prompt is one pass over its tokens; after that a row costs one token a step, and memory for the cache.
        return max(length, total // 4)

    def _batch_group(self, length: int, forward_params: dict[str, Any]) -> Any:
        # A bound on the total length counts padding too, so prompts of different lengths would get different shares.
        return None if self._new_tokens(forward_params) is not None else length


def _return_type(
    full_text: bool | None, tensors: bool | None, text: bool | None, return_type: ReturnType | None
) -> ReturnType | None:
    if full_text is not None and return_type is None:
        if text is not None:
            raise ValueError("`return_text` is mutually exclusive with `return_full_text`")
        if tensors is not None:
            raise ValueError("`return_full_text` is mutually exclusive with `return_tensors`")
        return ReturnType.FULL_TEXT if full_text else ReturnType.NEW_TEXT
    if tensors is not None and return_type is None:
        if text is not None:
            raise ValueError("`return_text` is mutually exclusive with `return_tensors`")
        return ReturnType.TENSORS
    return return_type
