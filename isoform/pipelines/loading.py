"""From names to models: default checkpoints, classes to try, and pipelines that a repository brings itself."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Iterable
from typing import Any

from ..utils import logging

logger = logging.get_logger(__name__)


def infer_framework_load_model(
    model: Any,
    config: Any,
    model_classes: dict[str, tuple[type, ...]] | None = None,
    task: str | None = None,
    framework: str | None = None,
    **model_kwargs: Any,
) -> tuple[str, Any]:
    """Load `model`, if it is a name, with the first class that can: those given, then those that its config names.

    Args:
        model: A name or path, or a model, which is returned as it is.
        config: Its configuration.
        model_classes: Framework -> classes, for example `{"pt": (AutoModelForCausalLM,)}`.
        task: Only for messages.
        framework: "pt" or None.
        model_kwargs: Arguments of `from_pretrained`.

    Returns:
        The framework ("pt") and the model.

    Raises:
        ValueError: no class could load it; the message holds the reason of each.
    """
    if isinstance(model, str):
        model = _load_first(model, config, (model_classes or {}).get("pt") or (), model_kwargs)
    return infer_framework_from_model(model, model_classes, task=task, framework=framework)


def _load_first(name: str, config: Any, classes: Iterable[Any], model_kwargs: dict[str, Any]) -> Any:
    import isoform

    named = (getattr(isoform, name, None) for name in getattr(config, "architectures", None) or ())
    candidates = list(dict.fromkeys(candidate for candidate in (*classes, *named) if candidate is not None))
    if not candidates:
        raise ValueError(
            f"{name}: its config names no class of isoform (`architectures`), and the task has none that fits"
        )
    reasons = []
    for model_class in candidates:
        try:
            return model_class.from_pretrained(name, config=config, **model_kwargs).eval()
        except (OSError, ValueError) as error:
            reasons.append(f"{model_class.__name__}: {error}")
            last = error
    listed = "\n".join(reasons)
    names = tuple(candidate.__name__ for candidate in candidates)
    raise ValueError(f"{name} could not be loaded by any of {names}.\n{listed}") from last


def infer_framework_from_model(
    model: Any,
    model_classes: dict[str, tuple[type, ...]] | None = None,
    task: str | None = None,
    framework: str | None = None,
    **model_kwargs: Any,
) -> tuple[str, Any]:
    """The framework of a model, and the model, loaded first if it is a name (`model_kwargs` then needs `config`)."""
    if isinstance(model, str):
        return infer_framework_load_model(
            model, model_classes=model_classes, task=task, framework=framework, **model_kwargs
        )
    if framework not in (None, "pt"):
        raise ValueError(f"framework must be 'pt' (PyTorch), found {framework!r}")
    return "pt", model


def get_framework(model: Any, revision: str | None = None) -> str:
    """The framework of a model, or of the checkpoint of that name: "pt"."""
    return "pt"


def get_default_model_and_revision(
    targeted_task: dict[str, Any], framework: str | None, task_options: Any | None
) -> tuple[str, str]:
    """The repository and revision that a task uses when no model is named.

    Args:
        targeted_task: The entry of the task in the registry.
        framework: "pt" (or None, which means the same).
        task_options: The pair of languages of a translation task.

    Raises:
        ValueError: the task has no default, or none for these options.
    """
    defaults = targeted_task.get("default") or {}
    if task_options:
        if task_options not in defaults:
            raise ValueError(f"The task has no default models for options {task_options}: name the model")
        chosen = defaults[task_options]["model"]
    elif "model" in defaults:
        chosen = defaults["model"]
    else:
        raise ValueError(
            "The task has one default model per pair of languages: write it as translation_XX_to_YY, "
            "for instance translation_en_to_fr"
        )
    return chosen[framework or "pt"]


def load_ctc_decoder(name: str, revision: Any = None, token: Any = None) -> Any:
    """The beam search decoder, with its language model, that is stored beside a CTC model; None (and a warning) without
    the package pyctcdecode.

    Args:
        name: A folder, or a repository of the Hub.
    """
    try:
        from pyctcdecode import BeamSearchDecoderCTC
    except ImportError:
        logger.warning(
            f"{name} has a language model, which needs the package pyctcdecode: texts are decoded without it. To use "
            "it, `pip install pyctcdecode kenlm`."
        )
        return None
    if not os.path.isdir(name):
        from huggingface_hub import snapshot_download

        patterns = ["language_model/*", "alphabet.json"]
        name = snapshot_download(name, allow_patterns=patterns, revision=revision, token=token)
    return BeamSearchDecoderCTC.load_from_dir(name)


def clean_custom_task(task_info: dict[str, Any]) -> tuple[dict[str, Any], None]:
    """Replace, in the entry of a pipeline that a repository brings, the names of auto classes by the classes.

    Raises:
        RuntimeError: the entry does not name the pipeline's class.
    """
    import isoform

    if "impl" not in task_info:
        raise RuntimeError(
            "The config of this model lists a pipeline of its own without specifying its implementation (`impl`)."
        )
    for framework in ("pt", "tf"):
        names = task_info.get(framework) or ()
        names = (names,) if isinstance(names, str) else names
        task_info[framework] = tuple(getattr(isoform, name) for name in names)
    return task_info, None


def record_custom_pipeline(pipeline: Any, save_directory: str | os.PathLike[str]) -> None:
    """Name the registered class of `pipeline` in its model's configuration, and copy the file that defines it."""
    custom: dict[str, Any] = {}
    for task, entry in type(pipeline)._registered_impl.items():
        if entry["impl"] is not type(pipeline):
            continue
        module = entry["impl"].__module__.split(".")[-1]
        custom[task] = {
            **entry,
            "impl": f"{module}.{entry['impl'].__name__}",
            "pt": tuple(model.__name__ for model in entry["pt"]),
            "tf": tuple(model.__name__ for model in entry["tf"]),
        }
    if not custom:
        return
    pipeline.model.config.custom_pipelines = custom
    source = None if type(pipeline).__module__ == "__main__" else inspect.getsourcefile(type(pipeline))
    if source is None:
        logger.warning(
            f"{type(pipeline).__name__} is defined in __main__, so its code cannot be saved beside the model. Put it "
            "in a module of its own to share it."
        )
    else:
        shutil.copy(source, save_directory)
