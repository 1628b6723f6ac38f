"""The tasks that `pipeline()` knows: plain data, so that listing them imports neither torch nor a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One task: where its pipeline class lives, which auto classes load its model, which model is its default."""

    pipeline: str  # "<module in isoform.pipelines>.<class>"
    models: tuple[str, ...]  # names of auto classes, tried in order
    default: dict[str, Any]  # framework -> (repository, revision)
    kind: str = "text"  # what has to be loaded beside the model: text, audio, image, video or multimodal
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The name of the module inside `isoform.pipelines`."""
        return self.pipeline.split(".")[0]

    @property
    def class_name(self) -> str:
        """The name of the pipeline class."""
        return self.pipeline.split(".")[1]


def _default(repository: str, revision: str) -> dict[str, Any]:
    return {"model": {"pt": (repository, revision)}}


TASKS: dict[str, Task] = {
    "feature-extraction": Task(
        "feature_extraction.FeatureExtractionPipeline",
        ("AutoModel",),
        _default("distilbert-base-cased", "935ac13"),
        kind="multimodal",
    ),
    "text-classification": Task(
        "text_classification.TextClassificationPipeline",
        ("AutoModelForSequenceClassification",),
        _default("distilbert-base-uncased-finetuned-sst-2-english", "af0f99b"),
    ),
    "token-classification": Task(
        "token_classification.TokenClassificationPipeline",
        ("AutoModelForTokenClassification",),
        _default("dbmdz/bert-large-cased-finetuned-conll03-english", "f2482bf"),
    ),
    "question-answering": Task(
        "question_answering.QuestionAnsweringPipeline",
        ("AutoModelForQuestionAnswering",),
        _default("distilbert-base-cased-distilled-squad", "626af31"),
    ),
    "text-generation": Task(
        "text_generation.TextGenerationPipeline",
        ("AutoModelForCausalLM",),
        _default("gpt2", "6c0e608"),
    ),
    "conversational": Task(
        "conversational.ConversationalPipeline",
        ("AutoModelForSeq2SeqLM", "AutoModelForCausalLM"),
        _default("microsoft/DialoGPT-medium", "8bada3b"),
    ),
    "zero-shot-classification": Task(
        "zero_shot_classification.ZeroShotClassificationPipeline",
        ("AutoModelForSequenceClassification",),
        _default("facebook/bart-large-mnli", "c626438"),
        extra={"config": {"pt": ("facebook/bart-large-mnli", "c626438")}},
    ),
}

TASK_ALIASES: dict[str, str] = {
    "sentiment-analysis": "text-classification",
    "ner": "token-classification",
}
