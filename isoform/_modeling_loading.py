"""`from_pretrained`: options, configuration, building without initialisation, loading, placement."""

from __future__ import annotations

import copy
import difflib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ._modeling_init import DeferredInit, default_dtype, fresh_construction
from .checkpoints import dispatch
from .checkpoints.files import WeightSource, find_weights
from .checkpoints.load import Loader, report
from .checkpoints.read import WeightFile
from .checkpoints.shards import check_index
from .errors import CheckpointError
from .utils import logging

logger = logging.get_logger(__name__)

ATTENTION_IMPLEMENTATIONS = ("eager", "sdpa", "flash_attention_2")


@dataclass
class LoadOptions:
    """The keyword arguments of `from_pretrained` that are neither of the Hub nor of the config."""

    state_dict: Mapping[str, Tensor] | None = None
    output_loading_info: bool = False
    torch_dtype: Any = None
    device_map: Any = None
    max_memory: Any = None
    offload_folder: str | None = None
    offload_buffers: bool = False
    variant: str | None = None
    use_flash_attention_2: bool = False
    attn_implementation: str | None = None
    adapter_kwargs: dict[str, Any] | None = None
    adapter_name: str = "default"
    from_tf: bool = False
    from_flax: bool = False
    load_in_8bit: bool = False
    load_in_4bit: bool = False
    quantization_config: Any = None
    # Accepted because callers pass them. Loading is always lean and never executes code of a repository; interrupted
    # downloads always continue.
    low_cpu_mem_usage: bool | None = None
    offload_state_dict: bool | None = None
    trust_remote_code: bool | None = None
    resume_download: bool = False
    mirror: str | None = None
    _fast_init: bool = True

    @classmethod
    def take(cls, kwargs: dict[str, Any]) -> LoadOptions:
        """Removes the options from `kwargs`."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: kwargs.pop(name) for name in names if name in kwargs})

    def check(self, config: Any) -> None:
        """Raises a clear error for what this version cannot load."""
        if self.from_tf or self.from_flax:
            framework = "TensorFlow" if self.from_tf else "Flax"
            raise NotImplementedError(f"Loading {framework} weights into PyTorch models is not available yet.")
        quantization = self.quantization_config or getattr(config, "quantization_config", None)
        if self.load_in_8bit or self.load_in_4bit or quantization is not None:
            raise NotImplementedError(
                "Quantized models (load_in_8bit, load_in_4bit, quantization_config, or a quantized checkpoint) are"
                " not supported yet. Load the unquantized checkpoint."
            )


class LoadingMixin:
    """The class methods that build models from configurations and checkpoints."""

    config_class: Any
    _keep_in_fp32_modules: list[str] | None

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *model_args: Any,
        config: Any = None,
        cache_dir: str | os.PathLike[str] | None = None,
        ignore_mismatched_sizes: bool = False,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        use_safetensors: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Loads a model with the weights of a checkpoint, in evaluation mode.

        The model is built without random initialisation, and weights in safetensors stay mappings of the file until
        they are changed: peak memory is one copy of the model. Nothing in the checkpoint is executed.

        Args:
            pretrained_model_name_or_path: A folder written by `save_pretrained`, a weight file, or a repository on the
                Hub (`"user/name"`). None, if `config` and `state_dict` are given.
            model_args: Further positional arguments of the constructor.
            config: A configuration, or the name or path of one; by default that of the checkpoint.
            cache_dir: Where downloads are kept.
            ignore_mismatched_sizes: Newly initialises weights whose shape in the checkpoint differs, instead of an
            error. force_download: Downloads again what is in the cache.
            local_files_only: Stays off the network.
            token: Token of the Hub; True for the stored one. (`use_auth_token` is its old name.)
            revision: Branch, tag or commit.
            use_safetensors: True refuses `.bin` files, False refuses safetensors; None prefers safetensors.
            kwargs:
                - subfolder, variant: folder of the weights below the repository's; the variant in file names
                (`"fp16"`).
                - torch_dtype: a dtype, its name, or `"auto"` for that of the checkpoint; the default dtype otherwise.
                - device_map: `"auto"`, `"balanced"`, `"balanced_low_0"`, `"sequential"`, a device, or a dictionary from
                  module names to devices, `"cpu"` and `"disk"`; with `max_memory` (device -> bytes or `"10GB"`),
                  `offload_folder`, `offload_buffers`.
                - attn_implementation: `"eager"`, `"sdpa"` or `"flash_attention_2"`.
                - state_dict: weights to use instead of those of the checkpoint.
                - output_loading_info: also return a dictionary of missing, unexpected and mismatched keys.
                - low_cpu_mem_usage, offload_state_dict: accepted; loading is always lean.
                - everything else overrides attributes of the config; what is not one goes to the constructor.

        Returns:
            The model, or (model, loading info) with `output_loading_info=True`.

        Raises:
            CheckpointError: (an `OSError`) files are missing or broken; the message names the file.
            RuntimeError: weights have other shapes than the model.
        """
        hub = _hub_arguments(cache_dir, force_download, local_files_only, token, revision, kwargs)
        subfolder = kwargs.pop("subfolder", "")
        options = LoadOptions.take(kwargs)
        name, adapter = _base_of_adapter(pretrained_model_name_or_path, subfolder, hub, options)
        overrides = dict(kwargs)
        config, model_kwargs = cls._config_for(name, config, {**hub, "subfolder": subfolder}, kwargs)
        if getattr(config, "_commit_hash", None) and not os.path.exists(str(name)):
            hub["revision"] = hub["_commit_hash"] = config._commit_hash  # weights of the same commit as the config
        if name is not None:
            config.name_or_path = name
        options.check(config)
        if name is not None:
            config.name_or_path = os.fspath(name)  # what an adapter records as its base model
        device_map = dispatch.normalized_device_map(options.device_map)

        sources, files, index = _open_sources(name, options, subfolder, use_safetensors, hub)
        dtype = _resolve_dtype(cls, options.torch_dtype, config, sources)
        _set_attention(config, options.attn_implementation, options.use_flash_attention_2, dtype, device_map)
        model, deferred = cls._build(config, model_args, model_kwargs, dtype)

        device_map, devices = _placement(model, device_map, options, dtype)
        loader = Loader(model, sources, deferred, ignore_mismatched_sizes, devices, copy=options.state_dict is not None)
        if index is not None:
            check_index(index, files)
        info = loader.run()
        model.tie_weights()
        if hasattr(model, "_after_loading"):  # weights that come from files of their own (adapters of languages)
            model._after_loading(**{key: value for key, value in hub.items() if key != "user_agent"})
        report(model, info, str(name or "the given state dict"))
        model.eval()
        if device_map is not None:
            _dispatch(model, device_map, loader, files, options)
        if name is not None and model.can_generate():
            _load_generation_config(model, name, {**hub, "subfolder": subfolder}, overrides)
        if adapter is not None:
            model.load_adapter(
                adapter,
                adapter_name=options.adapter_name,
                token=hub.get("token"),
                adapter_kwargs=options.adapter_kwargs,
            )
        return (model, info) if options.output_loading_info else model

    @classmethod
    def _config_for(
        cls, name: Any, config: Any, hub: dict[str, Any], kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """The configuration (a copy of a given one), and the arguments that are left for the constructor."""
        from .configuration_utils import PretrainedConfig

        if isinstance(config, PretrainedConfig):
            return copy.deepcopy(config), kwargs
        if cls.config_class is None:
            raise ValueError(f"{cls.__name__} names no config_class: pass `config=`, an instance of a configuration.")
        if config is None and name is None:
            raise ValueError("from_pretrained(None) needs `config` and `state_dict`.")
        hub = {key: value for key, value in hub.items() if key != "user_agent"}
        return cls.config_class.from_pretrained(
            name if config is None else config, return_unused_kwargs=True, **hub, **kwargs
        )

    @classmethod
    def _build(
        cls, config: Any, args: tuple[Any, ...], kwargs: dict[str, Any], dtype: torch.dtype | None
    ) -> tuple[Any, DeferredInit]:
        """A model of this class whose parameters are not initialised, and what would have initialised them."""
        _check_arguments(cls, config, kwargs)
        deferred = DeferredInit()
        model: Any
        with fresh_construction(skip_init=True), default_dtype(dtype), deferred:
            model = cls(config, *args, **kwargs)  # type: ignore[call-arg]
        if dtype is torch.float16 and cls._keep_in_fp32_modules:
            for name, parameter in model.named_parameters():
                if not set(cls._keep_in_fp32_modules).isdisjoint(name.split(".")):
                    parameter.data = parameter.data.to(torch.float32)
        if not getattr(config, "torchscript", False):  # which clones weights instead of sharing them
            model.tie_weights()
        return model, deferred

    @classmethod
    def _from_config(cls, config: Any, **kwargs: Any) -> Any:
        """A newly initialised model: what `AutoModel.from_config` calls.

        Args:
            config: Its configuration, which is copied.
            kwargs: `torch_dtype`, `attn_implementation`, `use_flash_attention_2`; the rest goes to the constructor.
        """
        dtype = kwargs.pop("torch_dtype", None)
        dtype = _resolve_dtype(cls, dtype, config, []) if dtype is not None else None
        config = copy.deepcopy(config)
        flash = kwargs.pop("use_flash_attention_2", False)
        _set_attention(config, kwargs.pop("attn_implementation", None), flash, dtype, None)
        with default_dtype(dtype):
            return cls(config, **kwargs)  # type: ignore[call-arg]


def _check_arguments(cls: Any, config: Any, given: dict[str, Any]) -> None:
    """Raises a `TypeError` for what is no option of loading, no field of the config, and unknown to the constructor."""
    accepted = inspect.signature(cls.__init__).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
        return
    unknown = next((name for name in given if name not in accepted), None)
    if unknown is None:
        return
    known = {field.name for field in fields(LoadOptions)} | set(inspect.signature(cls.from_pretrained).parameters)
    known |= {"subfolder", "proxies", *accepted, *vars(config), *getattr(config, "attribute_map", ())}
    near = difflib.get_close_matches(unknown, sorted(name for name in known if not name.startswith("_")), n=1)
    raise TypeError(
        f"{cls.__name__}.from_pretrained() got an unexpected keyword argument {unknown!r}: it is no option of loading,"
        f" no field of {type(config).__name__} and no argument of the constructor."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


def _hub_arguments(
    cache_dir: Any, force_download: bool, local_files_only: bool, token: Any, revision: str, kwargs: dict[str, Any]
) -> dict[str, Any]:
    from .utils.hub import _take_token

    return {
        "cache_dir": cache_dir,
        "force_download": force_download,
        "local_files_only": local_files_only,
        "token": _take_token(token, kwargs),
        "revision": revision,
        "proxies": kwargs.pop("proxies", None),
        "user_agent": {
            "file_type": "model",
            "framework": "pytorch",
            "from_auto_class": kwargs.pop("_from_auto", False),
            **({"using_pipeline": pipeline} if (pipeline := kwargs.pop("_from_pipeline", None)) else {}),
        },
        "_commit_hash": kwargs.pop("_commit_hash", None),
    }


def _base_of_adapter(name: Any, subfolder: str, hub: dict[str, Any], options: LoadOptions) -> tuple[Any, Any]:
    """For the repository of an adapter: the base model and the adapter; otherwise the name itself and None."""
    from .utils.import_utils import is_peft_available

    if name is None or os.path.isfile(name) or not is_peft_available():
        return name, None
    from .errors import HubError
    from .utils.peft_utils import find_adapter_config_file

    adapter_kwargs = dict(options.adapter_kwargs or {})
    adapter = adapter_kwargs.pop("_adapter_model_path", None)
    options.adapter_kwargs = adapter_kwargs
    if adapter is None:
        where = {
            key: hub[key]
            for key in ("cache_dir", "force_download", "token", "revision", "local_files_only", "_commit_hash")
        }
        try:
            path = find_adapter_config_file(name, subfolder=subfolder, **{**where, **adapter_kwargs})
        except HubError:  # no such repository, say: the search for the model's own files will tell
            return name, None
        if path is None:
            return name, None
        adapter, name = name, _base_model_in(path)
    return name, adapter


def _base_model_in(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)["base_model_name_or_path"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: expected JSON with a field 'base_model_name_or_path' ({error!r}).") from error


def _open_sources(
    name: Any, options: LoadOptions, subfolder: str, use_safetensors: bool | None, hub: dict[str, Any]
) -> tuple[list[Any], list[WeightFile], dict[str, Any] | None]:
    """The weights, the files that they are in, and the index of shards if there is one."""
    if options.state_dict is not None:
        return [options.state_dict], [], None
    if name is None:
        raise ValueError("from_pretrained(None) needs `state_dict`.")
    source: WeightSource = find_weights(
        name, variant=options.variant, use_safetensors=use_safetensors, subfolder=subfolder, **hub
    )
    logger.info(f"Loading weights from {', '.join(source.files)}")
    files = [WeightFile(path) for path in source.files]
    return list(files), files, source.index


def _resolve_dtype(cls: type, dtype: Any, config: Any, sources: list[Any]) -> torch.dtype | None:
    """The dtype that `torch_dtype` means; None is the default one."""
    if isinstance(dtype, str) and dtype != "auto":
        found = getattr(torch, dtype.removeprefix("torch."), None)
        if not isinstance(found, torch.dtype):
            raise ValueError(f'`torch_dtype` must be a torch.dtype, the name of one, or "auto"; found {dtype!r}.')
        dtype = found
    if dtype == "auto":
        dtype = getattr(config, "torch_dtype", None) or _stored_dtype(sources)
        dtype = getattr(torch, dtype.removeprefix("torch.")) if isinstance(dtype, str) else dtype
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise ValueError(f'`torch_dtype` must be a torch.dtype, the name of one, or "auto"; found {dtype!r}.')
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(
            f"Can't instantiate {cls.__name__} under torch_dtype={dtype}: it is not a floating point dtype."
        )
    return dtype


def _stored_dtype(sources: list[Any]) -> torch.dtype | None:
    tensors = (source[key] for source in sources for key in source)
    return next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), None)


def _set_attention(
    config: Any, requested: str | None, use_flash: bool, dtype: torch.dtype | None, device_map: Any
) -> None:
    """Puts the attention implementation into the config, after checking that it can work here.

    Raises:
        ValueError: There is no such implementation, or it contradicts other arguments.
        ImportError: `flash_attention_2` without the package flash_attn.
    """
    if use_flash:
        logger.warning_once(
            '`use_flash_attention_2=True` is deprecated: use `attn_implementation="flash_attention_2"`.'
        )
        if requested not in (None, "flash_attention_2"):
            raise ValueError(
                f"attn_implementation={requested!r} contradicts use_flash_attention_2=True: pass one of them."
            )
        requested = "flash_attention_2"
    if requested is not None:
        if requested not in ATTENTION_IMPLEMENTATIONS:
            known = ", ".join(repr(name) for name in ATTENTION_IMPLEMENTATIONS)
            raise ValueError(f"attn_implementation={requested!r} is not supported: expected one of {known}.")
        config._attn_implementation = requested
    if config._attn_implementation == "flash_attention_2":
        _check_flash_attention(dtype, device_map)


def _check_flash_attention(dtype: torch.dtype | None, device_map: Any) -> None:
    import importlib.util

    if importlib.util.find_spec("flash_attn") is None:
        raise ImportError(
            "attn_implementation='flash_attention_2' needs the package flash_attn, which is not installed:"
            " pip install flash-attn. 'sdpa', the default, needs nothing and is about as fast."
        )
    if not torch.cuda.is_available():
        raise ValueError(
            "attn_implementation='flash_attention_2' needs a CUDA device, and none is available. Use 'sdpa'."
        )
    if dtype not in (None, torch.float16, torch.bfloat16):
        raise ValueError(f"Flash attention 2 computes in float16 or bfloat16 only; found torch_dtype={dtype}.")
    if dtype is None:
        logger.warning_once("Flash attention 2 needs float16 or bfloat16: pass `torch_dtype`.")
    if isinstance(device_map, dict) and {"cpu", "disk"} & set(map(str, device_map.values())):
        raise ValueError(
            "Flash attention 2 cannot run the parts of a model that device_map puts on the CPU or the disk."
        )


def _placement(
    model: Any, device_map: Any, options: LoadOptions, dtype: torch.dtype | None
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The device of each module and of each parameter; (None, {}) without a device map."""
    if device_map is None:
        return None, {}
    dtype = dtype or torch.get_default_dtype()
    placed = dispatch.infer_device_map(model, device_map, options.max_memory, dtype)
    return placed, dispatch.devices_of(model.state_dict(keep_vars=True), placed)


def _dispatch(
    model: Any, device_map: dict[str, Any], loader: Loader, files: list[WeightFile], options: LoadOptions
) -> None:
    index = dispatch.offload_index(files, loader, options.offload_folder)
    dispatch.dispatch(model, device_map, index, {"folder": options.offload_folder, "buffers": options.offload_buffers})


def _load_generation_config(model: Any, name: Any, hub: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Takes the generation defaults of the checkpoint; without a file they derive from the config."""
    from .errors import HubError
    from .generation import GenerationConfig

    hub = {key: value for key, value in hub.items() if key not in ("user_agent", "_commit_hash")}
    try:
        model.generation_config = GenerationConfig.from_pretrained(name, **hub, **overrides)
    except HubError:  # there is none; a broken file is another matter
        logger.info(f"{name} has no generation_config.json: the defaults of generation derive from the config.")
