"""Zero-shot image classification: which of the given labels fits an image best."""

from __future__ import annotations

from typing import Any

from .image_inputs import ImagePipeline, given
from .zero_shot_inputs import first_of_batch, label_texts, parse_labels, sorted_scores


class ZeroShotImageClassificationPipeline(ImagePipeline):
    """Compares images with sentences made of labels, by a model of images and texts such as CLIP.

    Task: "zero-shot-image-classification".

    Args:
        candidate_labels: The labels: a list, or one string with commas between them.
        hypothesis_template: The sentence; `{}` stands for the label (default "This is a photo of {}.").
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING

        self.check_model_type(MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING)

    def _sanitize_parameters(
        self,
        candidate_labels: Any = None,
        timeout: float | None = None,
        hypothesis_template: str | None = None,
        **kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        labels = None if candidate_labels is None else parse_labels(candidate_labels)
        return given(candidate_labels=labels, timeout=timeout, hypothesis_template=hypothesis_template), {}, {}

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        """Classify.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.
            candidate_labels: The labels to choose from.

        Returns:
            For each image a list of `{"score", "label"}`, best first; the scores sum to one.
        """
        return super().__call__(images, **kwargs)

    def _prepare(  # type: ignore[override]
        self, images: list[Any], candidate_labels: Any = None, hypothesis_template: str = "This is a photo of {}."
    ) -> Any:
        inputs = super()._prepare(images)
        labels = parse_labels(candidate_labels or [])
        inputs["candidate_labels"] = [labels] * len(images)
        inputs["text_inputs"] = [label_texts(self.tokenizer, labels, hypothesis_template)] * len(images)
        return inputs

    def _forward(self, model_inputs: Any) -> dict[str, Any]:
        inputs = dict(model_inputs)
        labels, texts = inputs.pop("candidate_labels"), first_of_batch(inputs.pop("text_inputs"))
        return {"candidate_labels": labels, "logits": self.model(**texts, **inputs).logits_per_image}

    def postprocess(self, model_outputs: dict[str, Any]) -> list[dict[str, Any]]:
        return sorted_scores(model_outputs["candidate_labels"][0], model_outputs["logits"][0])
