"""Image segmentation: a mask for each thing, or each kind of thing, in an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from .image_inputs import ImagePipeline, given


class ImageSegmentationPipeline(ImagePipeline):
    """Segments images: panoptic, instance or semantic, whichever the image processor of the model offers first.

    Task: "image-segmentation".

    Args:
        subtask: "panoptic", "instance" or "semantic".
        threshold: Segments below this probability are dropped (default 0.9; not for semantic).
        mask_threshold: What makes a pixel part of a mask (default 0.5; not for semantic).
        overlap_mask_area_threshold: Parts of masks smaller than this share of their mask are dropped (default 0.5; not
            for semantic).
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto import modeling_auto

        supported: dict[Any, Any] = {}
        for task in ("IMAGE", "SEMANTIC", "INSTANCE", "UNIVERSAL"):
            mapping = getattr(modeling_auto, f"MODEL_FOR_{task}_SEGMENTATION_MAPPING")
            supported.update({(task, kind): names for kind, names in mapping._model_mapping.items()})
        self.check_model_type(supported)

    def _sanitize_parameters(
        self,
        subtask: str | None = None,
        threshold: float | None = None,
        mask_threshold: float | None = None,
        overlap_mask_area_threshold: float | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        postprocess_params = given(
            subtask=subtask,
            threshold=threshold,
            mask_threshold=mask_threshold,
            overlap_mask_area_threshold=overlap_mask_area_threshold,
        )
        return given(subtask=subtask, timeout=timeout), {}, postprocess_params

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        """Segment.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image a list of `{"score", "label", "mask"}`: the mask is a PIL image of mode "L" as large as the
            image, 255 where the segment is and 0 elsewhere; the score is None for semantic segmentation.
        """
        return super().__call__(images, **kwargs)

    def _prepare(self, images: list[Any], subtask: str | None = None) -> Any:  # type: ignore[override]
        options = {}
        if type(self.model.config).__name__ == "OneFormerConfig":
            options["task_inputs"] = [subtask or self.model.config.task] * len(images)
        inputs = super()._prepare(images, **options)
        if "task_inputs" in inputs:
            inputs["task_inputs"] = self.tokenizer(
                inputs["task_inputs"],
                padding="max_length",
                max_length=self.model.config.task_seq_len,
                return_tensors=self.framework,
            )["input_ids"]
        inputs["target_size"] = [(image.height, image.width) for image in images]
        return inputs

    def _forward(self, model_inputs: Any) -> Any:
        target_size = model_inputs.pop("target_size")
        outputs = self.model(**model_inputs)
        outputs["target_size"] = target_size
        return outputs

    def postprocess(
        self,
        model_outputs: Any,
        subtask: str | None = None,
        threshold: float = 0.9,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.5,
    ) -> list[dict[str, Any]]:
        sizes = model_outputs["target_size"]
        for kind in ("panoptic", "instance"):
            post_process = getattr(self.image_processor, f"post_process_{kind}_segmentation", None)
            if subtask in (kind, None) and post_process is not None:
                found = post_process(
                    model_outputs,
                    threshold=threshold,
                    mask_threshold=mask_threshold,
                    overlap_mask_area_threshold=overlap_mask_area_threshold,
                    target_sizes=sizes,
                )[0]
                return [
                    self._segment(found["segmentation"] == info["id"], info["label_id"], info["score"])
                    for info in found["segments_info"]
                ]
        post_process = getattr(self.image_processor, "post_process_semantic_segmentation", None)
        if subtask in ("semantic", None) and post_process is not None:
            classes = np.asarray(post_process(model_outputs, target_sizes=sizes)[0])
            return [self._segment(classes == label, label, None) for label in np.unique(classes)]
        raise ValueError(f"Subtask {subtask} is not supported for model {type(self.model)}")

    def _segment(self, mask: Any, label: int, score: float | None) -> dict[str, Any]:
        from PIL import Image

        picture = Image.fromarray(np.asarray(mask).astype(np.uint8) * 255)
        return {"score": score, "label": self.model.config.id2label[int(label)], "mask": picture}
