"""How image processors work: in one go or step by step, their files, old names, and what finds them."""

from __future__ import annotations

import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")

import torch

import isoform
from isoform import AutoImageProcessor, AutoProcessor, CLIPImageProcessor, ViTImageProcessor
from isoform._image_fused import Picture, Plan, transform
from isoform.image_processing_utils import BaseImageProcessor, get_size_dict
from isoform.image_transforms import resize

from .cases import picture, pil


@pytest.mark.parametrize("resample", [2, 3])
def test_resizing_many_sizes(resample: int) -> None:
    """PyTorch resizes as Pillow does, up to rounding; and in the order of Pillow, which depends on its version."""
    rng = np.random.default_rng(resample)
    worst, wrong, count = 0, 0, 0
    for index in range(60):
        rows, columns = (int(n) for n in rng.integers(2, 200, 2))
        size = tuple(int(n) for n in rng.integers(1, 120, 2))
        image = picture(rows, columns, seed=index)
        if index % 3 == 0:
            image = np.where(image > 128, 255, 0).astype(np.uint8)  # sharp edges, where the bicubic filter overshoots
        batch = transform([image, Picture(pil(image))], [Plan(size)] * 2, resample=resample, channels_last=True)
        assert torch.equal(batch[0], batch[1])
        difference = np.abs(batch[0].permute(1, 2, 0).numpy().astype(int) - resize(image, size, resample))
        worst, wrong, count = max(worst, difference.max()), wrong + (difference > 1).sum(), count + difference.size
    assert worst <= 2 and wrong <= 1e-5 * count


def test_one_multiply_add() -> None:
    """Rescaling and normalising at once give what they give one after the other."""
    images = [picture(30, 40, seed=seed) for seed in range(3)]
    processor = ViTImageProcessor(do_resize=False, image_mean=[0.1, 0.5, 0.9], image_std=[0.2, 0.5, 0.3])
    found = processor(images, return_tensors="pt").pixel_values
    expected = (np.stack(images) / 255 - processor.image_mean) / processor.image_std
    assert found.dtype == torch.float32 and found.is_contiguous()
    assert np.abs(found.permute(0, 2, 3, 1).numpy() - expected).max() < 1e-5


def test_batches_do_not_matter() -> None:
    """An image comes out the same alone, in a batch, as an array or as an image of Pillow."""
    images = [picture(60, 80, seed=seed) for seed in range(4)]
    processor = CLIPImageProcessor(size=32, crop_size=24)
    batch = processor(images, return_tensors="pt").pixel_values
    assert torch.equal(batch, processor([pil(image) for image in images], return_tensors="pt").pixel_values)
    assert torch.equal(batch, processor(np.stack(images), return_tensors="pt").pixel_values)
    assert torch.equal(batch, processor(torch.from_numpy(np.stack(images)), return_tensors="pt").pixel_values)
    for one, image in zip(batch, images, strict=True):
        assert np.array_equal(one, processor(image)["pixel_values"][0])
    last = processor(images, return_tensors="pt", data_format="channels_last").pixel_values
    assert torch.equal(last, batch.permute(0, 2, 3, 1))


def test_inputs_stay_as_they_are() -> None:
    image = picture(30, 30)
    copy = image.copy()
    processor = isoform.BeitImageProcessor(size=20, crop_size=16, do_reduce_labels=True)
    labels = image[..., 0].copy()
    processor(image, labels)
    processor([image[:, ::-1]], do_resize=False, do_center_crop=False)
    assert np.array_equal(image, copy) and np.array_equal(labels, copy[..., 0])
    image.flags.writeable = False
    processor(image)


def test_own_steps_are_used() -> None:
    """A subclass that replaces a step gets its own one called, for each image."""

    class Inverted(ViTImageProcessor):
        def rescale(self, image: np.ndarray, scale: float, **kwargs: Any) -> np.ndarray:
            return 1 - super().rescale(image, scale, **kwargs)

    images = [picture(20, 20), picture(20, 20, seed=1)]
    plain = ViTImageProcessor(size=20)(images, return_tensors="np").pixel_values
    assert np.allclose(Inverted(size=20)(images, return_tensors="np").pixel_values, -plain, atol=1e-6)


def test_own_processor(tmp_path: Path) -> None:
    class Halved(BaseImageProcessor):
        def __init__(self, factor: float = 0.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def preprocess(self, images: Any, **kwargs: Any) -> Any:
            return {"pixel_values": self.rescale(np.asarray(images), self.factor)}

    Halved(0.25).save_pretrained(tmp_path)
    loaded = Halved.from_pretrained(tmp_path)
    assert loaded.factor == 0.25 and loaded(np.full((3, 2, 2), 8))["pixel_values"].max() == 2
    with pytest.raises(NotImplementedError, match="preprocess"):
        BaseImageProcessor()(picture(4, 4))


def test_signatures() -> None:
    """Constructors and `preprocess` show their settings, in the documented order, and take them by position."""
    assert list(inspect.signature(ViTImageProcessor).parameters)[:3] == ["do_resize", "size", "resample"]
    names = list(inspect.signature(isoform.BeitImageProcessor.preprocess).parameters)
    assert names[1:4] == ["images", "segmentation_maps", "do_resize"]
    assert ViTImageProcessor(False, 30).size == {"height": 30, "width": 30}
    found = ViTImageProcessor().preprocess(picture(20, 30), True, 10)
    assert found.pixel_values[0].shape == (3, 10, 10)
    with pytest.raises(TypeError, match="multiple values"):
        ViTImageProcessor(False, do_resize=True)


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        (5, {}, {"height": 5, "width": 5}),
        (5, {"default_to_square": False}, {"shortest_edge": 5}),
        (5, {"default_to_square": False, "max_size": 9}, {"shortest_edge": 5, "longest_edge": 9}),
        ((5, 6), {"height_width_order": False}, {"height": 6, "width": 5}),
        (None, {"default_to_square": False, "max_size": 9}, {"longest_edge": 9}),
    ],
)
def test_sizes(size: Any, options: dict[str, Any], expected: dict[str, int]) -> None:
    assert get_size_dict(size, **options) == expected


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match=r"crop_size must have the keys .*depth"):
        CLIPImageProcessor(crop_size={"depth": 3})
    with pytest.raises(ValueError, match="different shapes"):
        ViTImageProcessor(do_resize=False)([picture(9, 9), picture(9, 8)], return_tensors="pt")
    processor = ViTImageProcessor()
    processor.image_mean = None
    with pytest.raises(ValueError, match="image_mean must be given"):
        processor(picture(9, 9))
    with pytest.raises(ValueError, match="mean has 2 numbers"):
        ViTImageProcessor(size=9)(picture(9, 9), image_mean=[0, 1])


def test_files(tmp_path: Path) -> None:
    processor = CLIPImageProcessor(size=30, crop_size=20, resample=2)
    assert processor.save_pretrained(tmp_path) == [str(tmp_path / "preprocessor_config.json")]
    for loaded in (CLIPImageProcessor.from_pretrained(tmp_path), AutoImageProcessor.from_pretrained(tmp_path)):
        assert type(loaded) is CLIPImageProcessor
        assert loaded.to_dict() == processor.to_dict() | {"image_processor_type": "CLIPImageProcessor"}
    changed, unused = AutoImageProcessor.from_pretrained(tmp_path, size=50, other=1, return_unused_kwargs=True)
    assert changed.size == {"shortest_edge": 50} and unused == {"other": 1}


def test_old_files(tmp_path: Path) -> None:
    """Files of the time of feature extractors."""
    old = {
        "feature_extractor_type": "ViTFeatureExtractor",
        "size": 18,
        "do_resize": True,
        "image_mean": [0.1, 0.2, 0.3],
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(old))
    loaded = AutoImageProcessor.from_pretrained(tmp_path)
    assert type(loaded) is ViTImageProcessor and loaded.size == {"height": 18, "width": 18}
    del old["feature_extractor_type"]
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(old))
    with pytest.raises(OSError, match=r"config\.json"):
        AutoImageProcessor.from_pretrained(tmp_path)
    isoform.SwinConfig().save_pretrained(tmp_path)
    assert type(AutoImageProcessor.from_pretrained(tmp_path)) is ViTImageProcessor
    (tmp_path / "preprocessor_config.json").write_text('{"image_processor_type": "NoSuchImageProcessor"}')
    with pytest.raises(ValueError, match="NoSuchImageProcessor"):
        AutoImageProcessor.from_pretrained(tmp_path, config=isoform.GPT2Config())
    (tmp_path / "preprocessor_config.json").write_text('{"image_proc')
    with pytest.raises(OSError, match=r"preprocessor_config\.json.*truncated"):
        AutoImageProcessor.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["ViT", "DeiT", "Beit", "CLIP", "ConvNext", "DPT", "Segformer", "Yolos", "Detr"])
def test_old_names(name: str) -> None:
    with pytest.warns(FutureWarning, match=f"{name}ImageProcessor"):
        old = getattr(isoform, f"{name}FeatureExtractor")(size=(8, 9) if name != "ConvNext" else 8)
    assert isinstance(old, getattr(isoform, f"{name}ImageProcessor"))
    assert old(picture(20, 20), return_tensors="pt").pixel_values.ndim == 4


def test_processors_of_two_parts(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\n[SEP]\n[PAD]\n[CLS]\n[MASK]\na\ncat\n")
    tokenizer = isoform.BertTokenizerFast(str(tmp_path / "vocab.txt"))
    processor = isoform.VisionTextDualEncoderProcessor(ViTImageProcessor(size=8), tokenizer)
    folder = tmp_path / "saved"
    processor.save_pretrained(folder)
    for loaded in (
        isoform.VisionTextDualEncoderProcessor.from_pretrained(folder),
        AutoProcessor.from_pretrained(folder),
    ):
        assert type(loaded) is isoform.VisionTextDualEncoderProcessor
        both = loaded(text=["a cat", "a"], images=[picture(9, 9)] * 2, padding=True, return_tensors="pt")
        assert list(both) == ["input_ids", "token_type_ids", "attention_mask", "pixel_values"]
        assert both.pixel_values.shape == (2, 3, 8, 8) and loaded.model_input_names == list(both)
        assert list(loaded(images=picture(9, 9))) == ["pixel_values"]
        assert loaded.decode(loaded(text="a cat").input_ids, skip_special_tokens=True) == "a cat"
    with pytest.raises(ValueError, match="text, images"):
        processor()
    with pytest.raises(ValueError, match="BertTokenizerFast for argument image_processor"):
        isoform.VisionTextDualEncoderProcessor(tokenizer, tokenizer)
    with pytest.raises(ValueError, match="expected CLIPImageProcessor"):
        isoform.CLIPProcessor(ViTImageProcessor(), tokenizer)
    with pytest.warns(FutureWarning, match="image_processor"):
        assert processor.feature_extractor is processor.image_processor


def test_processor_of_one_part(tmp_path: Path) -> None:
    """Where a checkpoint has no processor, AutoProcessor gives what it has."""
    ViTImageProcessor(size=8).save_pretrained(tmp_path)
    isoform.ViTConfig().save_pretrained(tmp_path)
    assert type(AutoProcessor.from_pretrained(tmp_path)) is ViTImageProcessor
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match="no processor"):
        AutoProcessor.from_pretrained(tmp_path)


def test_registering() -> None:
    class OwnConfig(isoform.PretrainedConfig):
        model_type = "own-for-images"

    class OwnImageProcessor(ViTImageProcessor): ...

    AutoImageProcessor.register(OwnConfig, OwnImageProcessor)
    try:
        assert isoform.IMAGE_PROCESSOR_MAPPING[OwnConfig] is OwnImageProcessor
        with pytest.raises(ValueError, match="already used"):
            AutoImageProcessor.register(isoform.ViTConfig, OwnImageProcessor)
    finally:
        isoform.IMAGE_PROCESSOR_MAPPING._extra_content.clear()


def test_no_torch_until_it_is_needed() -> None:
    code = (
        "import sys, isoform; isoform.ViTImageProcessor(); isoform.YolosImageProcessor(); isoform.AutoImageProcessor; "
        "isoform.CLIPProcessor; isoform.image_transforms; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(importlib.util.find_spec("pycocotools") is not None, reason="it is installed")
def test_masks_of_polygons_need_pycocotools() -> None:
    box = {"bbox": [1, 2, 9, 9], "category_id": 1, "area": 81, "iscrowd": 0, "segmentation": [[1, 2, 9, 2, 9, 9]]}
    target = {"image_id": 1, "annotations": [box]}
    with pytest.raises(ImportError, match="pip install pycocotools"):
        isoform.YolosImageProcessor()(picture(20, 20), annotations=target, return_segmentation_masks=True)


def test_masks_stay_in_their_folder(tmp_path: Path) -> None:
    target = {"image_id": 1, "file_name": "../secret.png", "segments_info": [{"id": 1, "category_id": 1}]}
    processor = isoform.YolosImageProcessor(format="coco_panoptic")
    with pytest.raises(OSError, match=r"secret\.png' leads outside"):
        processor(picture(20, 20), annotations=target, masks_path=tmp_path)
