"""Images in every form, batches of them, and pipelines that the reference has not."""

from __future__ import annotations

import base64
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import isoform
from isoform.pipelines.collate import collate
from isoform.pipelines.image_inputs import open_image
from isoform.pipelines.media import read_bytes
from isoform.pipelines.pictures import color_of, draw_boxes, draw_masks, subtitles
from isoform.pipelines.text_inputs import sigmoid, softmax
from tests.golden.media_cases import PIPELINES, photo, picture, sound

from .compare import difference


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has `photo.png` and nothing else."""
    (tmp_path / "photo.png").write_bytes(_png(photo()))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, directory=str(tmp_path), **kwargs)

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_images_in_every_form(tmp_path: Path, server: str) -> None:
    path, content = tmp_path / "one.png", _png(photo())
    path.write_bytes(content)
    fractions = torch.from_numpy(picture()).permute(2, 0, 1) / 255
    forms = [path, str(path), content, bytearray(content), photo(), picture(), picture().transpose(2, 0, 1), fractions]
    forms += [base64.b64encode(content).decode(), {"bytes": content, "path": None}, {"bytes": None, "path": str(path)}]
    forms += [f"{server}/photo.png"]
    for form in forms:
        opened = open_image(form, timeout=5)
        assert opened.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(opened), picture())
    grey = photo().convert("L")
    assert open_image(grey).mode == "RGB"


def test_what_is_no_image_is_named(tmp_path: Path, server: str) -> None:
    with pytest.raises(ValueError, match="5 bytes are not an image"):
        open_image(b"hello")
    with pytest.raises(OSError, match=r"other\.png cannot be read: the server answered 404"):
        open_image(f"{server}/other.png")
    with pytest.raises(FileNotFoundError, match="should be a file or a URL"):
        read_bytes(tmp_path / "missing.wav")


def test_features() -> None:
    model, processor = PIPELINES["see"](isoform).model.vit, PIPELINES["see"](isoform).image_processor
    pipe = isoform.pipeline("image-feature-extraction", model=model, image_processor=processor)
    pixels = processor(images=[photo()], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        expected = model(pixels).last_hidden_state
    assert difference(pipe(photo()), expected.tolist()) is None
    torch.testing.assert_close(pipe([photo(), photo()], return_tensors=True, batch_size="auto")[1], expected)
    with pytest.raises(ValueError, match="pooler_output"):
        pipe(photo(), pool=True)
    pooled = PIPELINES["clip"](isoform)
    pipe = isoform.pipeline(
        "image-feature-extraction", model=pooled.model.vision_model, image_processor=pooled.image_processor
    )
    assert np.shape(pipe(photo(), pool=True)) == (1, 32)


def test_scores_of_choice() -> None:
    pipe = PIPELINES["see"](isoform)
    logits = {entry["label"]: entry["score"] for entry in pipe(photo(), function_to_apply="none")}
    for name, function in (("sigmoid", sigmoid), ("softmax", softmax)):
        found = {entry["label"]: entry["score"] for entry in pipe(photo(), function_to_apply=name)}
        expected = dict(zip(logits, function(np.array(list(logits.values())))))
        assert difference(found, {key: float(expected[key]) for key in found}) is None
    with pytest.raises(ValueError, match="cosine"):
        pipe(photo(), function_to_apply="cosine")


def test_what_is_missing_is_named() -> None:
    language_model = PIPELINES["fill"](isoform).model
    for task, part in (("image-classification", "image_processor"), ("audio-classification", "feature_extractor")):
        with pytest.raises(ValueError, match=f"{task} needs its .*BertForMaskedLM came without one.*pass `{part}`"):
            isoform.pipeline(task, model=language_model)


def test_image_processors_may_be_given_as_feature_extractors() -> None:
    pipe = PIPELINES["see"](isoform)
    older = isoform.pipeline("image-classification", model=pipe.model, feature_extractor=pipe.image_processor)
    assert older.image_processor is pipe.image_processor and older(photo()) == pipe(photo())


def test_batches_hold_images_of_one_size() -> None:
    pipe = PIPELINES["detect"](isoform)
    images = [photo(48, 40, seed=0), photo(40, 48, seed=1), photo(48, 40, seed=2)]
    alone = [pipe(image, threshold=0.3) for image in images]
    seen = []
    forward = pipe.model.forward
    pipe.model.forward = lambda pixel_values, **kwargs: (seen.append(len(pixel_values)), forward(pixel_values))[1]
    assert difference(pipe(images, threshold=0.3, batch_size="auto"), alone) is None
    assert sorted(seen) == [1, 2]
    with pytest.raises(ValueError, match=r'different sizes after preparation.*batch_size="auto"'):
        pipe(images, batch_size=3)


def test_masked_images_are_padded() -> None:
    rows = [{"pixel_values": torch.ones(1, 3, h, w), "pixel_mask": torch.ones(1, h, w)} for h, w in ((2, 4), (3, 3))]
    batch = collate(rows, {})
    assert batch["pixel_values"].shape == (2, 3, 3, 4)
    assert batch["pixel_mask"].tolist()[0] == [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]]
    assert batch["pixel_values"][1, 0].tolist() == [[1, 1, 1, 0]] * 3


def test_tasks_of_model_classes() -> None:
    from isoform.pipelines.factory import task_of_class

    expected = {
        "BertForMaskedLM": "fill-mask",
        "T5ForConditionalGeneration": "text2text-generation",
        "ViTForImageClassification": "image-classification",
        "BeitForSemanticSegmentation": "image-segmentation",
        "YolosForObjectDetection": "object-detection",
        "CLIPModel": "zero-shot-image-classification",
        "VisionEncoderDecoderModel": "image-to-text",
        "Wav2Vec2ForCTC": "automatic-speech-recognition",
        "Wav2Vec2ForSequenceClassification": "audio-classification",
        "BertModel": "feature-extraction",
    }
    assert {name: task_of_class(name) for name in expected} == expected


def test_saved_pipelines_load(tmp_path: Path) -> None:
    for name, sample in (("see", photo()), ("clip", photo()), ("hear", sound()), ("write", sound())):
        pipe = PIPELINES[name](isoform)
        pipe.save_pretrained(tmp_path / name)
        loaded = isoform.pipeline(pipe.task, model=str(tmp_path / name))
        options = {"candidate_labels": "cat, dog"} if name == "clip" else {}
        assert difference(loaded(sample, **options), pipe(sample, **options)) is None


@pytest.mark.parametrize("name", ["see", "segment", "detect", "depth", "clip", "hear", "write", "clap"])
def test_half_precision(name: str) -> None:
    pipe = PIPELINES[name](isoform)
    pipe.model.to(torch.bfloat16)
    sample = sound(0.5) if name in ("hear", "write", "clap") else photo()
    options = {"candidate_labels": ["cat", "dog"]} if name.startswith("cl") else {}
    assert pipe(sample, **options) is not None
    assert len(pipe([sample, sample], batch_size="auto", **options)) == 2


def test_boxes_are_drawn_where_they_are() -> None:
    found = [{"label": "cat", "score": 0.9, "box": {"xmin": 10, "ymin": 40, "xmax": 60, "ymax": 90}}]
    plain = Image.new("RGB", (120, 100), "white")
    drawn = np.asarray(draw_boxes(plain, found))
    assert tuple(drawn[65, 10]) == tuple(drawn[65, 60]) == tuple(drawn[90, 35]) == color_of("cat")
    assert tuple(drawn[65, 35]) == tuple(drawn[95, 35]) == (255, 255, 255)
    assert (np.asarray(plain) == 255).all()
    outside = [{"label": "cat", "score": 0.9, "box": {"xmin": -9, "ymin": 40, "xmax": 900, "ymax": 20}}]
    assert draw_boxes(plain, outside).size == (120, 100)


def test_masks_are_drawn_where_they_are() -> None:
    mask = np.zeros((100, 120), np.uint8)
    mask[50:90, 20:100] = 255
    found = [{"label": "sea", "score": None, "mask": Image.fromarray(mask)}]
    drawn = np.asarray(draw_masks(Image.new("RGB", (120, 100), "white"), found, opacity=0.5)).astype(int)
    assert np.abs(drawn[85, 95] - (255 + np.array(color_of("sea"))) / 2).max() <= 1
    assert tuple(drawn[95, 60]) == (255, 255, 255)


def test_words_become_subtitles() -> None:
    words = [("one", 0.5, 0.7), ("two", 0.8, 1.0), ("three", 3.25, 3.6), (" ", 3.7, 3.8)]
    words += [(f"word{index}", 3665 + index, 3665.5 + index) for index in range(8)]
    chunks = [{"text": text, "timestamp": (start, end)} for text, start, end in words]
    blocks = subtitles(chunks).split("\n\n")
    assert blocks[0] == "1\n00:00:00,500 --> 00:00:01,000\none two"
    assert blocks[1] == "2\n00:00:03,250 --> 00:00:03,600\nthree"
    assert blocks[2].startswith("3\n01:01:05,000 --> 01:01:10,500\nword0 word1")
    assert len(blocks) == 4
    assert subtitles([]) == ""
