"""Image classification: the likeliest labels of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from .image_inputs import ImagePipeline, given
from .text_classification import ClassificationFunction
from .text_inputs import sigmoid, softmax


class ImageClassificationPipeline(ImagePipeline):
    """Classifies images with a model that has an image classification head.

    Task: "image-classification".

    Args:
        top_k: How many labels to return (default 5), best first.
        function_to_apply: What makes scores of logits: "softmax" (the default), "sigmoid" or "none".
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING

        self.check_model_type(MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING)

    def _sanitize_parameters(
        self,
        top_k: int | None = None,
        function_to_apply: str | ClassificationFunction | None = None,
        timeout: float | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if isinstance(function_to_apply, str):
            function_to_apply = ClassificationFunction(function_to_apply.lower())
        return given(timeout=timeout), {}, given(top_k=top_k, function_to_apply=function_to_apply)

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        """Classify.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image a list of `{"score", "label"}`, best first.
        """
        return super().__call__(images, **kwargs)

    def _forward(self, model_inputs: Any) -> Any:
        return self.model(**model_inputs)

    def postprocess(
        self,
        model_outputs: Any,
        top_k: int = 5,
        function_to_apply: ClassificationFunction = ClassificationFunction.SOFTMAX,
    ) -> list[dict[str, Any]]:
        logits = model_outputs["logits"][0].float().numpy()
        functions = {ClassificationFunction.SOFTMAX: softmax, ClassificationFunction.SIGMOID: sigmoid}
        return ranked(functions.get(function_to_apply, np.asarray)(logits), self.model.config.id2label, top_k)


def ranked(scores: np.ndarray, labels: Any, top_k: int | None = None) -> list[dict[str, Any]]:
    """`{"score", "label"}` for the `top_k` highest scores (None for all), best first."""
    order = np.argsort(-scores, kind="stable")[:top_k]
    return [{"score": float(scores[index]), "label": labels[int(index)]} for index in order]
