"""Text classification: a label, or a score for each label, for a text or a pair of texts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..utils.generic import ExplicitEnum
from .base import Pipeline, accepts
from .text_inputs import sigmoid, softmax, tokenize_many


class ClassificationFunction(ExplicitEnum):
    """What turns logits into scores."""

    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"
    NONE = "none"


class TextClassificationPipeline(Pipeline):
    """Classifies texts with a model that has a sequence classification head.

    Task: "text-classification", alias "sentiment-analysis".

    Args:
        function_to_apply: "sigmoid", "softmax" or "none" (raw logits). By default what the configuration says; else
            sigmoid for regression and multi-label models, softmax for several labels.
        top_k: How many labels to return, best first; None for all. When not given, only the best one is returned, and
            not wrapped in a list of its own.
        return_all_scores: Old form of `top_k=None`, without sorting.

    Further keyword arguments go to the tokenizer (`truncation`, `max_length`, …).
    """

    return_all_scores = False
    function_to_apply = ClassificationFunction.NONE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

        self.check_model_type(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING)

    def _sanitize_parameters(
        self,
        return_all_scores: bool | None = None,
        function_to_apply: str | ClassificationFunction | None = None,
        top_k: int | str | None = "",
        **tokenizer_kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        options: dict[str, Any] = {}
        if return_all_scores is None:
            return_all_scores = getattr(self.model.config, "return_all_scores", None)
        if isinstance(top_k, int) or top_k is None:
            options.update(top_k=top_k, _legacy=False)
        elif return_all_scores is not None:
            replacement = "None" if return_all_scores else "1"
            warnings.warn(
                f"`return_all_scores={return_all_scores}` is deprecated: pass `top_k={replacement}`, which means "
                "the same.",
                UserWarning,
                stacklevel=2,
            )
            options["top_k"] = None if return_all_scores else 1
        if isinstance(function_to_apply, str) and not isinstance(function_to_apply, ClassificationFunction):
            function_to_apply = ClassificationFunction[function_to_apply.upper()]
        if function_to_apply is not None:
            options["function_to_apply"] = function_to_apply
        return tokenizer_kwargs, {}, options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Classify.

        Args:
            inputs: A text, a pair `{"text": …, "text_pair": …}`, or many of these.

        Returns:
            For each input `{"label", "score"}`, or a list of these where `top_k` was given. A single text gives a list
            too.
        """
        result = super().__call__(*args, **kwargs)
        flat = "top_k" not in kwargs
        return [result] if args and isinstance(args[0], str) and flat else result

    def preprocess(self, inputs: Any, **tokenizer_kwargs: Any) -> Any:
        if isinstance(inputs, dict):
            return self.tokenizer(**inputs, return_tensors=self.framework, **tokenizer_kwargs)
        if isinstance(inputs, list):
            return self._preprocess_legacy_pair(inputs, tokenizer_kwargs)
        return self.tokenizer(inputs, return_tensors=self.framework, **tokenizer_kwargs)

    def _preprocess_legacy_pair(self, inputs: list[Any], tokenizer_kwargs: dict[str, Any]) -> Any:
        """`[[text, pair]]`, which old versions took."""
        if len(inputs) == 1 and isinstance(inputs[0], list) and len(inputs[0]) == 2:
            text, pair = inputs[0]
            return self.tokenizer(text=text, text_pair=pair, return_tensors=self.framework, **tokenizer_kwargs)
        raise ValueError(
            "expected a text, a list of texts, or for pairs a dictionary with the keys `text` and `text_pair`"
        )

    def preprocess_batch(self, inputs: list[Any], **tokenizer_kwargs: Any) -> list[list[Any]]:
        if all(isinstance(item, str) for item in inputs) and not tokenizer_kwargs.get("padding"):
            return [[row] for row in tokenize_many(self.tokenizer, inputs, **tokenizer_kwargs)]
        return [[self.preprocess(item, **tokenizer_kwargs)] for item in inputs]

    def _forward(self, model_inputs: Any) -> Any:
        if accepts(self.model, "use_cache"):
            model_inputs["use_cache"] = False
        return self.model(**model_inputs)

    def postprocess(
        self,
        model_outputs: Any,
        function_to_apply: ClassificationFunction | None = None,
        top_k: int | None = 1,
        _legacy: bool = True,
    ) -> Any:
        scores = self._scores(model_outputs["logits"][0].float().numpy(), function_to_apply)
        labels = self.model.config.id2label
        if top_k == 1 and _legacy:
            best = int(scores.argmax())
            return {"label": labels[best], "score": float(scores[best])}
        results = [{"label": labels[index], "score": float(score)} for index, score in enumerate(scores)]
        if not _legacy:
            results.sort(key=lambda result: result["score"], reverse=True)
            results = results if top_k is None else results[:top_k]
        return results

    def _scores(self, logits: np.ndarray, function: ClassificationFunction | None) -> np.ndarray:
        function = function or self._default_function()
        if function == ClassificationFunction.SIGMOID:
            return sigmoid(logits)
        if function == ClassificationFunction.SOFTMAX:
            return softmax(logits)
        if function == ClassificationFunction.NONE:
            return logits
        raise ValueError(f"Unrecognized `function_to_apply` argument: {function}")

    def _default_function(self) -> ClassificationFunction:
        config = self.model.config
        if config.problem_type == "multi_label_classification" or config.num_labels == 1:
            return ClassificationFunction.SIGMOID
        if config.problem_type == "single_label_classification" or config.num_labels > 1:
            return ClassificationFunction.SOFTMAX
        return getattr(config, "function_to_apply", None) or ClassificationFunction.NONE

    def _batch_limit(self) -> int | None:
        # Decoders find the last token of each row by the padding that follows it.
        return 1 if getattr(self.model.config, "pad_token_id", None) is None else None
