"""The reference's model cards and metadata, for tests/test_modelcard.py.

python tests/golden/make_modelcard.py        # in an environment with torch==2.13.0 transformers==4.36.2
"""

from __future__ import annotations

import importlib
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ANSWERS = Path(__file__).parent / "modelcard.json"

LOG = [
    {"loss": 1.0, "learning_rate": 0.1, "epoch": 1.0, "step": 10},
    {
        "eval_loss": 0.9,
        "eval_accuracy": 0.8,
        "eval_runtime": 1.2,
        "eval_steps_per_second": 1.0,
        "epoch": 1.0,
        "step": 10,
    },
    {"loss": 0.512345678, "epoch": 2.0, "step": 20},
    {"eval_loss": 0.7, "eval_accuracy": 0.85, "epoch": 2.0, "step": 20},
    {"train_runtime": 3.0, "train_loss": 0.7, "epoch": 2.0, "step": 20, "total_flos": 3.0},
]
KERAS = [{"epoch": 0, "loss": 1.5, "val_loss": 1.25}, {"epoch": 1, "loss": 1.0, "val_loss": 0.75}]
SUMMARIES = {
    "full": {
        "model_name": "my-model", "language": "en", "license": "mit", "tags": "t1", "finetuned_from": "gpt2",
        "tasks": "text-generation", "dataset": "imdb", "dataset_tags": "imdb", "dataset_args": "plain",
        "eval_results": {"Loss": 0.7, "Accuracy": 0.85},
        "eval_lines": [{"Training Loss": 1.0, "Epoch": 1.0, "Accuracy": 0.12345678}],
        "hyperparameters": {"learning_rate": 0.1, "optimizer": "Adam"},
    },
    "bare": {"model_name": "my-model"},
    "several": {
        "model_name": "m", "tasks": ["text-classification", "fill-mask"], "dataset_tags": ["imdb", "glue"],
        "dataset_args": ["a", "b"], "dataset": ["X", "Y"], "eval_results": {"Loss": 0.5, "Rouge1": 0.25, "F1": 1},
        "source": "keras", "eval_lines": [{"a": 1}], "dataset_metadata": [{"config": "c"}, {"split": "s"}],
    },
    "no task": {"model_name": "m", "dataset_tags": "imdb", "eval_results": {"Accuracy": 0.5}},
}  # fmt: skip


class Arguments(SimpleNamespace):
    """What of TrainingArguments a card shows."""

    def __init__(self, **changes: Any) -> None:
        defaults = {
            "learning_rate": 0.1,
            "train_batch_size": 8,
            "eval_batch_size": 4,
            "seed": 1,
            "gradient_accumulation_steps": 1,
            "adafactor": False,
            "adam_beta1": 0.9,
            "adam_beta2": 0.99,
            "adam_epsilon": 1e-8,
            "lr_scheduler_type": SimpleNamespace(value="linear"),
            "warmup_ratio": 0.0,
            "warmup_steps": 0,
            "max_steps": -1,
            "num_train_epochs": 3,
            "fp16": False,
            "label_smoothing_factor": 0.0,
        }
        names = list(defaults)
        defaults.update(parallel_mode=None, world_size=1, use_cuda_amp=False)
        super().__init__(**{**defaults, **changes})
        self._names = names

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._names}


def body(card: str) -> str:
    """A card without the remark on who wrote it, and without versions."""
    card = re.sub(r"<!--.*?-->", "", card, flags=re.DOTALL)
    return card.partition("### Framework versions")[0]


def parallel_mode(library: str) -> Any:
    """The mode of a run on one device, which the reference recognises by identity."""
    if library == "transformers":
        return importlib.import_module("transformers.training_args").ParallelMode.NOT_PARALLEL
    return SimpleNamespace(value="not_parallel")


def run(library: str) -> dict[str, Any]:
    cards = importlib.import_module(f"{library}.modelcard")
    summaries = {name: cards.TrainingSummary(**values) for name, values in SUMMARIES.items()}
    return {
        "cards": {name: body(summary.to_model_card()) for name, summary in summaries.items()},
        "metadata": {name: summary.create_metadata() for name, summary in summaries.items()},
        "log": list(cards.parse_log_history(LOG)),
        "log of evaluation": list(cards.parse_log_history([{"eval_loss": 1.0, "epoch": 1}])),
        "log of nothing": list(cards.parse_log_history([{"loss": 1.0}])),
        "keras": list(cards.parse_keras_history(KERAS)),
        "keras object": list(
            cards.parse_keras_history(SimpleNamespace(history={"loss": [1.5], "val_loss": [1.0]}, epoch=[0]))
        ),
        "tags": cards.infer_metric_tags_from_eval_results({"Rouge1": 1, "accuracy": 2, "F1 x": 3, "Wer": 3}),
        "settings": [
            cards.extract_hyperparameters_from_trainer(SimpleNamespace(args=Arguments(**changes)))
            for changes in (
                {"parallel_mode": parallel_mode(library)},
                {
                    "gradient_accumulation_steps": 4,
                    "warmup_ratio": 0.1,
                    "warmup_steps": 5,
                    "max_steps": 7,
                    "parallel_mode": SimpleNamespace(value="tpu"),
                },
                {
                    "world_size": 2,
                    "parallel_mode": SimpleNamespace(value="tpu"),
                    "adafactor": True,
                    "label_smoothing_factor": 0.1,
                },
            )
        ],
    }


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    ANSWERS.write_text(json.dumps(run("transformers"), indent=1) + "\n")
    print(f"wrote {ANSWERS}")
