"""Annotations of COCO beside images: boxes, classes and masks as arrays that follow their image through its steps.

Boxes come as (left, top, width, height), are (left, top, right, bottom) in pixels while the image is prepared, and at
last (x, y, width, height) of their centre, as shares of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .image_transforms import corners_to_center_format, resize, rgb_to_id
from .image_utils import ChannelDimension, PILImageResampling
from .utils.files import safe_join
from .utils.generic import ExplicitEnum

__all__ = [
    "AnnotationFormat",
    "masks_to_boxes",
    "normalize_annotation",
    "prepare_detection",
    "prepare_panoptic",
    "resize_annotation",
]

Annotation = dict[str, Any]


class AnnotationFormat(ExplicitEnum):
    """The kinds of annotations of COCO."""

    COCO_DETECTION = "coco_detection"
    COCO_PANOPTIC = "coco_panoptic"


def prepare_detection(image_size: tuple[int, int], target: Annotation, return_masks: bool = False) -> Annotation:
    """The annotation of one image for detection, as arrays. Crowds and boxes outside of the image are left out.

    Args:
        image_size: (height, width) of the image.
        target: `{"image_id": …, "annotations": [{"bbox": …, "category_id": …, "area": …}, …]}`.
        return_masks: Also make masks, (boxes, height, width), from the objects' `segmentation`.

    Raises:
        ImportError: Masks are wanted, and `pycocotools` is not installed.
    """
    height, width = image_size
    objects = [item for item in target["annotations"] if item.get("iscrowd", 0) == 0]
    boxes = np.asarray([item["bbox"] for item in objects], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    boxes = boxes.clip(0, [width, height, width, height]).astype(np.float32)
    inside = (boxes[:, 3] > boxes[:, 1]) & (boxes[:, 2] > boxes[:, 0])
    result = {
        "image_id": np.asarray([target["image_id"]], dtype=np.int64),
        "class_labels": np.asarray([item["category_id"] for item in objects], dtype=np.int64)[inside],
        "boxes": boxes[inside],
        "area": np.asarray([item["area"] for item in objects], dtype=np.float32)[inside],
        "iscrowd": np.zeros(int(inside.sum()), dtype=np.int64),
        "orig_size": np.asarray(image_size, dtype=np.int64),
    }
    if objects and "keypoints" in objects[0]:
        keypoints = np.asarray([item["keypoints"] for item in objects], dtype=np.float32)[inside]
        result["keypoints"] = keypoints.reshape(-1, 3) if len(keypoints) else keypoints
    if return_masks:
        masks = [_polygons_to_mask(item["segmentation"], height, width) for item in objects]
        result["masks"] = np.stack(masks)[inside] if masks else np.zeros((0, height, width), dtype=np.uint8)
    return result


def _polygons_to_mask(polygons: Any, height: int, width: int) -> np.ndarray:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ImportError("Masks from polygons need pycocotools. Install it with: pip install pycocotools") from error
    decoded = mask.decode(mask.frPyObjects(polygons, height, width))
    planes = np.asarray(decoded, dtype=np.uint8).reshape(height, width, -1)
    return planes.max(axis=2, initial=0)


def prepare_panoptic(
    image_size: tuple[int, int], target: Annotation, masks_path: str | Path | None, return_masks: bool = True
) -> Annotation:
    """The panoptic annotation of one image, as arrays.

    Args:
        image_size: (height, width) of the image.
        target: `{"image_id": …, "file_name": …, "segments_info": [{"id": …, "category_id": …, …}, …]}`.
        masks_path: Folder of the image `file_name`, whose colours are the ids of segments.
        return_masks: Return the masks, (segments, height, width).

    Raises:
        ValueError: No `masks_path` is given.
        OSError: The file cannot be read, or its name leads out of the folder.
    """
    import PIL.Image

    if masks_path is None:
        raise ValueError("masks_path, the folder of the masks, must be given with panoptic annotations")
    size = np.asarray(image_size, dtype=np.int64)
    image_id = target["image_id"] if "image_id" in target else target["id"]
    result = {"image_id": np.asarray([image_id], dtype=np.int64), "size": size, "orig_size": size.copy()}
    if "segments_info" in target:
        segments = target["segments_info"]
        with PIL.Image.open(safe_join(masks_path, target["file_name"], source="the file name of the masks")) as image:
            ids = rgb_to_id(np.asarray(image, dtype=np.uint32))
        masks = (ids == np.array([item["id"] for item in segments], dtype=np.int64)[:, None, None]).astype(np.uint8)
        if return_masks:
            result["masks"] = masks
        result["boxes"] = masks_to_boxes(masks)
        for name, key, dtype in (
            ("class_labels", "category_id", np.int64),
            ("iscrowd", "iscrowd", np.int64),
            ("area", "area", np.float32),
        ):
            result[name] = np.asarray([item[key] for item in segments], dtype=dtype)
    return result


def masks_to_boxes(masks: np.ndarray) -> np.ndarray:
    """The boxes (left, top, right, bottom) around masks (masks, height, width): first and last row and column."""
    if masks.size == 0:
        return np.zeros((0, 4))
    found = masks.astype(bool)
    edges = []
    for lines in (found.any(axis=1), found.any(axis=2)):  # columns, rows
        numbers = np.arange(lines.shape[1], dtype=np.float32)
        edges.append((np.where(lines, numbers, np.float32(1e8)).min(axis=1), (lines * numbers).max(axis=1)))
    (left, right), (top, bottom) = edges
    return np.stack([left, top, right, bottom], axis=1)


def resize_annotation(
    annotation: Annotation,
    orig_size: tuple[int, int],
    target_size: tuple[int, int],
    threshold: float = 0.5,
    resample: int = PILImageResampling.NEAREST,
) -> Annotation:
    """The annotation of an image that was resized, with boxes (left, top, right, bottom) and masks.

    Args:
        annotation: The annotation.
        orig_size, target_size: (height, width) of the image before and after.
        threshold: What is greater in a resized mask belongs to it.
        resample: Filter for masks.
    """
    vertical, horizontal = (float(new) / float(old) for new, old in zip(target_size, orig_size))
    result: Annotation = {"size": target_size}
    for name, value in annotation.items():
        if name == "boxes":
            value = value * np.asarray([horizontal, vertical, horizontal, vertical], dtype=np.float32)
        elif name == "area":
            value = value * (horizontal * vertical)
        elif name == "masks":
            value = _resized_masks(value, target_size, resample).astype(np.float32) > threshold
        elif name == "size":
            value = target_size
        result[name] = value
    return result


def _resized_masks(masks: np.ndarray, size: tuple[int, int], resample: int) -> np.ndarray:
    planes = [resize(mask[None], size, resample, input_data_format=ChannelDimension.FIRST)[0] for mask in masks]
    return np.stack(planes) if planes else np.zeros((0, *size))


def normalize_annotation(annotation: Annotation, image_size: Sequence[int]) -> Annotation:
    """The annotation with boxes (x, y, width, height) of their centre, as shares of the image."""
    height, width = image_size
    result = dict(annotation)
    if "boxes" in result:
        boxes = corners_to_center_format(result["boxes"])
        result["boxes"] = boxes / np.asarray([width, height, width, height], dtype=np.float32)
    return result
