"""The registry: each architecture declares itself in one literal, and every table of names is derived from these.

`models/<folder>/__init__.py` holds

    ARCH = Arch("gpt_neox", "GPTNeoX", torch="Model ForCausalLM", tokenizer=(None, "GPTNeoXTokenizerFast"))
    __getattr__, __dir__ = ARCH.attributes(__name__)

From that follow `isoform.GPTNeoXModel`, `isoform.models.gpt_neox.GPTNeoXModel`, the auto mappings and the type stubs.
Nothing here imports torch; a class is imported when it is first asked for.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .errors import MissingExtraError

__all__ = ["EXTRAS", "Arch", "Export", "architectures", "by_config_name", "exports", "lazy_namespace", "placeholder"]

# Extra of pyproject.toml -> the modules that must be importable for it.
EXTRAS: dict[str, tuple[str, ...]] = {
    "vision": ("PIL",),
    "audio": ("soundfile",),
    "sentencepiece": ("sentencepiece",),
    "train": ("accelerate",),
    "deepspeed": ("deepspeed",),
    "jax": ("jax", "optax"),
    "tensorflow": ("tensorflow", "keras"),
    "onnx": ("onnx", "onnxruntime"),
    "quantization": ("bitsandbytes",),
    "agents": ("datasets",),
}

Hooks = tuple[Callable[[str], Any], Callable[[], list[str]]]  # a module's __getattr__ and __dir__


class Export(NamedTuple):
    """Where a public name lives: a module below `isoform`, and the extra that it needs, if any."""

    module: str
    extra: str | None = None

    def load(self, name: str) -> Any:
        """Import the object called `name`; a placeholder that raises on use when the extra is not installed.

        Raises:
            MissingExtraError: the module needs a package that none of the installed extras brought.
        """
        if self.extra and not _installed(self.extra):
            return placeholder(name, self.extra)
        try:
            module = importlib.import_module(f"{__package__}.{self.module}")
        except ModuleNotFoundError as error:
            extra = _extra_of(error.name)
            if extra is None:
                raise
            raise MissingExtraError(name, extra) from error
        return getattr(module, name)


@dataclass(eq=False)
class Arch:
    """One architecture.

    Args:
        model_type: The `model_type` of its `config.json`.
        prefix: What its class names begin with, "GPTNeoX".
        torch: What follows the prefix in the names of its torch classes: "Model ForCausalLM". `<prefix>PreTrainedModel`
            is implied.
        tokenizer: Names of the Python and of the Rust tokenizer class; None where there is none. A name that does not
            begin with the prefix belongs to another architecture.
        config: Name of the configuration class; by default `<prefix>Config`, and none if there are no torch classes.
        image_processor, feature_extractor, processor: Names of these classes, if any.
        auto: Where the auto tables deviate from what the suffixes imply: task -> suffix (or several), None to leave
            the task out. A task is what follows `AutoModelFor`: `{"TextEncoding": "Model", "AudioXVector": None}`.
        also: Further public names by kind of module: `{"modeling": "load_tf_weights_in_gpt2 GPT2Attention"}`.
        base: Whether there is a `<prefix>PreTrainedModel`.
        extra: Extra that the torch classes need (most need none).
        file: Ending of its module names, `modeling_<file>`; by default the model type with underscores.
        title: Name for people, "GPT NeoX"; by default the prefix.
    """

    model_type: str
    prefix: str
    torch: str = ""
    tokenizer: tuple[str | None, str | None] = (None, None)
    config: str | None = None
    image_processor: str | None = None
    feature_extractor: str | None = None
    processor: str | None = None
    auto: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    base: bool = True
    extra: str | None = None
    file: str = ""
    title: str = ""
    folder: str = field(init=False)  # name of the package below isoform.models, set by `attributes`

    def __post_init__(self) -> None:
        self.file = self.file or self.model_type.replace("-", "_")
        self.folder = self.file
        self.title = self.title or self.prefix
        if self.config is None and self.torch:
            self.config = f"{self.prefix}Config"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What follows the prefix in the names of the torch classes."""
        return tuple(self.torch.split())

    @functools.cached_property
    def exports(self) -> dict[str, Export]:
        """Each public name of this architecture, with its module."""
        return {
            name: Export(f"models.{self.folder}.{module}", extra)
            for module, names, extra in self._modules()
            for name in names
        }

    def _modules(self) -> Iterator[tuple[str, Iterable[str], str | None]]:
        """Module, the public names in it, and the extra that they need."""

        def own(*names: str | None) -> list[str]:
            # Many architectures use the tokenizer or the image processor of another one.
            return [name for name in names if name and name.startswith(self.prefix)]

        yield f"configuration_{self.file}", own(self.config), None
        if self.torch:
            base = ("PreTrainedModel",) if self.base else ()
            names = [self.prefix + suffix for suffix in (*self.suffixes, *base)]
            yield f"modeling_{self.file}", names, self.extra
        slow, fast = self.tokenizer
        yield f"tokenization_{self.file}", own(slow), None
        yield f"tokenization_{self.file}_fast", own(fast), None
        yield f"image_processing_{self.file}", own(self.image_processor), "vision"
        extra = "vision" if self.image_processor else None  # where both exist, the former is the latter's old name
        yield f"feature_extraction_{self.file}", own(self.feature_extractor), extra
        yield f"processing_{self.file}", own(self.processor), None
        for kind, further in self.also.items():
            yield f"{kind}_{self.file}", further.split(), self.extra if kind == "modeling" else None

    def load(self, name: str) -> Any:
        """Import one of the classes in `exports`.

        Raises:
            AttributeError: the architecture has no such class.
        """
        if name not in self.exports:
            raise AttributeError(f"{self.title} has no {name}; it has: {', '.join(sorted(self.exports))}")
        return self.exports[name].load(name)

    def attributes(self, package: str, *others: Arch) -> Hooks:
        """`__getattr__` and `__dir__` for the package of this architecture (and of others in the same folder)."""
        folder = package.rpartition(".")[2]
        for arch in (self, *others):
            arch.folder = folder
        return lazy_namespace(package, lambda: {k: v for arch in (self, *others) for k, v in arch.exports.items()})


def lazy_namespace(package: str, *tables: Callable[[], Mapping[str, Export]]) -> Hooks:
    """`__getattr__` and `__dir__` (PEP 562) of a package whose names are imported when they are first used.

    The tables are asked in order, so that cheap ones may stand first. Submodules are found as attributes too
    (`isoform.models.gpt2` after `import isoform`).
    """

    def __getattr__(name: str) -> Any:
        module = sys.modules[package]
        if name == "__all__":  # for `from isoform import *`
            return sorted({public for table in tables for public in table()})
        if name.startswith("__"):  # probes of inspect, doctest and the like
            raise AttributeError(f"module '{package}' has no attribute '{name}'", name=name, obj=module)
        entry = next((found for table in tables if (found := table().get(name))), None)
        if entry is not None:
            value = entry.load(name)
        elif _has_submodule(module.__path__, name):
            value = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module '{package}' has no attribute '{name}'", name=name, obj=module)
        setattr(module, name, value)
        return value

    def __dir__() -> list[str]:
        module = sys.modules[package]
        submodules = (found.name for found in pkgutil.iter_modules(module.__path__) if not found.name.startswith("_"))
        return sorted({*vars(module), *submodules, *(name for table in tables for name in table())})

    return __getattr__, __dir__


def _has_submodule(path: Iterable[str], name: str) -> bool:
    return any(finder.find_spec(name) for finder in map(pkgutil.get_importer, path) if finder is not None)


@functools.cache
def architectures() -> dict[str, Arch]:
    """All architectures by model type, in alphabetical order of their folders. Imports each (tiny) package once."""
    models = importlib.import_module(f"{__package__}.models")
    found: dict[str, Arch] = {}
    for module in pkgutil.iter_modules(models.__path__):
        if not module.ispkg or module.name == "auto":
            continue
        declared = getattr(importlib.import_module(f"{models.__name__}.{module.name}"), "ARCH", ())
        for arch in (declared,) if isinstance(declared, Arch) else declared:
            found[arch.model_type] = arch
    return found


@functools.cache
def by_config_name() -> dict[str, Arch]:
    """Architectures by the name of their configuration class; the first one where several share it."""
    return {arch.config: arch for arch in reversed(architectures().values()) if arch.config}


@functools.cache
def exports() -> dict[str, Export]:
    """The public names of all architectures."""
    return {name: entry for arch in architectures().values() for name, entry in arch.exports.items()}


@functools.cache
def _installed(extra: str) -> bool:
    return all(importlib.util.find_spec(module) for module in EXTRAS[extra])


def _extra_of(module: str | None) -> str | None:
    """The extra that brings a top-level module, None for modules that no extra brings."""
    top = (module or "").partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if top in modules), None)


class _Placeholder(type):
    """Metaclass of stand-ins for classes whose extra is missing: importing works, every use names the extra."""

    def __getattribute__(cls, name: str) -> Any:
        if name.startswith("_") or name == "mro":
            return super().__getattribute__(name)
        raise MissingExtraError(cls.__name__, cls.__dict__["_extra"])

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise MissingExtraError(cls.__name__, cls.__dict__["_extra"])


def placeholder(name: str, extra: str) -> type:
    """A class that stands in for `name`: it can be imported and named, but any use raises `MissingExtraError`."""
    return _Placeholder(name, (), {"_extra": extra, "__module__": __package__, "__doc__": f"Needs isoform[{extra}]."})
