"""Which pipeline class serves which task, including those that users register."""

from __future__ import annotations

import difflib
import warnings
from typing import Any


class PipelineRegistry:
    """The supported tasks and their aliases.

    Args:
        supported_tasks: Task -> `{"impl": pipeline class, "pt": auto classes, "tf": (), "default": …, "type": …}`.
        task_aliases: Other name -> task.
    """

    def __init__(self, supported_tasks: dict[str, Any], task_aliases: dict[str, str]) -> None:
        self.supported_tasks, self.task_aliases = supported_tasks, task_aliases

    def get_supported_tasks(self) -> list[str]:
        """The names of all tasks and aliases, sorted."""
        return sorted([*self.supported_tasks, *self.task_aliases])

    def check_task(self, task: str) -> tuple[str, dict[str, Any], Any]:
        """The task's own name, its entry, and its options (the two languages of `translation_XX_to_YY`).

        Raises:
            KeyError: there is no such task.
        """
        task = self.task_aliases.get(task, task)
        if task in self.supported_tasks:
            return task, self.supported_tasks[task], None
        if task.startswith("translation"):
            parts = task.split("_")
            if len(parts) != 4 or parts[2] != "to":
                raise KeyError(f"Invalid translation task {task}, use 'translation_XX_to_YY' format")
            if "translation" in self.supported_tasks:
                return "translation", self.supported_tasks["translation"], (parts[1], parts[3])
        available = [*self.get_supported_tasks(), "translation_XX_to_YY"]
        similar = difflib.get_close_matches(task, available, n=1)
        hint = f"did you mean {similar[0]!r}? " if similar else ""
        raise KeyError(f"Unknown task {task}, {hint}available tasks are {available}")

    def register_pipeline(
        self,
        task: str,
        pipeline_class: type,
        pt_model: type | tuple[type, ...] | None = None,
        tf_model: type | tuple[type, ...] | None = None,
        default: dict[str, Any] | None = None,
        type: str | None = None,
    ) -> None:
        """Add a task, or replace one (with a warning).

        Args:
            pt_model: The class, or classes to try in turn, whose `from_pretrained` loads its model.
            tf_model: The same for TensorFlow.
            default: The default model: `{"pt": (repository, revision)}`.
            type: What is loaded beside the model: "text", "audio", "image" or "multimodal".
        """
        if task in self.supported_tasks:
            warnings.warn(f"The task {task} is already registered: its pipeline is replaced.", stacklevel=2)
        entry: dict[str, Any] = {"impl": pipeline_class, "pt": _classes(pt_model), "tf": _classes(tf_model)}
        if default is not None:
            entry["default"] = default if "model" in default or not {"pt", "tf"} & set(default) else {"model": default}
        if type is not None:
            entry["type"] = type
        self.supported_tasks[task] = entry
        pipeline_class._registered_impl = {task: entry}  # type: ignore[attr-defined]

    def to_dict(self) -> dict[str, Any]:
        """The table of supported tasks."""
        return self.supported_tasks


def _classes(models: Any) -> tuple[type, ...]:
    if models is None:
        return ()
    return models if isinstance(models, tuple) else (models,)
