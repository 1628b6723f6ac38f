"""What all `AutoModelFor…` classes share: the lazy table of classes, and finding one for a configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ...configuration_utils import PretrainedConfig
from ...dynamic_module_utils import get_class_from_dynamic_module, resolve_trust_remote_code
from ...registry import Arch, architectures, exports
from .configuration_auto import CONFIG_MAPPING, AutoConfig

__all__ = ["get_values"]

ClassNames = str | tuple[str | None, ...]

# Options that say where files are, rather than what the model is like.
_HUB_OPTIONS = (
    "cache_dir",
    "force_download",
    "local_files_only",
    "proxies",
    "resume_download",
    "revision",
    "subfolder",
    "token",
)


class _LazyAutoMapping(Mapping[Any, Any]):
    """Configuration class -> class (or tuple of classes), imported on access.

    Args:
        config_mapping: Not used: the registry knows the configuration classes. (Kept for code that makes such tables.)
        model_mapping: Model type -> name of the class (or names), or a function that makes this table when needed.
    """

    def __init__(
        self, config_mapping: Any, model_mapping: Mapping[str, ClassNames] | Callable[[], Mapping[str, ClassNames]]
    ) -> None:
        self._names, self._extra_content = model_mapping, {}  # type: ignore[var-annotated]

    @property
    def _model_mapping(self) -> Mapping[str, ClassNames]:
        """Model type -> name of the class."""
        if not isinstance(self._names, Mapping):
            self._names = self._names()
        return self._names

    def _model_type(self, key: Any) -> str | None:
        """The model type of a configuration class of isoform, if this table has it. Compares names: imports nothing."""
        if not getattr(key, "__module__", "").startswith(f"{__package__.split('.')[0]}."):
            return None
        names = (name for name in self._model_mapping if architectures()[name].config == key.__name__)
        return next(names, None)

    def __getitem__(self, key: Any) -> Any:
        if key in self._extra_content:
            return self._extra_content[key]
        model_type = self._model_type(key)
        if model_type is None:
            raise KeyError(key)
        return _load_classes(self._model_mapping[model_type])

    def __iter__(self) -> Iterator[Any]:
        ours = (CONFIG_MAPPING[name] for name in self._model_mapping if name in CONFIG_MAPPING)
        return iter(dict.fromkeys([*ours, *self._extra_content]))

    def __len__(self) -> int:
        return sum(name in CONFIG_MAPPING for name in self._model_mapping) + len(self._extra_content)

    def __contains__(self, key: object) -> bool:  # Mapping's own would import the class
        return key in self._extra_content or self._model_type(key) is not None

    def register(self, key: Any, value: Any, exist_ok: bool = False) -> None:
        """Add a class.

        Raises:
            ValueError: there is one for this configuration, and `exist_ok` is not set.
        """
        if not exist_ok and self._model_type(key) is not None:
            raise ValueError(f"'{key}' is already used by a model that isoform has: pass exist_ok=True to replace it.")
        self._extra_content[key] = value


def _load_classes(names: ClassNames) -> Any:
    if isinstance(names, str):
        return exports()[names].load(names)
    return tuple(_load_classes(name) if name else None for name in names)


def task_names(task: str, heads: Iterable[str]) -> dict[str, ClassNames]:
    """Model type -> name of the class for a task, from what the architectures declare.

    Args:
        task: What follows `AutoModelFor`: "CausalLM".
        heads: Endings of class names that serve the task, the preferred one first.
    """
    table = {}
    for model_type, arch in architectures().items():
        suffix = arch.auto.get(task) if task in arch.auto else _first_head(arch, heads)
        if suffix is not None:
            table[model_type] = _with_prefix(arch.prefix, suffix)
    return table


def _first_head(arch: Arch, heads: Iterable[str]) -> str | None:
    return next((head for head in heads if head in arch.suffixes), None)


def _with_prefix(prefix: str, suffix: str | tuple[str, ...]) -> ClassNames:
    return prefix + suffix if isinstance(suffix, str) else tuple(prefix + part for part in suffix)


class _BaseAutoModelClass:
    """Base of the auto classes of models; `class AutoModelForCausalLM(_BaseAutoModelClass, mapping=…, heads=…)`.

    Class keywords:
        mapping: Name of the table, "MODEL_FOR_CAUSAL_LM_MAPPING".
        heads: Endings of the class names that serve the task, the preferred one first.
    """

    _model_mapping: ClassVar[Any] = None
    mapping_name: ClassVar[str] = ""

    def __init_subclass__(cls, mapping: str = "", heads: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if mapping:
            task = cls.__name__.removeprefix("AutoModelFor").removeprefix("Auto").removeprefix("Model") or "Model"
            cls.mapping_name = mapping
            cls._model_mapping = _LazyAutoMapping(None, lambda: task_names(task, heads.split()))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        raise OSError(
            f"{name} has no instances: call `{name}.from_pretrained(name_or_path)` or "
            f"`{name}.from_config(config)`, which choose the class."
        )

    @classmethod
    def from_config(cls, config: PretrainedConfig, **kwargs: Any) -> Any:
        """A model with new weights.

        Args:
            config: Decides on the class, and on the sizes.
            kwargs: `torch_dtype`, `attn_implementation`; `trust_remote_code=True` to run code that `config` refers to.

        Raises:
            ValueError: no class of this kind for such a configuration.
            RemoteCodeError: (a `ValueError`) the configuration needs code that the caller does not trust.
        """
        trust_remote_code, code_revision = kwargs.pop("trust_remote_code", None), kwargs.pop("code_revision", None)
        name = getattr(config, "name_or_path", "")
        model_class = cls._find_class(config, name, trust_remote_code, code_revision=code_revision)
        return model_class._from_config(config, **kwargs)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *model_args: Any, **kwargs: Any
    ) -> Any:
        """A model with the weights of a checkpoint.

        Args:
            pretrained_model_name_or_path: A folder, or a Hub id.
            model_args: Further arguments of the model's constructor.
            kwargs: Those of `PreTrainedModel.from_pretrained`; values that replace those of the configuration; and
                `trust_remote_code=True` to run the code that the repository brings (`code_revision`: which revision).

        Raises:
            OSError: files are missing or broken.
            ValueError: no class of this kind for such a configuration.
            RemoteCodeError: (a `ValueError`) the model needs code that the caller does not trust.
        """
        config = kwargs.pop("config", None)
        trust_remote_code, code_revision = kwargs.pop("trust_remote_code", None), kwargs.pop("code_revision", None)
        PretrainedConfig._set_token_in_kwargs(kwargs)
        hub = {name: kwargs.pop(name) for name in _HUB_OPTIONS if name in kwargs}
        commit = kwargs.pop("_commit_hash", None)
        adapter_kwargs = kwargs.pop("adapter_kwargs", None) or {}
        name, adapter = _base_of_adapter(pretrained_model_name_or_path, hub | adapter_kwargs, commit)
        if not isinstance(config, PretrainedConfig):
            # The model needs these itself, though the configuration has attributes of the same names.
            kept: dict[str, Any] = {
                key: kwargs.pop(key) for key in ("torch_dtype", "quantization_config") if key in kwargs
            }
            config, kwargs = AutoConfig.from_pretrained(
                name if config is None else config,
                return_unused_kwargs=True,
                trust_remote_code=trust_remote_code,
                code_revision=code_revision,
                _commit_hash=commit,
                **hub,
                **kwargs,
            )
            kwargs |= kept
        model_class = cls._find_class(config, name, trust_remote_code, code_revision=code_revision, **hub)
        if adapter is not None:
            adapter_kwargs = {**adapter_kwargs, "_adapter_model_path": adapter}
        if adapter_kwargs:
            kwargs["adapter_kwargs"] = adapter_kwargs
        return model_class.from_pretrained(name, *model_args, config=config, **hub, **kwargs)

    @classmethod
    def _find_class(cls, config: Any, name: Any, trust_remote_code: bool | None, **code_options: Any) -> Any:
        """The class of the model for a configuration: ours, a registered one, or one that the repository brings."""
        if not isinstance(config, PretrainedConfig):
            raise ValueError(
                f"{cls.__name__} needs a configuration (a PretrainedConfig), found {type(config).__name__}. To load a"
                f" checkpoint by its name use {cls.__name__}.from_pretrained(name)."
            )
        auto_map = getattr(config, "auto_map", None)
        reference = auto_map.get(cls.__name__) if isinstance(auto_map, dict) else None
        known = type(config) in cls._model_mapping
        if resolve_trust_remote_code(trust_remote_code, name, known, reference is not None):
            model_class = get_class_from_dynamic_module(str(reference), name, **code_options)
            if os.path.isdir(name):
                model_class.register_for_auto_class(cls.__name__)
            else:
                cls.register(type(config), model_class, exist_ok=True)
            return model_class
        if not known:
            raise ValueError(cls._unsupported(type(config)))
        return _choose(config, cls._model_mapping[type(config)])

    @classmethod
    def _unsupported(cls, config_class: type) -> str:
        """What to say about a configuration that has no class of this kind."""
        mapping = cls._model_mapping
        names = [str(architectures()[key].config) for key in mapping._model_mapping]
        names = sorted(names + [key.__name__ for key in mapping._extra_content])
        offers = _offered(config_class)
        return (
            f"No model takes {config_class} for this kind of AutoModel: {cls.__name__}.\nIt takes the "
            f"configurations {', '.join(names) or '(none has such a model)'}."
            + (f"\n{config_class.__name__} works with {', '.join(offers)}." if offers else "")
        )

    @classmethod
    def register(cls, config_class: type[PretrainedConfig], model_class: Any, exist_ok: bool = False) -> None:
        """Add a model class of one's own.

        Args:
            config_class: The configuration class that leads to it.
            model_class: The class.
            exist_ok: Replace a class of isoform.

        Raises:
            ValueError: there is one already, or the model has another `config_class`.
        """
        expected = getattr(model_class, "config_class", None)
        if expected is not None and expected != config_class:
            raise ValueError(
                f"The model class is for {expected} (its `config_class`), but is being registered for "
                f"{config_class}: register it for its own."
            )
        cls._model_mapping.register(config_class, model_class, exist_ok=exist_ok)


def _choose(config: PretrainedConfig, classes: Any) -> Any:
    """Of several classes, the one that `config.architectures` names, else the first."""
    if not isinstance(classes, (list, tuple)):
        return classes
    by_name = {found.__name__: found for found in classes}
    return next((by_name[name] for name in config.architectures or () if name in by_name), classes[0])


def _offered(config_class: type) -> list[str]:
    """The auto classes that do have a model for a configuration class."""
    from . import modeling_auto

    autos = (getattr(modeling_auto, name) for name in modeling_auto.__all__ if name.startswith("Auto"))
    return [auto.__name__ for auto in autos if auto._model_mapping and config_class in auto._model_mapping]


def _base_of_adapter(name: Any, options: dict[str, Any], commit: str | None) -> tuple[Any, Any]:
    """The model that an adapter of peft was trained on, with the adapter's own place; else the name, and None."""
    from ...utils import is_peft_available

    if not is_peft_available():
        return name, None
    from ...utils.peft_utils import find_adapter_config_file

    path = find_adapter_config_file(name, _commit_hash=commit, **options)
    if path is None:
        return name, None
    base = PretrainedConfig._dict_from_json_file(path).get("base_model_name_or_path")
    return (base, name) if base else (name, None)


def get_values(model_mapping: Mapping[Any, Any]) -> list[Any]:
    """All classes of a table; tuples of classes are flattened."""
    found: list[Any] = []
    for value in model_mapping.values():
        found.extend(value if isinstance(value, (list, tuple)) else [value])
    return found


def auto_class_update(cls: Any, checkpoint_for_example: str = "", head_doc: str = "") -> Any:
    """For code that makes auto classes of its own as with the reference; nothing needs to be updated here."""
    if head_doc and not cls.__doc__:
        cls.__doc__ = f"A model with a head for {head_doc}."
    return cls
