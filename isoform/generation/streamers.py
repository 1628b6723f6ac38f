"""Receivers of tokens while they are generated."""

from __future__ import annotations

from queue import Queue
from typing import Any

# Arguments of `decode` under which the text of the first tokens does not depend on those that follow much later.
_LOCAL_OPTIONS = {"skip_special_tokens", "clean_up_tokenization_spaces", "spaces_between_special_tokens"}

_INVALID = "\ufffd"  # what bytes are decoded to that are no character

# Blocks of Chinese, Japanese and Korean ideographs in Unicode.
_IDEOGRAPHS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


class BaseStreamer:
    """What `generate` needs of a streamer."""

    def put(self, value: Any) -> None:
        """Take new tokens: first the prompt, (1, length), then each token, (1,), as a tensor on the CPU."""
        raise NotImplementedError()

    def end(self) -> None:
        """Take notice that generation is over."""
        raise NotImplementedError()


class TextStreamer(BaseStreamer):
    """Prints text as soon as whole words are complete.

    Args:
        tokenizer: decodes the tokens. If the text of its first tokens may change with those that come much later,
            give it an attribute `decodes_locally = False`.
        skip_prompt: do not print the prompt.
        **decode_kwargs: arguments of `tokenizer.decode`.
    """

    # A line of more tokens than `_longest` is decoded anew only from its last `_context` tokens on, so that the
    # time per token does not grow with the length of the line.
    _longest, _context = 64, 16

    def __init__(self, tokenizer: Any, skip_prompt: bool = False, **decode_kwargs: Any) -> None:
        self.tokenizer = tokenizer
        self.skip_prompt = skip_prompt
        self.decode_kwargs = decode_kwargs
        self.next_tokens_are_prompt = True
        self._local = getattr(tokenizer, "decodes_locally", True) and decode_kwargs.keys() <= _LOCAL_OPTIONS
        self._start_line()

    def _start_line(self) -> None:
        self.token_cache: list[int] = []  # tokens of the line whose text is not in `_settled`
        self.print_len = 0  # printed characters of the line
        self._settled = ""  # text of the line's tokens before those

    def put(self, value: Any) -> None:
        """Take tokens and print the words that they complete.

        Raises:
            ValueError: there is more than one sequence.
        """
        if len(value.shape) > 1:
            if value.shape[0] > 1:
                raise ValueError("TextStreamer only supports batch size 1")
            value = value[0]
        if self.skip_prompt and self.next_tokens_are_prompt:
            self.next_tokens_are_prompt = False
            return
        self.token_cache.extend(value.tolist())
        text = self._line()
        if text.endswith("\n"):
            ready = text[self.print_len :]
            self._start_line()
        else:
            # The last word may go on, except in scripts without spaces, where each character stands for itself.
            end = len(text) if text and self._is_chinese_char(ord(text[-1])) else text.rfind(" ") + 1
            ready = text[self.print_len : end]
            self.print_len += len(ready)
        self.on_finalized_text(ready)

    def end(self) -> None:
        """Print what is left."""
        rest = self._line()[self.print_len :] if self.token_cache else ""
        self._start_line()
        self.next_tokens_are_prompt = True
        self.on_finalized_text(rest, stream_end=True)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Print new text; after the last one also a line feed. Override it to do something else."""
        print(text, flush=True, end=None if stream_end else "")

    def _line(self) -> str:
        """Text of the present line."""
        text = self._settled + self.tokenizer.decode(self.token_cache, **self.decode_kwargs)
        if self._local and len(self.token_cache) > self._longest:
            self._settle(text)
        return text

    def _settle(self, text: str) -> None:
        """Drop old tokens, if those that stay give by themselves the end of the line's text.

        They do not where the cut is inside of a word or a character; then a later token is a better place. As long as
        a character is incomplete, bytes far before it may count as invalid with it, and the text is not to be trusted.
        """
        recent = self.token_cache[-self._context :]
        tail = self.tokenizer.decode(recent, **self.decode_kwargs)
        if tail and _INVALID not in tail and text.endswith(tail):
            self.token_cache = recent
            self._settled = text[: len(text) - len(tail)]

    @staticmethod
    def _is_chinese_char(cp: int) -> bool:
        """Whether a code point is an ideograph."""
        return any(first <= cp <= last for first, last in _IDEOGRAPHS)


class TextIteratorStreamer(TextStreamer):
    """Hands out text by iteration, while `generate` runs in another thread.

    Args:
        tokenizer: decodes the tokens.
        skip_prompt: leave out the prompt.
        timeout: seconds to wait for the next text, after which `queue.Empty` is raised; None waits for ever.
        **decode_kwargs: arguments of `tokenizer.decode`.
    """

    def __init__(
        self, tokenizer: Any, skip_prompt: bool = False, timeout: float | None = None, **decode_kwargs: Any
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: Queue[str | None] = Queue()
        self.stop_signal = None
        self.timeout = timeout

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Queue new text, and after the last one the signal to stop."""
        self.text_queue.put(text, timeout=self.timeout)
        if stream_end:
            self.text_queue.put(self.stop_signal, timeout=self.timeout)

    def __iter__(self) -> TextIteratorStreamer:
        return self

    def __next__(self) -> str:
        value = self.text_queue.get(timeout=self.timeout)
        if value is None or value == self.stop_signal:
            raise StopIteration
        return value
