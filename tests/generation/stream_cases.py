"""What the tests of streamers and the script that makes their expected values share."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models


def byte_tokenizer() -> Tokenizer:
    """One token per byte, and runs of bytes that are no text give one sign per byte, as in Llama."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


class Collects:
    """Keeps what a streamer, of which this is the first base, hands out."""

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        self.__dict__.setdefault("chunks", []).append([text, stream_end])


def feed(streamer: Any, ids: list[int], prompt: int = 1) -> Any:
    """Give a streamer a prompt and the tokens that follow."""
    streamer.put(torch.tensor([ids[:prompt]]))
    for token in ids[prompt:]:
        streamer.put(torch.tensor([token]))
    streamer.end()
    return streamer
