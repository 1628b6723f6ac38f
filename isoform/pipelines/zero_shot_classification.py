"""Zero-shot classification: an entailment model judges, for each label, whether the text implies it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..utils import logging
from .base import ArgumentHandler, ChunkPipeline, accepts
from .text_inputs import softmax, tokenize_many

logger = logging.get_logger(__name__)


class ZeroShotClassificationArgumentHandler(ArgumentHandler):
    """All pairs of a sequence and a hypothesis, and the list of sequences."""

    def _parse_labels(self, labels: str | list[str]) -> list[str]:
        if isinstance(labels, str):
            return [label.strip() for label in labels.split(",") if label.strip()]
        return labels

    def __call__(
        self, sequences: str | list[str], labels: list[str], hypothesis_template: str
    ) -> tuple[list[list[str]], list[str]]:
        if len(labels) == 0 or len(sequences) == 0:
            raise ValueError("Nothing to classify: pass one label and one sequence at least.")
        if hypothesis_template.format(labels[0]) == hypothesis_template:
            raise ValueError(
                f"hypothesis_template ({hypothesis_template!r}) has no place for the label: it must contain {{}}."
            )
        sequences = [sequences] if isinstance(sequences, str) else sequences
        pairs = [[sequence, hypothesis_template.format(label)] for sequence in sequences for label in labels]
        return pairs, sequences


_ARGUMENTS = ZeroShotClassificationArgumentHandler()


class ZeroShotClassificationPipeline(ChunkPipeline):
    """Scores labels that are given in the call, with a model trained on natural language inference.

    Task: "zero-shot-classification".

    Args:
        candidate_labels: A list of labels, or one string with commas between them.
        hypothesis_template: The sentence whose entailment is judged; `{}` stands for the label.
        multi_label: Score each label on its own (entailment against contradiction), so that several may be true;
            otherwise the scores of all labels sum to one.
    """

    def __init__(self, args_parser: Any = _ARGUMENTS, *args: Any, **kwargs: Any) -> None:
        self._args_parser = args_parser
        super().__init__(*args, **kwargs)
        if self.entailment_id == -1:
            logger.warning(
                "No label of the model is called 'entailment' (config.label2id): taking the last one. Name the "
                "labels in the config to be sure."
            )

    @property
    def entailment_id(self) -> int:
        """The index of the label that begins with "entail", -1 if there is none."""
        for label, index in self.model.config.label2id.items():
            if label.lower().startswith("entail"):
                return index
        return -1

    def _parse_and_tokenize(
        self,
        sequence_pairs: Any,
        padding: bool = True,
        add_special_tokens: bool = True,
        truncation: Any = "only_first",
        **kwargs: Any,
    ) -> Any:
        """Tokenize pairs of sequence and hypothesis; only the sequence is truncated, if anything is."""
        self._ensure_pad_token()
        options = {"add_special_tokens": add_special_tokens, "return_tensors": self.framework, "padding": padding}
        try:
            return self.tokenizer(sequence_pairs, truncation=truncation, **options)
        except Exception as error:
            if "too short" not in str(error):
                raise
            # The sequence is shorter than what would have to be cut from it.
            return self.tokenizer(sequence_pairs, truncation="do_not_truncate", **options)

    def _ensure_pad_token(self) -> None:
        if self.tokenizer.pad_token is None:
            logger.error(
                "The tokenizer has no padding token, which zero-shot classification needs: padding with `eos_token`"
            )
            self.tokenizer.pad_token = self.tokenizer.eos_token

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if kwargs.get("multi_class") is not None:
            kwargs["multi_label"] = kwargs["multi_class"]
            logger.warning("`multi_class` is deprecated: pass `multi_label`, its new name.")
        preprocess_params: dict[str, Any] = {}
        if "candidate_labels" in kwargs:
            preprocess_params["candidate_labels"] = self._args_parser._parse_labels(kwargs["candidate_labels"])
        if "hypothesis_template" in kwargs:
            preprocess_params["hypothesis_template"] = kwargs["hypothesis_template"]
        return preprocess_params, {}, {"multi_label": kwargs["multi_label"]} if "multi_label" in kwargs else {}

    def __call__(self, sequences: str | list[str], *args: Any, **kwargs: Any) -> Any:
        """Score labels.

        Args:
            sequences: A text or several.
            candidate_labels: The labels; may be the second positional argument.

        Returns:
            For each text `{"sequence", "labels", "scores"}`, labels sorted by score.
        """
        if len(args) > 1:
            raise ValueError(f"Unable to understand extra arguments {args}")
        if args and "candidate_labels" not in kwargs:
            kwargs["candidate_labels"] = args[0]
        return super().__call__(sequences, **kwargs)

    def preprocess(
        self, inputs: str, candidate_labels: Any = None, hypothesis_template: str = "This example is {}."
    ) -> Iterator[dict[str, Any]]:
        pairs, sequences = self._args_parser(inputs, candidate_labels, hypothesis_template)
        for index, (label, pair) in enumerate(zip(candidate_labels, pairs)):
            model_input = self._parse_and_tokenize([pair])
            yield {
                "candidate_label": label,
                "sequence": sequences[0],
                "is_last": index == len(candidate_labels) - 1,
                **model_input,
            }

    def preprocess_batch(
        self, inputs: list[Any], candidate_labels: Any = None, hypothesis_template: str = "This example is {}."
    ) -> list[list[Any]]:
        params = {"candidate_labels": candidate_labels, "hypothesis_template": hypothesis_template}
        if not self.tokenizer.is_fast or not all(isinstance(text, str) for text in inputs):
            return super().preprocess_batch(inputs, **params)
        self._ensure_pad_token()
        pairs = [pair for text in inputs for pair in self._args_parser(text, candidate_labels, hypothesis_template)[0]]
        texts, hypotheses = (list(column) for column in zip(*pairs))
        try:
            rows = iter(tokenize_many(self.tokenizer, texts, hypotheses, truncation="only_first"))
        except Exception as error:
            if "too short" not in str(error):
                raise
            return super().preprocess_batch(inputs, **params)  # some pairs cannot be truncated: treat each by itself
        last = len(candidate_labels) - 1
        return [
            [
                {"candidate_label": label, "sequence": text, "is_last": index == last, **next(rows)}
                for index, label in enumerate(candidate_labels)
            ]
            for text in inputs
        ]

    def _forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        kept = {key: inputs[key] for key in ("candidate_label", "sequence", "is_last")}
        model_inputs = {key: inputs[key] for key in self.tokenizer.model_input_names if key in inputs}
        if accepts(self.model, "use_cache"):
            model_inputs["use_cache"] = False
        return {**kept, "logits": self.model(**model_inputs)["logits"]}

    def postprocess(self, model_outputs: list[dict[str, Any]], multi_label: bool = False) -> dict[str, Any]:
        labels = [output["candidate_label"] for output in model_outputs]
        logits = np.concatenate([output["logits"].float().numpy() for output in model_outputs])
        if multi_label or len(labels) == 1:
            contradiction = -1 if self.entailment_id == 0 else 0
            scores = softmax(logits[:, [contradiction, self.entailment_id]])[:, 1]
        else:
            scores = softmax(logits[:, self.entailment_id])
        order = scores.argsort()[::-1]
        return {
            "sequence": model_outputs[0]["sequence"],
            "labels": [labels[index] for index in order],
            "scores": scores[order].tolist(),
        }

    def _batch_limit(self) -> int | None:
        # Decoders find the last token of each row by the padding that follows it.
        return 1 if getattr(self.model.config, "pad_token_id", None) is None else None
