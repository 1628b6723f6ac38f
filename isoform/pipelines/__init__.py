"""Pipelines: from raw inputs to readable results in one call.

`pipeline("text-classification", model=…)` builds one. Names are imported when they are first used; importing this
package loads no framework.
"""

from __future__ import annotations

from typing import Any

from .. import registry as _names
from .factory import (
    MULTI_MODEL_CONFIGS,
    NO_FEATURE_EXTRACTOR_TASKS,
    NO_IMAGE_PROCESSOR_TASKS,
    NO_TOKENIZER_TASKS,
    check_task,
    get_supported_tasks,
    get_task,
    pipeline,
    pipeline_registry,
)
from .tasks import TASK_ALIASES, TASKS

__all__ = [
    "MULTI_MODEL_CONFIGS",
    "NO_FEATURE_EXTRACTOR_TASKS",
    "NO_IMAGE_PROCESSOR_TASKS",
    "NO_TOKENIZER_TASKS",
    "TASKS",
    "TASK_ALIASES",
    "check_task",
    "get_supported_tasks",
    "get_task",
    "pipeline",
]

# Module of this package -> names that the package exports from it, beside the pipeline class of each task.
_MODULES = {
    "base": "ArgumentHandler ChunkPipeline Pipeline PipelineException no_collate_fn pad_collate_fn",
    "conversational": "Conversation",
    "data_formats": "CsvPipelineDataFormat JsonPipelineDataFormat PipedPipelineDataFormat PipelineDataFormat",
    "loading": "clean_custom_task get_default_model_and_revision get_framework infer_framework_from_model "
    "infer_framework_load_model",
    "pt_utils": "KeyDataset KeyPairDataset",
    "question_answering": "QuestionAnsweringArgumentHandler",
    "registry": "PipelineRegistry",
    "text_generation": "ReturnType",
    "token_classification": "AggregationStrategy NerPipeline TokenClassificationArgumentHandler",
    "zero_shot_classification": "ZeroShotClassificationArgumentHandler",
}


def _exports() -> dict[str, _names.Export]:
    exports = {
        name: _names.Export(f"pipelines.{module}") for module, names in _MODULES.items() for name in names.split()
    }
    exports.update({task.class_name: _names.Export(f"pipelines.{task.module}") for task in TASKS.values()})
    return exports


_lazy_getattr, __dir__ = _names.lazy_namespace(__name__, _exports)


def __getattr__(name: str) -> Any:
    if name == "PIPELINE_REGISTRY":
        return pipeline_registry()
    if name == "SUPPORTED_TASKS":
        return pipeline_registry().supported_tasks
    return _lazy_getattr(name)
