"""What image processors of semantic segmentation share: maps of labels beside images, and maps from logits."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from .feature_extraction_utils import BatchFeature, Preprocessor
from .image_pipeline import ImagePipeline
from .image_utils import (
    ChannelDimension,
    infer_channel_dimension_format,
    make_list_of_images,
    to_numpy_array,
    valid_images,
)
from .utils.tensors import is_torch_tensor

__all__ = ["SegmentationMaps", "SemanticSegmentation"]

_BACKGROUND, _IGNORED = 0, 255


class SemanticSegmentation:
    """Adds `post_process_semantic_segmentation`."""

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: list[tuple[int, int]] | None = None
    ) -> list[Any]:
        """The class of each pixel.

        Args:
            outputs: What a model returned: `logits` of (images, classes, height, width).
            target_sizes: (height, width) of each image, to which its logits are resized first.

        Returns:
            A tensor of (height, width) for each image.

        Raises:
            ValueError: There are not as many sizes as images.
        """
        from torch.nn.functional import interpolate

        logits = outputs.logits
        if target_sizes is None:
            return list(logits.argmax(dim=1))
        if len(logits) != len(target_sizes):
            raise ValueError(f"{len(target_sizes)} target_sizes were given for {len(logits)} images")
        if is_torch_tensor(target_sizes):
            target_sizes = target_sizes.tolist()  # type: ignore[attr-defined]
        return [
            interpolate(one[None], size=tuple(size), mode="bilinear", align_corners=False)[0].argmax(dim=0)
            for one, size in zip(logits, target_sizes)
        ]


class SegmentationMaps(SemanticSegmentation, ImagePipeline):
    """Adds the argument `segmentation_maps` of `preprocess`, (height, width) for each image, which become `labels`.

    They are resized and cropped like their images. With `do_reduce_labels`, 0 (the background) becomes 255, which
    losses ignore, and all other labels are one less.

    Class attributes:
        maps_resample: Filter for the maps; None for that of the images.
    """

    call_inputs = ("segmentation_maps",)
    maps_resample: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "reduce_labels" in kwargs:
            warnings.warn("`reduce_labels` is deprecated: use `do_reduce_labels`.", FutureWarning, stacklevel=3)
            kwargs["do_reduce_labels"] = kwargs.pop("reduce_labels")
        super().__init__(*args, **kwargs)

    @classmethod
    def from_dict(  # type: ignore[override]  # the name of the argument is documented
        cls: type[Preprocessor], image_processor_dict: dict[str, Any], **kwargs: Any
    ) -> Preprocessor:
        """An image processor from the contents of a file; kwargs replace settings that exist."""
        values = dict(image_processor_dict)
        if "reduce_labels" in kwargs:
            values["reduce_labels"] = kwargs.pop("reduce_labels")
        return super().from_dict(values, **kwargs)  # type: ignore[misc]

    def prepare(self, images: Any, call: SimpleNamespace) -> BatchFeature:
        maps = call.segmentation_maps
        if maps is not None:
            maps = make_list_of_images(maps, expected_ndims=2)
            if not valid_images(maps):
                raise ValueError("Expected segmentation_maps as images: of Pillow, or arrays of (height, width).")
        result = super().prepare(images, call)
        if maps is not None:
            result["labels"] = [self.labels(segmentation_map, call) for segmentation_map in maps]
            result.convert_to_tensors(call.return_tensors)
        return result

    def labels(self, segmentation_map: Any, call: SimpleNamespace) -> np.ndarray:
        """The prepared map of one image, (height, width), int64."""
        array = to_numpy_array(segmentation_map)
        flat = array.ndim == 2
        if flat:
            array, place = array[None], ChannelDimension.FIRST
        else:
            place = infer_channel_dimension_format(array, num_channels=1)
        if call.do_reduce_labels:
            array = self.reduce_label(array)
        steps = SimpleNamespace(
            **{**vars(call), "do_rescale": False, "do_normalize": False, "input_data_format": place}
        )
        steps.resample = call.resample if self.maps_resample is None else self.maps_resample
        array = self.transform(array, steps)
        return (array[0] if flat else array).astype(np.int64)

    def reduce_label(self, label: Any) -> np.ndarray:
        """Labels with 0 as 255, and all others one less; 255 stays."""
        label = to_numpy_array(label)
        ignored = (label == _BACKGROUND) | (label == _IGNORED)
        return np.where(ignored, label.dtype.type(_IGNORED), label - (label != _BACKGROUND).astype(label.dtype))
