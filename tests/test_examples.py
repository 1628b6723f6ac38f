"""The committed examples run, at small size, and do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_captions_are_learnt(tmp_path):
    results = load("caption_overfit").main(["--out", str(tmp_path)])
    assert len(results) == 6
    assert all(answer == caption for caption, answer in results)
    assert (tmp_path / "model.safetensors").exists() and (tmp_path / "preprocessor_config.json").exists()


def test_four_answers_on_a_picture(tmp_path):
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (120, 90), "white")
    ImageDraw.Draw(picture).ellipse((30, 20, 90, 70), fill="orange")
    picture.save(tmp_path / "photo.png")
    answers = load("see").main([str(tmp_path / "photo.png"), "--out", str(tmp_path)])
    assert abs(sum(answer["score"] for answer in answers["classify"]) - 1) < 1e-5
    for found in answers["detect"]:
        box = found["box"]
        assert 0 <= box["xmin"] <= box["xmax"] <= 120 and 0 <= box["ymin"] <= box["ymax"] <= 90
    assert answers["depth"]["depth"].size == (120, 90)
    # Every pixel belongs to exactly one segment.
    assert (sum(np.array(segment["mask"], int) for segment in answers["segment"]) == 255).all()
    for name in ("detect", "depth", "segment"):
        with Image.open(tmp_path / f"{name}.png") as saved:
            assert saved.size == (120, 90)


def test_sounds_are_told_by_words(tmp_path):
    assert load("clap_digits").main(["--out", str(tmp_path)]) == 1.0
    assert (tmp_path / "preprocessor_config.json").exists() and (tmp_path / "tokenizer.json").exists()
