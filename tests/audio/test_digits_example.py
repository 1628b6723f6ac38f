"""`examples/train_ctc_digits.py` on tones instead of speech, at small size: it runs, resumes, and transcribes."""

from __future__ import annotations

import wave

import numpy as np
import pytest
import torch

from isoform import Wav2Vec2ForCTC
from tests.test_examples import load

SMALL = ["--hidden", "16", "--channels", "8", "--layers", "1", "--batch", "2", "--most", "2", "--save-every", "2"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    time = np.arange(1600) / 8000
    for digit in range(3):
        for index in range(10):
            samples = np.sin(2 * np.pi * (300 * digit + 200) * time + index) * 8000
            with wave.open(str(folder / f"{digit}_anna_{index}.wav"), "wb") as file:
                file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
                file.writeframes(samples.astype(np.int16).tobytes())
    return folder


def test_resumed_training_equals_uninterrupted(recordings, tmp_path, capsys):
    example = load("train_ctc_digits")
    example.main([str(recordings), "--output", str(tmp_path / "whole"), *SMALL, "--steps", "4"])
    # As if the run had been killed after its second step.
    kept, _, rate = example.load(recordings)
    args = example.parse([str(recordings), "--output", str(tmp_path / "parts"), *SMALL, "--steps", "4"])
    args.output.mkdir()
    processor = example.processor_for(args.output, rate)
    torch.manual_seed(0)
    model = example.build(len(processor.tokenizer), args)
    keep, example.save = example.save, lambda path, state: keep(path, state) or (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        example.train(model, processor, kept, args)
    example.save = keep
    result = example.main([str(recordings), "--output", str(tmp_path / "parts"), *SMALL, "--steps", "4"])
    assert "27 recordings to learn from, 3 held out" in capsys.readouterr().out
    assert result.keys() == {"digits", "numbers"} and all(rate >= 0 for rate in result.values())
    first, second = (Wav2Vec2ForCTC.from_pretrained(tmp_path / name).state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    heard = example.main(
        [str(recordings), "--output", str(tmp_path / "parts"), "--listen", str(recordings / "1_anna_0.wav")]
    )
    assert isinstance(heard, str)


def test_errors_are_counted():
    edits = load("train_ctc_digits").edits
    assert edits(["one", "two"], ["one", "two"]) == 0
    assert edits(["one", "two", "six"], ["one", "six", "six", "six"]) == 2
    assert edits([], ["one"]) == 1 and edits(["one"], []) == 1
