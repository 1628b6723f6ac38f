"""`isoform chat`: a conversation in the terminal."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from typing import Any

from .common import UsageError, add_model_options, load_for_generation, text_argument
from .sampling import (
    add_generation_options,
    context_length,
    encode,
    fit,
    generation_arguments,
    live_streamer,
    pad_token_id,
)

HELP = """/reset        forget the conversation
/save FILE    write the conversation as JSON
/exit         leave (or Ctrl-D)
Ctrl-C        stop the answer"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog, parser.formatter_class = "in the chat:\n" + HELP, argparse.RawDescriptionHelpFormatter
    add_model_options(parser, "the embedded checkpoint, which only continues texts")
    parser.add_argument("--system", help='instructions that stand before the conversation ("@FILE" too)')
    add_generation_options(parser, max_new_tokens=512)


def execute(options: argparse.Namespace) -> int:
    """Run."""
    arguments = generation_arguments(options)
    model, tokenizer = load_for_generation(options)
    system = None if options.system is None else text_argument(options.system)
    chat = Chat(model, tokenizer, {**arguments, "pad_token_id": pad_token_id(tokenizer, model)}, system)
    interactive = sys.stdin.isatty()
    if interactive:
        _enable_line_editing()
        manner = "its chat template" if chat.has_template else "plain text: it has no chat template"
        print(f"{options.model or 'embedded checkpoint'}, with {manner}. /help lists commands.", file=sys.stderr)
    while True:
        try:
            line = input("> " if interactive else "")
        except EOFError:
            return 0
        except KeyboardInterrupt:
            print("\n(/exit or Ctrl-D to leave)", file=sys.stderr)
            continue
        if line.strip() in ("/exit", "/quit"):
            return 0
        _handle(chat, line)


def _handle(chat: Chat, line: str) -> None:
    """One line of the user's: a command or a message."""
    command, _, argument = line.strip().partition(" ")
    if not command:
        return
    if command == "/reset":
        chat.reset()
        print("(forgotten)", file=sys.stderr)
    elif command == "/save":
        _save(chat, argument.strip())
    elif command == "/help":
        print(HELP, file=sys.stderr)
    elif command.startswith("/"):
        print(f"(there is no command {command}; /help lists them)", file=sys.stderr)
    else:
        chat.answer(line)


def _save(chat: Chat, path: str) -> None:
    if not path:
        print("(/save needs the name of a file)", file=sys.stderr)
        return
    from ..utils.files import atomic_write

    try:
        with atomic_write(path) as file:
            json.dump(chat.messages, file, ensure_ascii=False, indent=2)
    except OSError as error:
        print(f"(not saved: {error})", file=sys.stderr)
    else:
        print(f"(saved to {path})", file=sys.stderr)


class Chat:
    """A conversation with a model, whose answers are printed as they are made.

    Attributes:
        messages: `{"role": "system" | "user" | "assistant", "content": …}`, in order.
    """

    def __init__(self, model: Any, tokenizer: Any, arguments: dict[str, Any], system: str | None = None) -> None:
        self.model, self.tokenizer, self.arguments = model, tokenizer, arguments
        self.has_template = getattr(tokenizer, "chat_template", None) is not None
        self._system = [] if system is None else [{"role": "system", "content": system}]
        self.reset()

    def reset(self) -> None:
        """Forget everything but the system's instructions."""
        self.messages: list[dict[str, str]] = list(self._system)

    def answer(self, text: str) -> str:
        """Answer a message. An interruption (Ctrl-C) ends the answer; what was said so far counts."""
        self.messages.append({"role": "user", "content": text})
        inputs, arguments = fit(self.model, self._inputs(), self.arguments)
        streamer = live_streamer()(self.tokenizer, joined=False)
        try:
            self.model.generate(**inputs, **arguments, streamer=streamer)
        except KeyboardInterrupt:
            streamer.end()
            print("(stopped)", file=sys.stderr)
        except BaseException:
            self.messages.pop()  # it was not answered
            raise
        answer = "".join(streamer.parts)
        self.messages.append({"role": "assistant", "content": answer})
        return answer

    def _inputs(self) -> dict[str, Any]:
        """The model's inputs. Turns that the context has no room for are left out, the oldest first."""
        limit = context_length(self.model)
        messages = self.messages
        first = len(self._system)
        while True:
            inputs = self._encode(messages)
            shorter = messages[:first] + messages[first + 2 :]
            needed = inputs["input_ids"].shape[1] + min(self.arguments["max_new_tokens"], (limit or 0) // 4)
            if limit is None or needed <= limit or len(shorter) <= first:
                return inputs
            messages = shorter

    def _encode(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        if not self.has_template:
            text = "".join(_with_line_feed(message) for message in messages)
            return encode(self.tokenizer, self.model, text)
        import torch

        try:
            ids = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
        except Exception as error:
            raise UsageError(f"the tokenizer's chat template refuses this conversation: {error}") from error
        ids = ids.to(self.model.device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _with_line_feed(message: dict[str, str]) -> str:
    """A message as it stands in a plain text: an answer goes on where it stopped, everything else is a line."""
    text = message["content"]
    return text if text.endswith("\n") else text + "\n"


def _enable_line_editing() -> None:
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # gives `input` a history
