"""Feature extraction: the hidden states of a model without a head."""

from __future__ import annotations

from typing import Any

from .base import Pipeline, accepts
from .text_inputs import tokenize_many


class FeatureExtractionPipeline(Pipeline):
    """Returns the last hidden states, one vector per token.

    Task: "feature-extraction".

    Args:
        tokenize_kwargs: Arguments for the tokenizer.
        truncation: Shorthand for the tokenizer's argument of that name.
        return_tensors: Return a tensor `(1, tokens, hidden)` instead of nested lists.
    """

    outputs_per_token = True

    def _sanitize_parameters(
        self,
        truncation: bool | str | None = None,
        tokenize_kwargs: dict[str, Any] | None = None,
        return_tensors: bool | None = None,
        **kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        tokenize_kwargs = dict(tokenize_kwargs or {})
        if truncation is not None:
            if "truncation" in tokenize_kwargs:
                raise ValueError("`truncation` is given twice, as an argument and in `tokenize_kwargs`: give it once")
            tokenize_kwargs["truncation"] = truncation
        return tokenize_kwargs, {}, {} if return_tensors is None else {"return_tensors": return_tensors}

    def preprocess(self, inputs: Any, **tokenize_kwargs: Any) -> Any:
        return self.tokenizer(inputs, return_tensors=self.framework, **tokenize_kwargs)

    def preprocess_batch(self, inputs: list[Any], **tokenize_kwargs: Any) -> list[list[Any]]:
        if all(isinstance(item, str) for item in inputs) and not tokenize_kwargs.get("padding"):
            return [[row] for row in tokenize_many(self.tokenizer, inputs, **tokenize_kwargs)]
        return [[self.preprocess(item, **tokenize_kwargs)] for item in inputs]

    def _forward(self, model_inputs: Any) -> Any:
        if accepts(self.model, "use_cache"):
            model_inputs["use_cache"] = False
        return self.model(**model_inputs)

    def postprocess(self, model_outputs: Any, return_tensors: bool = False) -> Any:
        # The first output alone: the hidden states.
        features = model_outputs[0] if not isinstance(model_outputs, dict) else next(iter(model_outputs.values()))
        return features if return_tensors else features.tolist()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Extract features.

        Args:
            inputs: A text or several.

        Returns:
            For each text a nested list, `(1, tokens, hidden)`.
        """
        return super().__call__(*args, **kwargs)
