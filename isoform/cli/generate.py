"""`isoform generate`: continue a prompt and print the text while it is made."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from .common import UsageError, add_model_options, load_for_generation, text_argument
from .sampling import add_generation_options, encode, fit, generation_arguments, live_streamer, pad_token_id


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "prompt", nargs="?", metavar="PROMPT", help='the text to continue; "@FILE" for a file, "-" for standard input'
    )
    add_model_options(parser, "the embedded checkpoint")
    add_generation_options(parser, max_new_tokens=200)
    parser.add_argument("--num-beams", type=int, default=1, help="search this many continuations (not streamed)")
    parser.add_argument("--num-return-sequences", type=int, default=1, help="how many texts to print")
    parser.add_argument("--no-echo", action="store_true", help="print only the continuation, not the prompt")
    parser.add_argument("--stats", action="store_true", help="print the speed to standard error")


def execute(options: argparse.Namespace) -> int:
    """Run."""
    if options.num_return_sequences > 1 and options.greedy and options.num_beams == 1:
        raise UsageError("--greedy makes one text: drop it, or add --num-beams, to get more")
    if options.num_beams > 1 and options.num_return_sequences > options.num_beams:
        raise UsageError("--num-return-sequences can be at most --num-beams")
    arguments = generation_arguments(options)
    prompt = _prompt(options)
    model, tokenizer = load_for_generation(options)
    inputs, arguments = fit(model, encode(tokenizer, model, prompt), arguments)
    arguments["pad_token_id"] = pad_token_id(tokenizer, model)
    shown = "" if options.no_echo else prompt
    start = time.perf_counter()
    if options.num_beams > 1 or options.num_return_sequences > 1:
        arguments.update(num_beams=options.num_beams, num_return_sequences=options.num_return_sequences)
        sequences = model.generate(**inputs, **arguments)
        _print_all(tokenizer, sequences, inputs["input_ids"][0], shown)
    else:
        sequences = _stream(model, tokenizer, inputs, arguments, shown)
    if options.stats:
        count = sequences.numel() - inputs["input_ids"].numel() * len(sequences)
        seconds = time.perf_counter() - start
        print(f"{count} tokens in {seconds:.2f} s: {count / seconds:.1f} tokens/s", file=sys.stderr)
    return 0


def _prompt(options: argparse.Namespace) -> str:
    if options.prompt is None:
        piped = sys.stdin is not None and not sys.stdin.isatty()
        return sys.stdin.read().rstrip("\n") if piped else ""
    return sys.stdin.read().rstrip("\n") if options.prompt == "-" else text_argument(options.prompt)


def _stream(model: Any, tokenizer: Any, inputs: dict[str, Any], arguments: dict[str, Any], shown: str) -> Any:
    print(shown, end="", flush=True)
    return model.generate(**inputs, **arguments, streamer=live_streamer()(tokenizer, joined=True))


def _print_all(tokenizer: Any, sequences: Any, prompt: Any, shown: str) -> None:
    skipped = len(tokenizer.decode(prompt, skip_special_tokens=True))
    for index, text in enumerate(tokenizer.batch_decode(sequences, skip_special_tokens=True), 1):
        if len(sequences) > 1:
            print(f"--- {index} ---")
        print(shown + text[skipped:])
