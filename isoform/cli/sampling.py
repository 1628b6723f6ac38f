"""Options and helpers of text generation, shared by `generate` and `chat`."""

from __future__ import annotations

import argparse
import functools
import sys
from typing import Any

from .common import UsageError


def add_generation_options(parser: argparse.ArgumentParser, max_new_tokens: int) -> None:
    """What decides on the next token, and when to stop."""
    group = parser.add_argument_group("generation")
    group.add_argument("--max-new-tokens", type=int, default=max_new_tokens, help="default: %(default)s")
    group.add_argument("--greedy", action="store_true", help="always take the likeliest token (default: sample)")
    group.add_argument("--temperature", type=float, help="below 1 for more likely, above 1 for more varied text")
    group.add_argument("--top-k", type=int, help="sample among this many likeliest tokens")
    group.add_argument("--top-p", type=float, help="sample among the likeliest tokens that hold this much probability")
    group.add_argument("--repetition-penalty", type=float, help="above 1 to avoid what was said before")
    group.add_argument("--seed", type=int, help="makes sampling repeatable")
    group.add_argument("--compile", action="store_true", help="compile decoding: slower to start, faster to run")


def generation_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments for `generate`.

    Raises:
        UsageError: options contradict each other or are out of range.
    """
    _check(options)
    beams = getattr(options, "num_beams", 1)
    arguments: dict[str, Any] = {
        "max_new_tokens": options.max_new_tokens,
        "do_sample": not options.greedy and (beams == 1 or options.temperature is not None),
    }
    for name in ("temperature", "top_k", "top_p", "repetition_penalty"):
        if getattr(options, name) is not None:
            arguments[name] = getattr(options, name)
    if options.model is None and arguments["do_sample"]:
        arguments.setdefault("temperature", 0.8)  # suits the small embedded model
    if options.compile:
        arguments["compile_decoding"] = True
    if options.seed is not None:
        import torch

        torch.manual_seed(options.seed)
    return arguments


def _check(options: argparse.Namespace) -> None:
    if options.greedy:
        given = [name for name in ("temperature", "top_k", "top_p") if getattr(options, name) is not None]
        if given:
            raise UsageError(
                f"--greedy does not sample, so --{given[0].replace('_', '-')} has no effect: drop one of both"
            )
    for name, least in (("max_new_tokens", 1), ("num_beams", 1), ("num_return_sequences", 1), ("top_k", 0)):
        value = getattr(options, name, None)
        if value is not None and value < least:
            raise UsageError(f"--{name.replace('_', '-')} must be at least {least}, found {value}")
    if options.temperature is not None and options.temperature <= 0:
        raise UsageError(
            f"--temperature must be above 0, found {options.temperature} (for the likeliest text: --greedy)"
        )
    if options.top_p is not None and not 0 < options.top_p <= 1:
        raise UsageError(f"--top-p must be above 0 and at most 1, found {options.top_p}")


def context_length(model: Any) -> int | None:
    """How many positions the model has; None if there is no bound."""
    for name in ("max_position_embeddings", "n_positions", "n_ctx"):
        value = getattr(model.config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def fit(model: Any, inputs: dict[str, Any], arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and arguments that fit the model's context: fewer new tokens, and then a prompt cut on the left.

    At least a quarter of the context is kept for new tokens. What is changed is said on standard error.
    """
    limit, wanted = context_length(model), arguments["max_new_tokens"]
    length = inputs["input_ids"].shape[1]
    if limit is None or length + wanted <= limit:
        return inputs, arguments
    room = min(wanted, max(limit - length, limit // 4))
    if length + room > limit:
        print(f"[the prompt of {length} tokens is cut to its last {limit - room}]", file=sys.stderr)
        inputs = {name: tensor[:, length - (limit - room) :] for name, tensor in inputs.items()}
    if room < wanted:
        print(f"[at most {room} new tokens: the model has {limit} positions]", file=sys.stderr)
    return inputs, {**arguments, "max_new_tokens": room}


def encode(tokenizer: Any, model: Any, text: str) -> dict[str, Any]:
    """The model's inputs for a text to continue: with what the tokenizer puts before texts, not what it puts after.

    An empty text becomes the token that begins texts, or a line feed.
    """
    import torch

    ids: list[int] = tokenizer(text)["input_ids"]
    length = len(tokenizer(text, add_special_tokens=False)["input_ids"])
    while len(ids) > length and ids[-1] in tokenizer.all_special_ids and ids[-1] != tokenizer.bos_token_id:
        ids = ids[:-1]
    if not ids:
        starts = [start for start in (tokenizer.bos_token_id, model.config.bos_token_id) if isinstance(start, int)]
        ids = starts[:1] or tokenizer("\n")["input_ids"]
    input_ids = torch.tensor([ids], device=model.device)
    return {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)}


@functools.cache
def live_streamer() -> Any:
    """The class of streamers that print the continuation of a prompt. (A function, since streamers load torch.)"""
    from ..generation.streamers import TextStreamer

    class LiveStreamer(TextStreamer):
        """Prints what follows a prompt, and keeps it in `parts`.

        With `joined` the first new tokens are decoded after the last ones of the prompt: alone many would lose the
        space before them.
        """

        def __init__(self, tokenizer: Any, joined: bool) -> None:
            super().__init__(tokenizer, skip_special_tokens=True)
            self.joined = joined
            self.parts: list[str] = []

        def put(self, value: Any) -> None:
            if not self.next_tokens_are_prompt:
                super().put(value)
                return
            self.next_tokens_are_prompt = False
            if self.joined:
                self.token_cache = value.flatten().tolist()[-16:]
                self.print_len = len(self.tokenizer.decode(self.token_cache, **self.decode_kwargs))

        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            self.parts.append(text)
            super().on_finalized_text(text, stream_end)

    return LiveStreamer


def pad_token_id(tokenizer: Any, model: Any) -> int | None:
    """The padding token, for `generate` to be told; the end token where the tokenizer has none."""
    for value in (tokenizer.pad_token_id, tokenizer.eos_token_id, model.generation_config.eos_token_id):
        if isinstance(value, int):
            return value
    return None
