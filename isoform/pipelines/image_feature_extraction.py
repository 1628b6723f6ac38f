"""Image feature extraction: the hidden states of a vision model without a head."""

from __future__ import annotations

from typing import Any

from .image_inputs import ImagePipeline, given


class ImageFeatureExtractionPipeline(ImagePipeline):
    """Returns the last hidden states, one vector for each patch (or place of the feature map), or the pooled vector.

    Task: "image-feature-extraction".

    Args:
        image_processor_kwargs: Arguments for the image processor.
        pool: Return the model's pooled output instead of the hidden states.
        return_tensors: Return a tensor instead of nested lists.
        timeout: Seconds to wait for images that are given as URLs.
    """

    def _sanitize_parameters(
        self,
        image_processor_kwargs: dict[str, Any] | None = None,
        return_tensors: bool | None = None,
        pool: bool | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess_params = {**(image_processor_kwargs or {}), **given(timeout=timeout)}
        return preprocess_params, {}, given(pool=pool, return_tensors=return_tensors)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Extract features.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image a nested list, `(1, patches, hidden)`; `(1, hidden)` with `pool`.
        """
        return super().__call__(*args, **kwargs)

    def _forward(self, model_inputs: Any) -> Any:
        return self.model(**model_inputs)

    def postprocess(self, model_outputs: Any, pool: bool = False, return_tensors: bool = False) -> Any:
        if pool and "pooler_output" not in model_outputs:
            raise ValueError("pool=True needs a model with a pooled output (`pooler_output`), which this one lacks")
        features = model_outputs["pooler_output"] if pool else next(iter(model_outputs.values()))
        return features if return_tensors else features.tolist()
