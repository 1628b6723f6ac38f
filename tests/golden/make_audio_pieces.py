"""Writes `audio_pieces.json`: how the reference cuts streams of bytes into pieces, and joins token sequences.

Run with Python and transformers 4.36.2: `python -m tests.golden.make_audio_pieces`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from transformers.pipelines.audio_utils import chunk_bytes_iter
from transformers.pipelines.automatic_speech_recognition import _find_longest_common_sequence


def cut(parts: list[str], size: int, stride: tuple[int, int], stream: bool) -> Any:
    """The pieces as JSON, or the name of the error."""
    try:
        pieces = list(chunk_bytes_iter((part.encode() for part in parts), size, stride=stride, stream=stream))
    except ValueError as error:
        return type(error).__name__
    return [{**piece, "raw": piece["raw"].decode(), "stride": list(piece["stride"])} for piece in pieces]


def main() -> None:
    """Write the file."""
    draw = random.Random(0)
    cuts, joins = [], []
    for index in range(60):
        parts = ["".join(draw.choices("abcdef", k=draw.randrange(9))) for _ in range(draw.randrange(8))]
        arguments = (parts, draw.randrange(1, 12), (draw.randrange(6), draw.randrange(6)), bool(index % 2))
        cuts.append([*arguments, cut(*arguments)])
    for _ in range(40):
        rows = [[draw.randrange(6) for _ in range(draw.randrange(1, 12))] for _ in range(draw.randrange(1, 4))]
        rows.sort(key=lambda row: row.count(0) - len(row))  # the reference fails where a later row is the longest
        joined = _find_longest_common_sequence([np.array([row]) for row in rows], SimpleNamespace(all_special_ids=[0]))
        joins.append([rows, np.asarray(joined).tolist()])
    text = json.dumps({"cut": cuts, "joined": joins}, separators=(",", ":"))
    Path(__file__).with_name("audio_pieces.json").write_text(text.replace("],[[", "],\n[[") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
