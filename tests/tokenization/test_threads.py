"""Threads may share a fast tokenizer, whose padding and truncation are settings of one Rust object."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from . import toy

TEXTS = ["The big dog sat on the mat, the bigger cat sat on the dog."] * 20
OPTIONS: list[dict[str, Any]] = [
    {},
    {"padding": "max_length", "max_length": 40},
    {"truncation": True, "max_length": 8},
    {"truncation": True, "max_length": 12, "padding": "max_length"},
]


class Interrupted(toy.ToyTokenizerFast):
    """Gives other threads a chance between its setup and its work."""

    def set_truncation_and_padding(self, *args: Any) -> None:
        super().set_truncation_and_padding(*args)
        time.sleep(0.0005)


def test_threads_with_different_options(tmp_path: Path) -> None:
    tokenizer = Interrupted(toy.write_vocab(tmp_path))
    expected = [tokenizer(TEXTS, **options) for options in OPTIONS]
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(20):
            choice = (turn * 7 + number) % len(OPTIONS)
            try:
                if tokenizer(TEXTS, **OPTIONS[choice]) != expected[choice]:
                    wrong.append((number, turn))
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_process_forked_while_the_tokenizer_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    tokenizer = toy.ToyTokenizerFast(toy.write_vocab(tmp_path))
    process = multiprocessing.get_context("fork").Process(target=tokenizer, args=("hello world",))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tokenizer._lock:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    process.start()
    process.join(20)
    done.set()
    thread.join()
    assert process.exitcode == 0
