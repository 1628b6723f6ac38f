"""`isoform run` on images and sounds, and results saved as pictures and subtitles."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import isoform
from isoform.pipelines.pictures import draw_boxes, draw_masks
from tests.golden.media_cases import ASK, MASK, PIPELINES, photo, sound, wav
from tests.pipelines.compare import difference
from tests.pipelines.test_golden import plain

Cli = Callable[..., Any]
Models = Callable[[str], str]


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    photo(48, 40).save(path)
    return str(path)


@pytest.fixture
def recording(tmp_path: Path) -> str:
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(sound(0.9)))
    return str(path)


def test_detection_draws_boxes(isoform_cli: Cli, models: Models, image: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    command = ["run", "object-detection", "-m", models("detect"), image, "-o", "threshold=0.3", "--jsonl"]
    result = isoform_cli(*command, "--save", out)
    found = PIPELINES["detect"](isoform)(image, threshold=0.3)
    assert (result.code, json.loads(result.out)["input"]) == (0, image)
    assert difference(json.loads(result.out)["result"], found) is None
    np.testing.assert_array_equal(np.asarray(Image.open(out)), np.asarray(draw_boxes(Image.open(image), found)))
    text = isoform_cli(*command[:-1]).out.splitlines()
    first = found[0]
    assert text[0] == f"{first['score']:.4f}  {first['label']}  {list(first['box'].values())}"


def test_segmentation_draws_masks(isoform_cli: Cli, models: Models, image: str, tmp_path: Path) -> None:
    command = ["run", "image-segmentation", "-m", models("segment"), image]
    result = isoform_cli(*command, "--save", tmp_path / "out.webp", "--jsonl")
    found = PIPELINES["segment"](isoform)(image)
    assert Image.open(tmp_path / "out.webp").size == (48, 40)
    shares = []
    for row, entry in zip(json.loads(result.out)["result"], found):
        inside = np.repeat(np.arange(len(row["mask"]["counts"])) % 2, row["mask"]["counts"])
        np.testing.assert_array_equal(inside.reshape(40, 48) * 255, np.asarray(entry["mask"]))
        shares.append(f"{row['label']}  {inside.mean():.1%} of the image")
    assert isoform_cli(*command).out.splitlines() == shares
    isoform_cli(*command, "--save", tmp_path / "out.png")
    expected = draw_masks(Image.open(image), found)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.asarray(expected))


def test_several_inputs_are_saved_in_a_folder(isoform_cli: Cli, models: Models, image: str, tmp_path: Path) -> None:
    other = tmp_path / "more" / "photo.png"
    other.parent.mkdir()
    photo(48, 40, seed=1).save(other)
    (tmp_path / "list.txt").write_text(f"{other}\n")
    command = ["run", "object-detection", "-m", models("detect"), image, "-i", tmp_path / "list.txt", "--jsonl"]
    result = isoform_cli(*command, "--save", tmp_path / "drawn")
    assert [json.loads(line)["input"] for line in result.out.splitlines()] == [image, str(other)]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["photo-2.png", "photo.png"]
    refused = isoform_cli(*command, "--save", tmp_path / "drawn.png")
    assert (refused.code, "names a folder" in refused.err) == (2, True)


def test_speech_becomes_subtitles(isoform_cli: Cli, models: Models, recording: str, tmp_path: Path) -> None:
    command = ["run", "automatic-speech-recognition", "-m", models("write"), recording]
    expected = PIPELINES["write"](isoform)(recording, return_timestamps="word")
    assert isoform_cli(*command).out.strip() == expected["text"]
    result = isoform_cli(*command, "--save", tmp_path / "talk.srt", "--jsonl")
    assert difference(json.loads(result.out)["result"], plain(expected)) is None
    lines = (tmp_path / "talk.srt").read_text().splitlines()
    assert lines[0] == "1"
    assert lines[1].startswith("00:00:0") and " --> 00:00:0" in lines[1]
    assert " ".join(line for line in lines if line and "-->" not in line and not line.isdigit()).split() == (
        " ".join(chunk["text"] for chunk in expected["chunks"]).split()
    )
    isoform_cli(*command, "--save", tmp_path / "talk.txt")
    assert (tmp_path / "talk.txt").read_text() == expected["text"] + "\n"


def test_labels_of_zero_shot_tasks(isoform_cli: Cli, models: Models, image: str, recording: str) -> None:
    for task, name, source in (
        ("zero-shot-image-classification", "clip", image),
        ("zero-shot-audio-classification", "clap", recording),
    ):
        result = isoform_cli("run", task, "-m", models(name), source, "--labels", "cat,dog", "--jsonl")
        found = PIPELINES[name](isoform)(source, candidate_labels=["cat", "dog"])
        assert difference(json.loads(result.out)["result"], found) is None
        assert isoform_cli("run", task, "-m", models(name), source).code == 2


def test_texts(isoform_cli: Cli, models: Models) -> None:
    filled = isoform_cli("run", "fill-mask", "-m", models("fill"), MASK, "-o", "top_k=1")
    assert filled.out == "0.1108  sat  the sat sat on the mat\n"
    several = isoform_cli("run", "fill-mask", "-m", models("fill"), MASK, "-o", "top_k=3")
    assert several.code == 0 and several.out.startswith(filled.out) and len(several.out.splitlines()) == 3
    summary = isoform_cli("run", "summarization", "-m", models("summarize"), "a dog", "-o", "max_length=6")
    assert summary.out.strip() == PIPELINES["summarize"](isoform)("a dog", max_length=6)[0]["summary_text"]
    answer = isoform_cli("run", "question-answering", "-m", models("bert_qa"), "--context", ASK["context"], "who ran ?")
    assert answer.code == 0
    translated = isoform_cli("run", "translation_en_to_fr", "-m", models("translate_t5"), "the cat sat on the mat")
    assert translated.out.strip() == PIPELINES["translate_t5"](isoform)("the cat sat on the mat")[0]["translation_text"]


def test_wrong_usage(isoform_cli: Cli, models: Models, image: str, recording: str, tmp_path: Path) -> None:
    detect = ["run", "object-detection", "-m", models("detect")]
    speech = ["run", "automatic-speech-recognition", "-m", models("write")]
    for arguments, message in (
        ([*detect, "no.png"], "there is no image 'no.png': inputs of this task are files or URLs"),
        ([*speech, "no.wav"], "there is no sound 'no.wav'"),
        ([*detect, image, "--save", str(tmp_path / "out.doc")], "pictures are saved as .png"),
        ([*detect, image, "--save", str(tmp_path / "no" / "out.png")], "there is no folder"),
        ([*speech, recording, "--save", str(tmp_path / "out.png")], "saved as .srt"),
        (["run", "image-classification", "-m", models("see"), image, "--save", "out.png"], "--save is for"),
        (["run", "fill-mask", "-m", models("fill"), MASK, "--labels", "a,b"], "--labels is for zero-shot tasks"),
        ([*detect, "-i", image], "is not a text file: --input names one with an input on each line"),
        (["run", "translation_en_fr", "-m", models("fill"), "a"], "translation_en_fr"),
    ):
        result = isoform_cli(*arguments)
        assert (result.code, message in result.err) == (2, True), result.err
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not an image")
    result = isoform_cli(*detect, broken)
    assert result.code == 1
    assert "Traceback" not in result.err
