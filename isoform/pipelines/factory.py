"""`pipeline()`: from a task, a model, or both, to a pipeline that is ready to use."""

from __future__ import annotations

import functools
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RemoteCodeError
from ..utils import logging
from .tasks import TASK_ALIASES, TASKS, Task

if TYPE_CHECKING:
    from .base import Pipeline
    from .registry import PipelineRegistry

logger = logging.get_logger(__name__)

# Tasks whose inputs are only text, only images, or only sound: what they never need is not looked for.
NO_FEATURE_EXTRACTOR_TASKS = {name for name, task in TASKS.items() if "feature_extractor" not in task.uses}
NO_IMAGE_PROCESSOR_TASKS = {name for name, task in TASKS.items() if "image_processor" not in task.uses}
NO_TOKENIZER_TASKS = {name for name, task in TASKS.items() if "tokenizer" not in task.uses}
# The configurations of models made of two others do not say what prepares their inputs.
MULTI_MODEL_CONFIGS = {"SpeechEncoderDecoderConfig", "VisionEncoderDecoderConfig", "VisionTextDualEncoderConfig"}


@functools.cache
def pipeline_registry() -> PipelineRegistry:
    """The registry of all tasks, made when it is first asked for: its entries are classes, which load torch."""
    from .registry import PipelineRegistry

    return PipelineRegistry({name: _entry(task) for name, task in TASKS.items()}, dict(TASK_ALIASES))


def _entry(task: Task) -> dict[str, Any]:
    import isoform

    module = importlib.import_module(f"{__package__}.{task.module}")
    return {
        "impl": getattr(module, task.class_name),
        "tf": (),
        "pt": tuple(getattr(isoform, name) for name in task.models),
        "default": {**task.default, **task.extra},
        "type": task.kind,
    }


def get_supported_tasks() -> list[str]:
    """The names of all tasks and aliases, sorted."""
    return pipeline_registry().get_supported_tasks()


def check_task(task: str) -> tuple[str, dict[str, Any], Any]:
    """The task's own name, its entry in the registry, and its options. KeyError for an unknown task."""
    return pipeline_registry().check_task(task)


def get_task(model: str, token: str | None = None, **deprecated_kwargs: Any) -> str:
    """The task that a repository of the Hub declares for its model.

    Raises:
        RuntimeError: the Hub cannot be asked, or declares no task, or one for another library.
    """
    from huggingface_hub import model_info

    from ..utils import is_offline_mode

    if is_offline_mode():
        raise RuntimeError(
            "Without network (offline mode) the task of a model cannot be looked up: pass `task` to `pipeline`"
        )
    token = token or deprecated_kwargs.pop("use_auth_token", None)
    try:
        info = model_info(model, token=token)  # type: ignore[misc] # exported lazily
    except Exception as error:
        raise RuntimeError(f"The task of {model} could not be looked up (pass `task`): {error}") from error
    if not info.pipeline_tag:
        raise RuntimeError(f"{model} does not say its task (`pipeline_tag`) on the Hub: pass `task`")
    if getattr(info, "library_name", "transformers") not in ("transformers", None):
        raise RuntimeError(f"{model} is for the library {info.library_name}, which isoform cannot stand in for")
    return info.pipeline_tag


def pipeline(
    task: str | None = None,
    model: Any = None,
    config: Any = None,
    tokenizer: Any = None,
    feature_extractor: Any = None,
    image_processor: Any = None,
    framework: str | None = None,
    revision: str | None = None,
    use_fast: bool = True,
    token: str | bool | None = None,
    device: Any = None,
    device_map: Any = None,
    torch_dtype: Any = None,
    trust_remote_code: bool | None = None,
    model_kwargs: dict[str, Any] | None = None,
    pipeline_class: type | None = None,
    **kwargs: Any,
) -> Pipeline:
    """Build a pipeline: load what is named, find what is not, and wrap it in the class of the task.

    Args:
        task: Name of the task ("text-generation", "ner", …). Without it the task is taken from the model: from the
            class of a model object, the config of a local folder, or the Hub.
        model: A model, a local folder, or a name on the Hub. Without it the default model of the task.
        config: The model's configuration, or the name of one.
        tokenizer, feature_extractor, image_processor: Objects or names; by default those stored beside the model.
        framework: "pt".
        revision: Branch, tag or commit of the model's repository.
        use_fast: Prefer the fast tokenizer.
        token: Access token for the Hub.
        device: -1 for the CPU, the number of a GPU, a name such as "cuda:1", or a `torch.device`.
        device_map: Spread the model over devices, as in `from_pretrained`.
        torch_dtype: Load the weights as this dtype: "auto", a name, or a `torch.dtype`.
        trust_remote_code: Allow code of the repository (custom models and pipelines) to run.
        model_kwargs: More arguments for the model's `from_pretrained`.
        pipeline_class: A class to use instead of the task's own.
        kwargs: Passed to the pipeline: `batch_size` (a number or "auto"), `num_workers`, defaults of its call.

    Raises:
        RuntimeError: neither task nor model is given, or the task cannot be found out.
        KeyError: there is no such task.
        RemoteCodeError (a ValueError): the repository brings its own pipeline and `trust_remote_code` is not set.
    """
    model_kwargs = dict(model_kwargs or {})
    token = model_kwargs.pop("use_auth_token", token)
    hub = {"revision": revision, "token": token, "trust_remote_code": trust_remote_code}
    _check_arguments(task, model, tokenizer, feature_extractor)
    model = os.fspath(model) if isinstance(model, Path) else model
    config_name = config if isinstance(config, str) else None
    config = _load_config(config if config is not None else model, hub, model_kwargs)

    custom = dict(getattr(config, "custom_pipelines", None) or {})
    task = task or _infer_task(model, config, custom, token, optional=pipeline_class is not None)
    normalized, entry, options = _entry_for(task, custom, trust_remote_code, pipeline_class)
    if pipeline_class is None:
        pipeline_class = _pipeline_class(entry, model, hub)
    if model is None:
        model, hub["revision"] = _default_model(normalized, entry, framework, options, revision)
        config = _load_config(model, hub, model_kwargs) if config is None else config

    _add_placement(model_kwargs, device, device_map, torch_dtype)
    name = model if isinstance(model, str) else None
    from .loading import infer_framework_load_model

    classes = {"pt": entry["pt"]}
    loaded = {**hub, **model_kwargs} if name else {}
    framework, model = infer_framework_load_model(
        model, config=config, model_classes=classes, framework=framework, task=task, **loaded
    )
    if image_processor is None and _prepares_images(feature_extractor):  # as programs older than image processors say
        image_processor = feature_extractor
    parts = {"tokenizer": tokenizer, "feature_extractor": feature_extractor, "image_processor": image_processor}
    source = name or config_name
    for kind, given in parts.items():
        parts[kind] = _load_part(kind, given, normalized, model.config, source, hub, use_fast)
    kwargs.update({key: value for key, value in parts.items() if value is not None})
    named = str(getattr(parts["feature_extractor"], "_processor_class", None))
    if source and normalized == "automatic-speech-recognition" and named.endswith("WithLM"):
        from .loading import load_ctc_decoder

        kwargs.setdefault("decoder", load_ctc_decoder(source, revision=hub["revision"], token=hub["token"]))
    if torch_dtype is not None:
        kwargs["torch_dtype"] = torch_dtype
    if device is not None:
        kwargs["device"] = device
    return pipeline_class(model=model, framework=framework, task=task, **kwargs)


def _check_arguments(task: str | None, model: Any, tokenizer: Any, feature_extractor: Any) -> None:
    if task is None and model is None:
        raise RuntimeError("Nothing to build a pipeline from: pass `task`, `model`, or both")
    for kind, given in (("tokenizer", tokenizer), ("feature_extractor", feature_extractor)):
        if model is None and given is not None:
            raise RuntimeError(
                f"A {kind} without a model: the default model of the task may need another {kind}. Pass `model` too."
            )


def _load_config(source: Any, hub: dict[str, Any], model_kwargs: dict[str, Any]) -> Any:
    """The configuration of that name; the configuration of a model object; None for None."""
    if source is None:
        return None
    if not isinstance(source, (str, os.PathLike)):
        return getattr(source, "config", source)
    from .. import AutoConfig

    base = _base_model(source, hub)
    hub = hub if base == source else {**hub, "revision": None}
    passed = {key: model_kwargs[key] for key in ("cache_dir", "subfolder", "local_files_only") if key in model_kwargs}
    return AutoConfig.from_pretrained(base, **hub, **passed)


def _base_model(name: Any, hub: dict[str, Any]) -> Any:
    """The model that an adapter (of peft) belongs to; any other name stays."""
    from ..models.auto.auto_factory import _base_of_adapter

    return _base_of_adapter(name, {key: hub[key] for key in ("revision", "token")}, None)[0]


def _infer_task(model: Any, config: Any, custom: dict[str, Any], token: Any, optional: bool) -> str:
    """The task of a model, from its own pipeline, its class or its architectures, or from the Hub."""
    if len(custom) == 1:
        return next(iter(custom))
    if custom:
        raise RuntimeError(f"This model has several tasks: choose one of {', '.join(custom)}")
    found = None
    if not isinstance(model, str):
        found = task_of_class(type(model).__name__)
    elif os.path.isdir(model):
        found = next(filter(None, map(task_of_class, getattr(config, "architectures", None) or ())), None)
    elif not optional:
        return get_task(model, token)
    if found is None and not optional:
        subject = model if isinstance(model, str) else type(model).__name__
        raise RuntimeError(
            f"Inferring the task automatically needs a model of the Hub or one whose class serves a task; {subject} "
            f"does not. Pass task=, one of {get_supported_tasks()}"
        )
    return found or ""


# Tasks that share their classes with others come after these; every body serves the last ones.
_SHARED = {"zero-shot-classification": 1, "summarization": 1, "translation": 1, "conversational": 1}
_SHARED |= {"feature-extraction": 2, "image-feature-extraction": 3, "zero-shot-audio-classification": 3}


def task_of_class(name: str) -> str | None:
    """The task that a model class of this name serves, None if there is none."""
    import isoform

    for task in sorted(TASKS, key=lambda task: _SHARED.get(task, 0)):
        for auto_class in TASKS[task].models:
            if name in model_names(getattr(isoform, auto_class)):
                return task
    return None


def model_names(auto_class: Any) -> set[str]:
    """The names of all classes that an auto class loads."""
    groups = auto_class._model_mapping._model_mapping.values()
    return {name for group in groups for name in ((group,) if isinstance(group, str) else group)}


def _entry_for(
    task: str, custom: dict[str, Any], trust_remote_code: bool | None, pipeline_class: type | None
) -> tuple[str, dict[str, Any], Any]:
    registry = pipeline_registry()
    known = task in registry.get_supported_tasks()
    if task in custom and (trust_remote_code or not known):
        from .loading import clean_custom_task

        if not trust_remote_code and pipeline_class is None:
            raise RemoteCodeError(
                f"The pipeline '{task}' is code of the model's repository. Read it first; if you trust it, pass "
                "`trust_remote_code=True` to run it here."
            )
        entry, options = clean_custom_task(dict(custom[task]))
        return task, entry, options
    if not task or (pipeline_class is not None and not known and not task.startswith("translation_")):
        return task, {"pt": ()}, None
    return registry.check_task(task)


def _pipeline_class(entry: dict[str, Any], model: Any, hub: dict[str, Any]) -> type:
    implementation = entry["impl"]
    if not isinstance(implementation, str):
        return implementation
    from ..dynamic_module_utils import get_class_from_dynamic_module

    return get_class_from_dynamic_module(implementation, model, revision=hub["revision"], token=hub["token"])


def _default_model(
    task: str, entry: dict[str, Any], framework: str | None, options: Any, revision: str | None
) -> tuple[str, str]:
    from .loading import get_default_model_and_revision

    model, default_revision = get_default_model_and_revision(entry, framework, options)
    revision = revision or default_revision
    logger.warning(
        f"No model is named: using {model} at revision {revision} (https://huggingface.co/{model}). Name model and "
        "revision, since this default may change."
    )
    return model, revision


def _add_placement(model_kwargs: dict[str, Any], device: Any, device_map: Any, torch_dtype: Any) -> None:
    """Move `device_map` and `torch_dtype` into the arguments of `from_pretrained`."""
    for name, value in (("device_map", device_map), ("torch_dtype", torch_dtype)):
        if value is None:
            continue
        if name in model_kwargs:
            raise ValueError(
                f"`{name}` is given twice, as an argument of pipeline() and in `model_kwargs`: give it once."
            )
        model_kwargs[name] = value
    if device_map is not None and device is not None:
        logger.warning("`device` and `device_map` are both given: `device` wins. Give only one, best `device_map`.")
    if isinstance(torch_dtype, str) and torch_dtype != "auto":
        import torch

        dtype = getattr(torch, torch_dtype, None)
        if not isinstance(dtype, torch.dtype):
            raise ValueError(f"torch_dtype must be 'auto', a torch.dtype or the name of one, found {torch_dtype!r}")
        model_kwargs["torch_dtype"] = dtype


def _holder(kind: str, adapter: str, base: str, hub: dict[str, Any]) -> str:
    """The adapter's own repository if it holds a tokenizer (or processor), else that of its base model."""
    from ..utils.hub import cached_file

    name = "tokenizer_config.json" if kind == "tokenizer" else "preprocessor_config.json"
    options = {"revision": hub["revision"], "token": hub["token"]}
    found = cached_file(adapter, name, _raise_exceptions_for_missing_entries=False, **options)
    return adapter if found else base


_NEEDLESS = {
    "tokenizer": NO_TOKENIZER_TASKS,
    "feature_extractor": NO_FEATURE_EXTRACTOR_TASKS,
    "image_processor": NO_IMAGE_PROCESSOR_TASKS,
}


def _prepares_images(part: Any) -> bool:
    """Whether this is the object of an image processor, which was called a feature extractor once."""
    if part is None or isinstance(part, (str, os.PathLike, tuple)):
        return False
    from ..image_processing_utils import BaseImageProcessor

    return isinstance(part, BaseImageProcessor)


def _load_part(
    kind: str, given: Any, task: str, config: Any, source: str | None, hub: dict[str, Any], use_fast: bool
) -> Any:
    """The tokenizer, feature extractor or image processor: the object given, the one named, or the model's own."""
    if given is not None and not isinstance(given, (str, os.PathLike, tuple)):
        return given
    if task in _NEEDLESS[kind] or (given is None and not _has_part(kind, config)):
        return None
    given = source if given is None else given
    if given is None:
        label = kind.replace("_", " ")
        class_name = {"tokenizer": "PreTrainedTokenizer"}.get(kind, "preprocessor")
        raise ValueError(
            f"Impossible to guess which {label} to use: pass a {class_name}, or the name or path of one, as `{label}`."
        )
    import isoform

    if given == source and isinstance(given, str) and (base := _base_model(given, hub)) != given:
        given = _holder(kind, given, base, hub)
    given, more = given if isinstance(given, tuple) else (given, {})
    options: dict[str, Any] = {**hub, **({"use_fast": use_fast} if kind == "tokenizer" else {}), **more}
    if given != source and "revision" not in more:
        options.pop("revision")  # it is one of the model's repository
    auto_class = {
        "tokenizer": "AutoTokenizer",
        "feature_extractor": "AutoFeatureExtractor",
        "image_processor": "AutoImageProcessor",
    }[kind]
    return getattr(isoform, auto_class).from_pretrained(given, **options)


def _has_part(kind: str, config: Any) -> bool:
    """Whether a model of this configuration comes with a tokenizer, feature extractor or image processor."""
    import isoform

    if kind == "tokenizer" and getattr(config, "tokenizer_class", None) is not None:
        return True
    if type(config).__name__ in MULTI_MODEL_CONFIGS:
        return True
    table = {"tokenizer": "TOKENIZER_MAPPING", "feature_extractor": "FEATURE_EXTRACTOR_MAPPING"}
    mapping = getattr(isoform, table.get(kind, "IMAGE_PROCESSOR_MAPPING"), {})
    return type(config) in mapping
