"""Examples and features of known tasks."""

from .glue import glue_convert_examples_to_features, glue_output_modes, glue_processors, glue_tasks_num_labels
from .squad import (
    SquadExample,
    SquadFeatures,
    SquadV1Processor,
    SquadV2Processor,
    squad_convert_examples_to_features,
)
from .utils import DataProcessor, InputExample, InputFeatures, SingleSentenceClassificationProcessor
from .xnli import xnli_output_modes, xnli_processors, xnli_tasks_num_labels

__all__ = [
    "DataProcessor",
    "InputExample",
    "InputFeatures",
    "SingleSentenceClassificationProcessor",
    "SquadExample",
    "SquadFeatures",
    "SquadV1Processor",
    "SquadV2Processor",
    "glue_convert_examples_to_features",
    "glue_output_modes",
    "glue_processors",
    "glue_tasks_num_labels",
    "squad_convert_examples_to_features",
    "xnli_output_modes",
    "xnli_processors",
    "xnli_tasks_num_labels",
]
