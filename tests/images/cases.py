"""What image processors are asked, of the reference (by `make_images.py`) and of isoform (by `test_golden.py`).

Each case is a function of the library, imported as a module. Images are made up by formulas.
"""

from __future__ import annotations

import copy
import importlib
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

Case = Callable[[Any], Any]
CASES: dict[str, Case] = {}

SIZES: dict[str, Any] = {"CLIP": 14, "Bit": 14, "ConvNext": 14, "Yolos": {"shortest_edge": 14, "longest_edge": 20}}
PROCESSORS = ("ViT", "DeiT", "Beit", "CLIP", "Bit", "ConvNext", "DPT", "Segformer", "Yolos", "Detr")
CROPPING = ("DeiT", "Beit", "CLIP", "Bit")
SIZES["Detr"] = SIZES["Yolos"]


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Bytes (height, width, channels): waves, an edge and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(float)[..., None]
    phase = rng.uniform(0, 6, (4, channels))
    values = 128 + 60 * np.sin(x / 7 + phase[0]) + 50 * np.cos(y / 5 + phase[1])
    values = values + 70 * (x * np.cos(phase[2]) + y * np.sin(phase[2]) > width / 3)
    return np.clip(values + rng.normal(0, 8, (height, width, channels)), 0, 255).astype(np.uint8)


def pil(array: np.ndarray, mode: str = "RGB") -> Any:
    """An image of Pillow."""
    import PIL.Image

    return PIL.Image.fromarray(array).convert(mode)


def inputs() -> dict[str, Any]:
    """Images in all forms in which they may come, right and wrong."""
    import torch

    one, other = picture(41, 53), picture(60, 30, seed=1)
    return {
        "pillow": pil(one),
        "array": one,
        "channels first": one.transpose(2, 0, 1),
        "tall": picture(160, 40),
        "wide": picture(35, 150),
        "small": picture(7, 9),
        "one pixel": picture(1, 1),
        "one pixel of Pillow": pil(picture(1, 1)),
        "list": [pil(one), pil(one)],
        "different sizes": [one, other, pil(picture(25, 26))],
        "batch": np.stack([one, one]),
        "batch of tensors": torch.from_numpy(np.stack([one, one]).transpose(0, 3, 1, 2).copy()),
        "tensor": torch.from_numpy(one.transpose(2, 0, 1).copy()),
        "from 0 to 1": (one / 255).astype(np.float32),
        "int64": one.astype(np.int64),
        "float to 255": one.astype(np.float32),
        "too great": one.astype(np.float32) * 2,
        "view": picture(82, 53)[::2, ::-1],
        "grey": pil(one, "L"),
        "grey array": picture(41, 53, 1),
        "grey 2D": picture(41, 53, 1)[..., 0],
        "with alpha": pil(one, "RGBA"),
        "palette": pil(one, "P"),
        "text": "photo.jpg",
        "list with text": [one, "photo.jpg"],
        "None": None,
    }


def options(name: str) -> list[dict[str, Any]]:
    """Arguments of a call."""
    size = SIZES.get(name, {"height": 14, "width": 16})
    found: list[dict[str, Any]] = [
        {"return_tensors": "np"},
        {"return_tensors": "pt", "data_format": "channels_last"},
        {"do_resize": False, "do_center_crop": False} if name in CROPPING else {"do_resize": False},
        {"do_rescale": False, "do_normalize": False},
        {"do_normalize": False},
        {"do_rescale": False, "image_mean": [120.0, 110.0, 100.0], "image_std": 60.0},
        {"image_mean": 0.4, "image_std": [0.6, 0.7, 0.8], "rescale_factor": 1 / 128},
        {"resample": 0},
        {"resample": 1, "return_tensors": "pt"},
        {"resample": 2},
        {"resample": 3},
        {"size": (9, 17)},
        {"size": {"height": 45, "width": 50}},
        {"size": {"longest_edge": 9}},
        {"data_format": "nowhere"},
    ]
    if name in CROPPING:
        found += [{"crop_size": 9}, {"crop_size": (30, 11)}, {"do_center_crop": False}]
    if name == "ConvNext":
        found += [{"crop_pct": 0.5}, {"size": 31, "crop_pct": 1.0}]
    if name == "DPT":
        found += [{"do_pad": True, "size_divisor": 8}, {"do_pad": True}, {"keep_aspect_ratio": True}]
    return [{"size": size, **given} for given in found]


def processor(lib: Any, name: str, **settings: Any) -> Any:
    """An image processor with small sizes."""
    settings.setdefault("size", SIZES.get(name, {"height": 14, "width": 16}))
    if name in CROPPING:
        settings.setdefault("crop_size", {"height": 12, "width": 13})
    return getattr(lib, f"{name}ImageProcessor")(**settings)


def call(lib: Any, name: str, image: Any, **given: Any) -> dict[str, Any]:
    """What a processor makes of an image."""
    return dict(processor(lib, name)(copy.deepcopy(image), **given))


def annotation(seed: int, count: int = 5, keypoints: bool = False) -> dict[str, Any]:
    """An annotation of COCO's detection task; some boxes lie outside of the image."""
    rng = np.random.default_rng(seed)
    objects = []
    for _ in range(count):
        box = [*rng.uniform(-8, 45, 2), *rng.uniform(0, 30, 2)]
        item = {"bbox": [float(v) for v in box], "category_id": int(rng.integers(90)), "area": float(box[2] * box[3])}
        item["iscrowd"] = int(rng.random() < 0.3)
        if keypoints:
            item["keypoints"] = rng.integers(0, 50, 6).tolist()
        objects.append(item)
    return {"image_id": seed, "annotations": objects}


def panoptic(lib: Any, name: str, folder: str, **given: Any) -> dict[str, Any]:
    """An image with a panoptic annotation, whose masks are written to a folder."""
    transforms = importlib.import_module(f"{lib.__name__}.image_transforms")
    ids = np.arange(12).reshape(3, 4).repeat(14, 0).repeat(13, 1) // 3 * 70_000 + 5
    pil(transforms.id_to_rgb(ids)).save(Path(folder) / "masks.png")
    segments = [
        {"id": int(i), "category_id": k, "iscrowd": 0, "area": float((ids == i).sum())}
        for k, i in enumerate(np.unique(ids))
    ]
    target = {"image_id": 3, "file_name": "masks.png", "segments_info": segments}
    made = processor(lib, name, format="coco_panoptic")
    return dict(made(picture(42, 52), annotations=target, masks_path=folder, **given))


def detect(lib: Any, name: str, method: str, *args: Any, **kwargs: Any) -> Any:
    """Objects in outputs of a model."""
    import torch

    generator = torch.Generator().manual_seed(0)
    outputs = SimpleNamespace(
        logits=3 * torch.randn(2, 6, 4, generator=generator), pred_boxes=torch.rand(2, 6, 4, generator=generator)
    )
    return getattr(processor(lib, name), method)(outputs, *args, **kwargs)


def segment(lib: Any, name: str, sizes: Any) -> Any:
    """Classes of pixels."""
    import torch

    logits = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    return processor(lib, name).post_process_semantic_segmentation(SimpleNamespace(logits=logits), sizes)


def with_maps(lib: Any, name: str, maps: Any, **given: Any) -> dict[str, Any]:
    """An image with a map of labels."""
    images = [picture(41, 53)] * (len(maps) if isinstance(maps, list) else 1)
    return dict(processor(lib, name)(images, copy.deepcopy(maps), **given))


def settings_of(lib: Any, name: str, **given: Any) -> dict[str, Any]:
    """The settings that a processor keeps."""
    values = getattr(lib, f"{name}ImageProcessor")(**given).to_dict()
    return {key: getattr(value, "value", value) for key, value in values.items()}


def _add_cases() -> None:
    import torch

    for name in PROCESSORS:
        for kind, image in inputs().items():
            CASES[f"{name}: {kind}"] = partial(call, name=name, image=image)
        for given in options(name):
            CASES[f"{name}: {given}"] = partial(call, name=name, image=picture(41, 53), **given)
        for given in ({}, {"size": 30}, {"size": (20, 30)}, {"image_mean": None, "do_resize": False}, {"new": 1}):
            CASES[f"{name}: settings {given}"] = partial(settings_of, name=name, **given)
    rng = np.random.default_rng(0)
    label_maps = {
        "array": rng.integers(0, 256, (41, 53), dtype=np.uint8),
        "pillow": pil(rng.integers(0, 5, (41, 53), dtype=np.uint8), "L"),
        "list": [rng.integers(0, 5, (41, 53)), rng.integers(0, 5, (41, 53))],
        "with a channel": rng.integers(0, 5, (1, 41, 53)),
        "text": "map.png",
    }
    for name, (kind, maps), reduce in itertools.product(("Beit", "Segformer"), label_maps.items(), (True, False)):
        given = {"do_reduce_labels": reduce, "return_tensors": "pt"}
        CASES[f"{name}: map {kind}, {reduce}"] = partial(with_maps, name=name, maps=maps, **given)
    for name, sizes in itertools.product(("Beit", "Segformer", "DPT"), (None, [(9, 8), (3, 12)], [(9, 8)])):
        CASES[f"{name}: classes of pixels, {sizes}"] = partial(segment, name=name, sizes=sizes)
    for name in ("Yolos", "Detr"):
        pair = [picture(41, 53), picture(41, 30)]
        notes = [annotation(1), annotation(2, 0)]
        for given in ({}, {"return_tensors": "pt"}, {"do_resize": False}, {"do_normalize": False}, {"do_pad": False}):
            CASES[f"{name}: boxes {given}"] = partial(call, name=name, image=pair, annotations=notes, **given)
        for wrong in ([notes[0]], [{}, {}], {"image_id": 1, "annotations": []}, "boxes"):
            CASES[f"{name}: wrong {str(wrong)[:30]}"] = partial(call, name=name, image=pair, annotations=wrong)
        keypoints = [annotation(3, 6, keypoints=True), annotation(4, 2)]
        CASES[f"{name}: keypoints"] = partial(call, name=name, image=pair, annotations=keypoints)
        sizes = [(30, 40), (50, 20)]
        for threshold, target in itertools.product((0.0, 0.5, 0.9), (None, sizes, torch.tensor(sizes), sizes[:1])):
            case = partial(detect, name=name, method="post_process_object_detection", threshold=threshold)
            CASES[f"{name}: objects {threshold} {target}"] = partial(case, target_sizes=target)
        CASES[f"{name}: all objects"] = partial(
            detect, name=name, method="post_process", target_sizes=torch.tensor(sizes)
        )


_add_cases()


def plain(value: Any) -> Any:
    """A result without classes of either library: arrays with their dtypes, dictionaries, lists and numbers."""
    import torch

    if isinstance(value, torch.Tensor):
        return {"tensor": value.detach().contiguous().numpy()}
    if isinstance(value, np.ndarray):
        return {"array": np.ascontiguousarray(value)}
    if isinstance(value, Mapping) or hasattr(value, "items"):
        return {"items": {str(key): plain(item) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"list": [plain(item) for item in value]}
    return value.item() if isinstance(value, np.generic) else value


def run(case: Case, lib: Any) -> Any:
    """The plain result of a case, or the name of the exception."""
    try:
        return plain(case(lib))
    except Exception as error:
        return {"error": type(error).__name__}
