"""What the image processors of DETR and its relatives share: annotations, padding, boxes from a model's output."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .feature_extraction_utils import BatchFeature, Preprocessor
from .image_annotations import (
    Annotation,
    AnnotationFormat,
    normalize_annotation,
    prepare_detection,
    prepare_panoptic,
    resize_annotation,
)
from .image_pipeline import ImagePipeline, as_array
from .image_processing_utils import get_size_dict
from .image_transforms import center_to_corners_format, pad
from .image_utils import (
    IMAGENET_DEFAULT_MEAN,
    IMAGENET_DEFAULT_STD,
    ChannelDimension,
    PILImageResampling,
    get_image_size,
    infer_channel_dimension_format,
    valid_coco_detection_annotations,
    valid_coco_panoptic_annotations,
)

__all__ = ["DetectionPipeline"]

_LONGEST_EDGE = 1333
_OLD_NAMES = {"pad_and_return_pixel_mask": "do_pad"}


class DetectionPipeline(ImagePipeline):
    """Resizes the shorter side to `size["shortest_edge"]`, but the longer one to at most `size["longest_edge"]`,
    rescales, normalises, and pads to the largest image of the batch. Annotations follow their images.

    Class attributes:
        returns_pixel_mask: Whether `preprocess` returns `pixel_mask`: 1 for pixels of the image, 0 for padding.
    """

    returns_pixel_mask = False
    square_size = False
    call_inputs = ("annotations", "return_segmentation_masks", "masks_path")
    normalized = ("size",)
    defaults = {
        "format": AnnotationFormat.COCO_DETECTION,
        "do_resize": True,
        "size": {"shortest_edge": 800, "longest_edge": _LONGEST_EDGE},
        "resample": PILImageResampling.BILINEAR,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": IMAGENET_DEFAULT_MEAN,
        "image_std": IMAGENET_DEFAULT_STD,
        "do_pad": True,
    }
    call_order = "do_resize size resample do_rescale rescale_factor do_normalize image_mean image_std do_pad format"
    format: AnnotationFormat | str
    do_pad: bool

    # Settings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs = _with_new_names(kwargs)
        max_size = kwargs.pop("max_size", None)
        if max_size is not None:
            warnings.warn('`max_size` is deprecated: use `size["longest_edge"]`.', FutureWarning, stacklevel=3)
        size = kwargs.get("size")
        if size is not None and not isinstance(size, Mapping):
            max_size = max_size or (_LONGEST_EDGE if isinstance(size, int) else None)
            kwargs["size"] = get_size_dict(size, max_size=max_size, default_to_square=False)
        super().__init__(*args, **kwargs)

    @classmethod
    def from_dict(  # type: ignore[override]  # the name of the argument is documented
        cls: type[Preprocessor], image_processor_dict: dict[str, Any], **kwargs: Any
    ) -> Preprocessor:
        """An image processor from the contents of a file; kwargs replace settings that exist."""
        values = dict(image_processor_dict)
        for name in ("max_size", "pad_and_return_pixel_mask"):
            if name in kwargs:
                values[name] = kwargs.pop(name)
        return super().from_dict(values, **kwargs)  # type: ignore[misc]

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SimpleNamespace:
        kwargs = _with_new_names(kwargs)
        max_size = kwargs.pop("max_size", None)
        call = super()._call(args, kwargs)
        if max_size is not None:
            call.size = {**call.size, "longest_edge": max_size}
        call.format = AnnotationFormat(call.format)
        return call

    def target_size(self, image_size: tuple[int, int], size: Mapping[str, int], **options: Any) -> tuple[int, int]:
        if "shortest_edge" in size and "longest_edge" in size:
            return fit_within(image_size, size["shortest_edge"], size["longest_edge"])
        if "height" in size and "width" in size:
            return size["height"], size["width"]
        raise ValueError(
            'size must have the keys "shortest_edge" and "longest_edge", or "height" and "width", found '
            f"{', '.join(size)}"
        )

    # One call

    def prepare(self, images: Any, call: SimpleNamespace) -> BatchFeature:
        arrays = self.arrays(images, call)
        annotations = self._checked_annotations(call, len(arrays))
        sizes = [get_image_size(array, call.input_data_format) for array in arrays]
        result = BatchFeature(self._padded_batch(arrays, call), tensor_type=call.return_tensors)
        if annotations is not None:
            labels = [
                self._label(image, note, size, call)
                for image, note, size in zip(map(as_array, arrays), annotations, sizes)
            ]
            result["labels"] = [BatchFeature(label, tensor_type=call.return_tensors) for label in labels]
        return result

    def _checked_annotations(self, call: SimpleNamespace, count: int) -> list[Annotation] | None:
        """The annotations of a call, one for each image."""
        annotations = call.annotations
        if annotations is None:
            return None
        if isinstance(annotations, dict):
            annotations = [annotations]
        if len(annotations) != count:
            raise ValueError(f"{len(annotations)} annotations were given for {count} images")
        if call.format == AnnotationFormat.COCO_DETECTION:
            valid, keys = valid_coco_detection_annotations(annotations), "image_id and annotations"
        else:
            valid, keys = valid_coco_panoptic_annotations(annotations), "image_id, file_name and segments_info"
            if call.masks_path is not None and not isinstance(call.masks_path, (str, Path)):
                raise ValueError(f"masks_path must be a path, found {type(call.masks_path).__name__}")
        if not valid:
            raise ValueError(
                f"Annotations of the format {call.format.value} must be dictionaries with the keys {keys}, the last of "
                "which holds a list of dictionaries."
            )
        return annotations

    def _label(self, image: np.ndarray, note: Annotation, size: tuple[int, int], call: SimpleNamespace) -> Annotation:
        """The annotation of one image, after all steps."""
        label = self.prepare_annotation(
            image, note, call.format, call.return_segmentation_masks, call.masks_path, call.input_data_format
        )
        target = self.target_size(size, call.size) if call.do_resize else size
        if call.do_resize:
            label = self.resize_annotation(label, size, target)
        return self.normalize_annotation(label, target) if call.do_normalize else label

    def _padded_batch(self, arrays: list[Any], call: SimpleNamespace) -> dict[str, Any]:
        """`pixel_values`, and `pixel_mask` where it is wanted."""
        if not call.do_pad:
            return {"pixel_values": self.pixel_values(arrays, call)}
        prepared = self.fused(arrays, call, pad=True)
        if prepared is None:
            images = [self.transform(as_array(array), call) for array in arrays]
            return dict(
                self.pad(
                    images,
                    return_pixel_mask=self.returns_pixel_mask,
                    data_format=call.data_format,
                    input_data_format=call.input_data_format,
                )
            )
        result = {"pixel_values": self.as_returned(prepared, call)}
        if self.returns_pixel_mask:
            sizes = [self.plan(get_image_size(array, call.input_data_format), call).size for array in arrays]
            result["pixel_mask"] = [_pixel_mask(size, _largest(sizes)) for size in sizes]
        return result

    # Documented steps

    def prepare_annotation(
        self,
        image: np.ndarray,
        target: Annotation,
        format: AnnotationFormat | str | None = None,
        return_segmentation_masks: bool | None = None,
        masks_path: str | Path | None = None,
        input_data_format: ChannelDimension | str | None = None,
    ) -> Annotation:
        """The annotation of one image as arrays.

        Args:
            image: The image.
            target: Its annotation.
            format: Of which kind that is; by default as in the settings.
            return_segmentation_masks: Whether to return masks too; by default for panoptic annotations.
            masks_path: Folder of the masks of panoptic annotations.
            input_data_format: Where the channels of the image are; by default as the shape tells.
        """
        size = get_image_size(image, input_data_format)
        if AnnotationFormat(self.format if format is None else format) == AnnotationFormat.COCO_DETECTION:
            return prepare_detection(size, target, bool(return_segmentation_masks))
        return prepare_panoptic(size, target, masks_path, return_segmentation_masks in (None, True))

    def resize_annotation(
        self,
        annotation: Annotation,
        orig_size: tuple[int, int],
        size: tuple[int, int],
        resample: int = PILImageResampling.NEAREST,
    ) -> Annotation:
        """The annotation of an image whose (height, width) changed from `orig_size` to `size`."""
        return resize_annotation(annotation, orig_size, target_size=size, resample=resample)

    def normalize_annotation(self, annotation: Annotation, image_size: tuple[int, int]) -> Annotation:
        """The annotation with boxes (x, y, width, height) of their centre, as shares of the image."""
        return normalize_annotation(annotation, image_size)

    def pad(
        self,
        images: list[np.ndarray],
        constant_values: float | Iterable[float] = 0,
        return_pixel_mask: bool | None = None,
        return_tensors: str | None = None,
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
    ) -> BatchFeature:
        """Images of the same size: something is put below and to the right of the smaller ones.

        Args:
            images: Arrays.
            constant_values: What is put there.
            return_pixel_mask: Also return `pixel_mask`; by default as `preprocess` does.
            return_tensors: "pt", "np", "tf" or "jax"; None for lists of arrays.
            data_format: Where the channels shall be; by default where they are.
            input_data_format: Where the channels are; by default as the shape of the first image tells.
        """
        if input_data_format is None:
            input_data_format = infer_channel_dimension_format(images[0])
        sizes = [get_image_size(image, input_data_format) for image in images]
        height, width = _largest(sizes)
        padded = [
            pad(
                image,
                ((0, height - rows), (0, width - columns)),
                constant_values=constant_values,
                data_format=data_format,
                input_data_format=input_data_format,
            )
            for image, (rows, columns) in zip(images, sizes)
        ]
        data: dict[str, Any] = {"pixel_values": padded}
        if self.returns_pixel_mask if return_pixel_mask is None else return_pixel_mask:
            data["pixel_mask"] = [_pixel_mask(size, (height, width)) for size in sizes]
        return BatchFeature(data, tensor_type=return_tensors)

    # From outputs of models

    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.5, target_sizes: Any = None
    ) -> list[dict[str, Any]]:
        """The objects of each image.

        Args:
            outputs: What a model returned: `logits` of (images, queries, classes + 1) and `pred_boxes` of (images,
                queries, 4).
            threshold: Objects with a smaller probability are left out.
            target_sizes: (height, width) of each image; without them, boxes are shares of the image.

        Returns:
            `scores`, `labels` and `boxes` (left, top, right, bottom) for each image.

        Raises:
            ValueError: There are not as many sizes as images.
        """
        results = self._objects(outputs, target_sizes)
        return [{name: part[one["scores"] > threshold] for name, part in one.items()} for one in results]

    def post_process(self, outputs: Any, target_sizes: Any) -> list[dict[str, Any]]:
        """Deprecated: `post_process_object_detection(outputs, threshold=0, target_sizes=target_sizes)`."""
        warnings.warn(
            "`post_process` is deprecated: use `post_process_object_detection` with `threshold=0`.",
            FutureWarning,
            stacklevel=2,
        )
        if target_sizes.shape[1] != 2:
            raise ValueError(f"target_sizes must have the shape (images, 2), found {tuple(target_sizes.shape)}")
        return self._objects(outputs, target_sizes)

    def _objects(self, outputs: Any, target_sizes: Any) -> list[dict[str, Any]]:
        """All queries of each image, with the most probable class of each."""
        import torch

        logits, boxes = outputs.logits, center_to_corners_format(outputs.pred_boxes)
        if target_sizes is not None:
            if len(logits) != len(target_sizes):
                raise ValueError(f"{len(target_sizes)} target_sizes were given for {len(logits)} images")
            sizes = torch.as_tensor(target_sizes, device=boxes.device)
            boxes = boxes * sizes[:, [1, 0, 1, 0]][:, None, :].to(boxes.dtype)
        scores, labels = logits.softmax(-1)[..., :-1].max(-1)
        return [{"scores": s, "labels": c, "boxes": b} for s, c, b in zip(scores, labels, boxes)]


def fit_within(image_size: tuple[int, int], shorter: int, longest: int | None = None) -> tuple[int, int]:
    """(height, width) of the same shape with a given shorter side; less if the longer one would exceed `longest`."""
    height, width = image_size
    smaller, larger = float(min(image_size)), float(max(image_size))
    if longest is not None and larger / smaller * shorter > longest:
        shorter = round(longest * smaller / larger)
    if min(image_size) == shorter:
        return image_size
    if width < height:
        return int(shorter * height / width), shorter
    return shorter, int(shorter * width / height)


def _largest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    heights, widths = zip(*sizes)
    return max(heights), max(widths)


def _pixel_mask(size: tuple[int, int], padded: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(padded, dtype=np.int64)
    mask[: size[0], : size[1]] = 1
    return mask


def _with_new_names(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments with the old names of settings replaced."""
    renamed = {_OLD_NAMES[name]: value for name, value in kwargs.items() if name in _OLD_NAMES}
    return {name: value for name, value in kwargs.items() if name not in _OLD_NAMES} | renamed
