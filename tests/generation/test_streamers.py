"""Streamers: the chunks of the reference, and no work that grows with the length of a line."""

from __future__ import annotations

import json
from pathlib import Path
from queue import Empty
from threading import Thread

import pytest
import torch

from isoform.generation.streamers import BaseStreamer, TextIteratorStreamer, TextStreamer

from .stream_cases import Collects, byte_tokenizer, feed

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/generation/streams.json").read_text())


class Collector(Collects, TextStreamer): ...


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_chunks_equal_the_reference(case):
    ids = list(case["text"].encode())
    streamer = feed(Collector(byte_tokenizer(), skip_prompt=case["skip_prompt"]), ids, prompt=case["prompt"])
    assert streamer.chunks == case["chunks"]


@pytest.mark.parametrize("text", ["long line of words " * 60, "不" * 400, "ไทยไม่มีช่องว่าง " * 20, "x" * 500, "a\n" * 99])
def test_long_lines_are_complete(text):
    chunks = feed(Collector(byte_tokenizer()), list(text.encode())).chunks
    assert "".join(chunk for chunk, _ in chunks) == text
    assert [end for _, end in chunks] == [False] * (len(chunks) - 1) + [True]


class Counting:
    """Counts the tokens that are decoded."""

    def __init__(self, **attributes):
        self.decoded, self.tokenizer = 0, byte_tokenizer()
        self.__dict__.update(attributes)

    def decode(self, ids, **kwargs):
        self.decoded += len(ids)
        return self.tokenizer.decode(ids)


def test_work_is_linear_in_the_length_of_a_line():
    counts = []
    for repeats in (100, 200):
        tokenizer = Counting()
        feed(Collector(tokenizer), list(b"word " * repeats))
        counts.append(tokenizer.decoded)
    assert counts[1] < 2.1 * counts[0]


@pytest.mark.parametrize(
    ("tokenizer", "options"),
    [(Counting(decodes_locally=False), {}), (Counting(), {"truncate_before_pattern": ["x"]})],
    ids=["tokenizer", "option"],
)
def test_whole_lines_are_decoded_where_the_end_may_change_the_beginning(tokenizer, options):
    ids = list(b"word " * 100)
    feed(Collector(tokenizer, **options), ids)
    assert tokenizer.decoded >= len(ids) ** 2 / 2


def test_prints_to_stdout(capsys):
    feed(TextStreamer(byte_tokenizer()), list(b"two words"))
    assert capsys.readouterr().out == "two words\n"


def test_one_sequence_only():
    with pytest.raises(ValueError, match="only supports batch size 1"):
        TextStreamer(byte_tokenizer()).put(torch.zeros(2, 3, dtype=torch.long))


def test_streamer_can_be_used_again():
    streamer = Collector(byte_tokenizer(), skip_prompt=True)
    for _ in range(2):
        streamer.chunks = []
        feed(streamer, list(b"prompt and text"), prompt=7)
        assert "".join(chunk for chunk, _ in streamer.chunks) == "and text"


def test_iterator_hands_over_between_threads():
    streamer = TextIteratorStreamer(byte_tokenizer(), timeout=20)
    thread = Thread(target=feed, args=(streamer, list(b"some words here")))
    thread.start()
    assert "".join(streamer) == "some words here"
    thread.join()


def test_iterator_gives_up_after_the_timeout():
    with pytest.raises(Empty):
        next(TextIteratorStreamer(byte_tokenizer(), timeout=0.01))


def test_base_is_abstract():
    for call in (lambda: BaseStreamer().put(1), lambda: BaseStreamer().end()):
        with pytest.raises(NotImplementedError):
            call()
