"""The machinery that all pipelines share: `Pipeline`, `ChunkPipeline` and the helpers around them."""

from __future__ import annotations

import functools
import inspect
import os
import types
from abc import ABC, abstractmethod
from collections import UserDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Union

import torch
from torch.utils.data import DataLoader, Dataset

from ..utils import logging
from ..utils.generic import ModelOutput
from .auto_batch import WINDOW, AutoBatchIterator, TokenBudgets
from .collate import cut_right, no_collate_fn, pad_collate_fn
from .data_formats import (
    CsvPipelineDataFormat,
    JsonPipelineDataFormat,
    PipedPipelineDataFormat,
    PipelineDataFormat,
)
from .loading import (
    get_default_model_and_revision,
    get_framework,
    infer_framework_from_model,
    infer_framework_load_model,
)
from .pt_utils import (
    KeyDataset,
    PipelineChunkIterator,
    PipelineDataset,
    PipelineIterator,
    PipelinePackIterator,
    PipelineResults,
)
from .registry import PipelineRegistry

__all__ = [
    "ArgumentHandler",
    "ChunkPipeline",
    "CsvPipelineDataFormat",
    "GenericTensor",
    "JsonPipelineDataFormat",
    "KeyDataset",
    "PipedPipelineDataFormat",
    "Pipeline",
    "PipelineDataFormat",
    "PipelineException",
    "PipelineRegistry",
    "get_default_model_and_revision",
    "get_framework",
    "infer_framework_from_model",
    "infer_framework_load_model",
    "no_collate_fn",
    "pad_collate_fn",
]

logger = logging.get_logger(__name__)

GenericTensor = Union[list["GenericTensor"], "torch.Tensor"]


class PipelineException(Exception):
    """A pipeline could not handle its input.

    Args:
        task: The task of the pipeline.
        model: The name of its model.
        reason: The message.
    """

    def __init__(self, task: str, model: str, reason: str) -> None:
        super().__init__(reason)
        self.task, self.model = task, model


class ArgumentHandler(ABC):
    """Turns the arguments of a pipeline's call into the inputs of its `preprocess`."""

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError()


class _ScikitCompat(ABC):
    """The two methods under which scikit-learn's tools call a model."""

    @abstractmethod
    def transform(self, X: Any) -> Any:
        raise NotImplementedError()

    @abstractmethod
    def predict(self, X: Any) -> Any:
        raise NotImplementedError()


class Pipeline(_ScikitCompat):
    """Raw inputs to readable results: `preprocess`, then `_forward` on the model, then `postprocess`.

    A subclass implements these three and `_sanitize_parameters`, which sorts keyword arguments by the step that takes
    them. Called with one item a pipeline returns one result; with a list, a list; with a dataset or a generator, an
    iterator of results.

    Args:
        model: The model.
        tokenizer, feature_extractor, image_processor: What prepares its inputs.
        modelcard: The model's card, kept as an attribute.
        framework: "pt".
        task: Name of the task; options that the model's configuration holds for it are applied to the model.
        args_parser: Handles the arguments of the call, where the task has a handler.
        device: Where to run: -1 for the CPU, the number of a GPU, a name ("cuda:1") or a `torch.device`. By default
            where the model is.
        torch_dtype: The dtype that the model was loaded with, kept as an attribute.
        binary_output: Whether results should be stored pickled.
        batch_size: Items per forward pass when many are given: a number (default 1), or "auto": what is queued is
            sorted by length and packed into batches of bounded size; results come in the order of the inputs.
        num_workers: Processes that prepare inputs (default 0, in this process).
        kwargs: Defaults of what the call accepts.

    Attributes:
        token_budget: Bound on the padded tokens of a batch under `batch_size="auto"`; None for a default that depends
            on the device. Lowered by itself when memory runs out.
    """

    default_input_names: str | None = None
    token_budget: int | None = None
    token_budgets = TokenBudgets()
    # How many inputs are prepared together under batch_size="auto": the more, the less padding; large ones need memory.
    window = WINDOW
    # Whether the tensors that `_forward` returns have the input's tokens on axis 1, so that padding must be cut off.
    outputs_per_token = False

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        feature_extractor: Any = None,
        image_processor: Any = None,
        modelcard: Any = None,
        framework: str | None = None,
        task: str = "",
        args_parser: ArgumentHandler | None = None,
        device: int | str | torch.device | None = None,
        torch_dtype: str | torch.dtype | None = None,
        binary_output: bool = False,
        **kwargs: Any,
    ) -> None:
        if framework is None:
            framework, model = infer_framework_load_model(model, config=model.config)
        if framework != "pt":
            raise ValueError(f"framework must be 'pt' (PyTorch), found {framework!r}")
        self.task, self.model, self.framework, self.modelcard = task, model, framework, modelcard
        if image_processor is None and hasattr(feature_extractor, "preprocess"):  # as older scripts pass them
            image_processor = feature_extractor
        self.tokenizer, self.feature_extractor, self.image_processor = tokenizer, feature_extractor, image_processor
        self.torch_dtype, self.binary_output = torch_dtype, binary_output
        self.device = self._place_model(device)
        self.call_count = 0
        self._apply_task_options()
        self._batch_size = kwargs.pop("batch_size", None)
        self._num_workers = kwargs.pop("num_workers", None)
        self._preprocess_params, self._forward_params, self._postprocess_params = self._sanitize_parameters(**kwargs)

    def _require(self, part: str) -> None:
        """Check that the pipeline was given what prepares its inputs.

        Raises:
            ValueError: it was not.
        """
        if getattr(self, part) is None:
            name = part.replace("_", " ")
            raise ValueError(
                f"{self.task or type(self).__name__} needs its {name}, and {type(self.model).__name__} came without "
                f"one (preprocessor_config.json beside the model): pass `{part}`, or choose a model for this task"
            )

    def _place_model(self, device: int | str | torch.device | None) -> torch.device:
        """Move the model to `device` (unless it is spread over several already) and return the inputs' device."""
        placed = getattr(self.model, "hf_device_map", None)
        if placed is not None:
            if device is not None:
                raise ValueError("`accelerate` has placed this model, so it cannot be moved: leave `device` out.")
            device = next(iter(placed.values()))
        if device is None:
            return getattr(self.model, "device", None) or torch.device("cpu")
        if isinstance(device, int):
            device = "cpu" if device < 0 else f"{_accelerator()}:{device}"
        device = torch.device(device)
        if placed is None:
            self.model.to(device)
        return device

    def _apply_task_options(self) -> None:
        options = (getattr(self.model.config, "task_specific_params", None) or {}).get(self.task)
        if options:
            self.model.config.update(options)
            if self.model.can_generate():
                self.model.generation_config.update(**options)

    def save_pretrained(self, save_directory: str | os.PathLike[str], safe_serialization: bool = True) -> None:
        """Save model, tokenizer and processors into a folder that `pipeline(model=folder)` loads.

        A pipeline class that was registered by `PIPELINE_REGISTRY.register_pipeline` is recorded in the model's
        configuration, and its source file copied.
        """
        if os.path.isfile(save_directory):
            logger.error(f"Nothing saved: {save_directory} is a file; expected a folder, or a path to create one at")
            return
        os.makedirs(save_directory, exist_ok=True)
        if hasattr(self, "_registered_impl"):
            from .loading import record_custom_pipeline

            record_custom_pipeline(self, save_directory)
        self.model.save_pretrained(save_directory, safe_serialization=safe_serialization)
        for part in (self.tokenizer, self.feature_extractor, self.image_processor, self.modelcard):
            if part is not None:
                part.save_pretrained(save_directory)

    def transform(self, X: Any) -> Any:
        """Same as calling the pipeline."""
        return self(X)

    def predict(self, X: Any) -> Any:
        """Same as calling the pipeline."""
        return self(X)

    @contextmanager
    def device_placement(self) -> Iterator[None]:
        """Make the pipeline's device the current one, so that tensors made inside lie on it."""
        with torch.cuda.device(self.device) if self.device.type == "cuda" else nullcontext():
            yield

    def ensure_tensor_on_device(self, **inputs: Any) -> dict[str, Any]:
        """The given tensors, moved to the pipeline's device."""
        return self._ensure_tensor_on_device(inputs, self.device)

    def _ensure_tensor_on_device(self, inputs: Any, device: torch.device) -> Any:
        if isinstance(inputs, torch.Tensor):
            return inputs if inputs.device == device else inputs.to(device)
        move = functools.partial(self._ensure_tensor_on_device, device=device)
        if isinstance(inputs, ModelOutput):
            return type(inputs)({key: move(value) for key, value in inputs.items()})
        if isinstance(inputs, UserDict):
            return type(inputs)({key: move(value) for key, value in inputs.items()})
        if isinstance(inputs, dict):
            return {key: move(value) for key, value in inputs.items()}
        if isinstance(inputs, (list, tuple)) and not hasattr(inputs, "_fields"):
            return type(inputs)(move(value) for value in inputs)
        return inputs

    def check_model_type(self, supported_models: Any) -> None:
        """Log an error if the class of the model is none of those that the task supports.

        Args:
            supported_models: Names of classes, or a mapping from configurations or model types to classes or names.
        """
        if hasattr(supported_models, "_model_mapping"):  # an auto mapping: its names, without importing the classes
            values = [*supported_models._model_mapping.values(), *supported_models._extra_content.values()]
            supported_models = dict(enumerate(values))
        if not isinstance(supported_models, list):
            groups = (value if isinstance(value, tuple) else (value,) for value in supported_models.values())
            supported_models = [name if isinstance(name, str) else name.__name__ for group in groups for name in group]
        if type(self.model).__name__ not in supported_models:
            logger.error(
                f"The pipeline {self.task} may not work with {type(self.model).__name__}: it is made for "
                f"{supported_models}."
            )

    @abstractmethod
    def _sanitize_parameters(self, **pipeline_parameters: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Sort keyword arguments into those of `preprocess`, `_forward` and `postprocess`.

        Only what the caller gave may appear in the results: they override what the constructor was given.
        """
        raise NotImplementedError("_sanitize_parameters not implemented")

    @abstractmethod
    def preprocess(self, input_: Any, **preprocess_parameters: Any) -> Any:
        """One raw input to the keyword arguments of the model (tensors with a batch axis of one) and whatever else
        `postprocess` needs."""
        raise NotImplementedError("preprocess not implemented")

    @abstractmethod
    def _forward(self, input_tensors: dict[str, Any], **forward_parameters: Any) -> Any:
        """Run the model on a batch: a dictionary of tensors with one row per input."""
        raise NotImplementedError("_forward not implemented")

    @abstractmethod
    def postprocess(self, model_outputs: Any, **postprocess_parameters: Any) -> Any:
        """What `_forward` gave for one input, to the result that the user sees."""
        raise NotImplementedError("postprocess not implemented")

    def preprocess_batch(self, inputs: list[Any], **preprocess_parameters: Any) -> list[list[Any]]:
        """`preprocess` for many inputs at once, under `batch_size="auto"`: for each input the list of its pieces.

        A subclass overrides it where one call of a fast tokenizer over all texts gives the same.
        """
        return [[self.preprocess(item, **preprocess_parameters)] for item in inputs]

    def get_inference_context(self) -> Callable[[], AbstractContextManager[Any]]:
        """The context that forward passes run in: without gradients."""
        return torch.no_grad

    def forward(self, model_inputs: Any, **forward_params: Any) -> Any:
        """`_forward` in evaluation mode and without gradients: tensors go to the device, results to the CPU."""
        with self.device_placement(), self.get_inference_context()(), _evaluating(self.model):
            model_inputs = self._ensure_tensor_on_device(model_inputs, self.device)
            dtype = getattr(self.model, "dtype", None)
            if dtype in (torch.float16, torch.bfloat16) and isinstance(model_inputs, Mapping):
                for name, value in model_inputs.items():  # pixels and samples; tokens and masks are whole numbers
                    if isinstance(value, torch.Tensor) and value.is_floating_point():
                        model_inputs[name] = value.to(dtype)  # type: ignore[index]
            outputs = self._forward(model_inputs, **forward_params)
            return self._ensure_tensor_on_device(outputs, torch.device("cpu"))

    def get_iterator(
        self,
        inputs: Any,
        num_workers: int,
        batch_size: Any,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Iterator[Any]:
        """An iterator over the results for `inputs` (a list, a dataset or an iterator), in their order."""
        if batch_size == "auto":
            return AutoBatchIterator(self, inputs, preprocess_params, forward_params, postprocess_params)
        loader = self._loader(inputs, num_workers, batch_size, preprocess_params)
        outputs = PipelineIterator(loader, self.forward, forward_params, loader_batch_size=batch_size)
        return PipelineResults(outputs, self.postprocess, postprocess_params, inputs)

    def _loader(
        self, inputs: Iterable[Any], num_workers: int, batch_size: Any, preprocess_params: dict[str, Any]
    ) -> Iterable[Any]:
        """Prepared inputs in batches of `batch_size`."""
        if isinstance(inputs, Iterator) or not hasattr(inputs, "__len__"):
            if num_workers > 1:
                logger.warning(
                    "An iterable dataset would be read by every worker, so its items would come several times: "
                    "`num_workers` is set to 1."
                )
                num_workers = 1
            prepared: Dataset = PipelineIterator(inputs, self.preprocess, preprocess_params)
        else:
            prepared = PipelineDataset(inputs, self.preprocess, preprocess_params)
        return self._batches(prepared, num_workers, batch_size)

    def _batches(self, prepared: Dataset, num_workers: int, batch_size: Any) -> Iterable[Any]:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                f"batch_size should be a positive integer value or 'auto', but got batch_size={batch_size!r}"
            )
        if num_workers and "TOKENIZERS_PARALLELISM" not in os.environ:
            # Threads of the tokenizers library do not survive the fork of the workers.
            logger.info(
                "TOKENIZERS_PARALLELISM is set to false: the workers of the DataLoader run side by side already"
            )
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
        feature_extractor = self.feature_extractor if self.feature_extractor is not None else self.image_processor
        collate_fn = no_collate_fn if batch_size == 1 else pad_collate_fn(self.tokenizer, feature_extractor)
        return DataLoader(prepared, num_workers=num_workers, batch_size=batch_size, collate_fn=collate_fn)

    def __call__(
        self,
        inputs: Any,
        *args: Any,
        num_workers: int | None = None,
        batch_size: int | str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run on one input, a list, a dataset or a generator; see the class for what comes back."""
        if args:
            logger.warning(f"Ignoring args : {args}")
        if num_workers is None:
            num_workers = self._num_workers or 0
        if batch_size is None:
            batch_size = self._batch_size or 1
        params = self._merge_parameters(kwargs)
        self._count_call()
        if isinstance(inputs, list):
            return list(self.get_iterator(inputs, num_workers, batch_size, *params))
        if isinstance(inputs, (Dataset, types.GeneratorType, Iterator)):
            return self.get_iterator(inputs, num_workers, batch_size, *params)
        if isinstance(self, ChunkPipeline):
            return next(iter(self.get_iterator([inputs], num_workers, batch_size, *params)))
        return self.run_single(inputs, *params)

    def _merge_parameters(self, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess_params, forward_params, postprocess_params = self._sanitize_parameters(**given)
        return (
            {**self._preprocess_params, **preprocess_params},
            {**self._forward_params, **forward_params},
            {**self._postprocess_params, **postprocess_params},
        )

    def _count_call(self) -> None:
        self.call_count += 1
        if self.call_count == 11 and self.device.type == "cuda":
            logger.warning(
                "The pipeline is called with one input after the other on a GPU: pass a dataset or a list, and "
                "`batch_size`, to use it better."
            )

    def run_multi(
        self,
        inputs: Iterable[Any],
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> list[Any]:
        """The results for several inputs, one by one."""
        return [self.run_single(item, preprocess_params, forward_params, postprocess_params) for item in inputs]

    def run_single(
        self,
        inputs: Any,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Any:
        """The result for one input."""
        model_inputs = self.preprocess(inputs, **preprocess_params)
        model_outputs = self.forward(model_inputs, **forward_params)
        return self.postprocess(model_outputs, **postprocess_params)

    def iterate(
        self,
        inputs: Iterable[Any],
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Iterator[Any]:
        """As `run_multi`, lazily."""
        for item in inputs:
            yield self.run_single(item, preprocess_params, forward_params, postprocess_params)

    # What batch_size="auto" asks of a pipeline.

    def _input_length(self, inputs: Any) -> int:
        """The length of the axis that padding can lengthen (tokens, samples); 0 if there is none."""
        tokens = inputs.get("input_ids")
        return tokens.shape[1] if isinstance(tokens, torch.Tensor) and tokens.dim() == 2 else 0

    def _generates(self) -> bool:
        """Whether `_forward` continues a decoder's input, so that padding belongs on the left."""
        return False

    def _cut_padding(self, output: Any, padding: int, length: int, forward_params: dict[str, Any]) -> Any:
        """The output for one input of a batch that is `length` long, without what comes from its `padding`."""
        return cut_right(output, padding, length) if self.outputs_per_token and padding else output

    def _batch_limit(self) -> int | None:
        """The most rows that a batch may have, None for no limit."""
        return None

    def _batch_cost(self, length: int, forward_params: dict[str, Any]) -> int:
        """How many token positions an input of `length` tokens occupies at most."""
        return length

    def _batch_group(self, length: int, forward_params: dict[str, Any]) -> Any:
        """Only inputs of one group may share a batch."""
        return None


class ChunkPipeline(Pipeline):
    """A pipeline in which one input may take several forward passes.

    `preprocess` is a generator of model inputs, of which the last has `is_last=True`; `_forward` passes `is_last` on;
    `postprocess` gets the list of what `_forward` returned for one input.
    """

    def preprocess_batch(self, inputs: list[Any], **preprocess_parameters: Any) -> list[list[Any]]:
        return [list(self.preprocess(item, **preprocess_parameters)) for item in inputs]

    def run_single(
        self,
        inputs: Any,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Any:
        outputs = [self.forward(piece, **forward_params) for piece in self.preprocess(inputs, **preprocess_params)]
        return self.postprocess(outputs, **postprocess_params)

    def get_iterator(
        self,
        inputs: Any,
        num_workers: int,
        batch_size: Any,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Iterator[Any]:
        if batch_size == "auto":
            return AutoBatchIterator(self, inputs, preprocess_params, forward_params, postprocess_params)
        if num_workers > 1:
            logger.warning("The pieces of a ChunkPipeline would be read by every worker: `num_workers` is set to 1.")
            num_workers = 1
        pieces = PipelineChunkIterator(inputs, self.preprocess, preprocess_params)
        batches = self._batches(pieces, num_workers, batch_size)
        outputs = PipelinePackIterator(batches, self.forward, forward_params, loader_batch_size=batch_size)
        return PipelineResults(outputs, self.postprocess, postprocess_params, inputs)


def _accelerator() -> str:
    """The kind of device that a number counts: "cuda", or what this build of PyTorch has instead."""
    for name in ("cuda", "mps", "xpu", "npu"):
        module = getattr(torch, name, None)
        if module is not None and module.is_available():
            return name
    return "cuda"


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode, for a model that its owner left in training mode."""
    if not getattr(model, "training", False):
        yield
        return
    trained = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in trained:
            module.training = True


@functools.lru_cache(maxsize=256)
def _parameters_of(model_class: Any) -> frozenset[str]:
    return frozenset(inspect.signature(model_class.forward).parameters)


def accepts(model: Any, name: str) -> bool:
    """Whether the forward of `model` has a parameter `name`."""
    return name in _parameters_of(model.__class__)
