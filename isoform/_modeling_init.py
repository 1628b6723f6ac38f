"""Building a model: when its weights are initialised, and how loading avoids random numbers that it would overwrite."""

from __future__ import annotations

import inspect
import sys
import threading
from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class _Construction(threading.local):
    """What the current thread is building."""

    depth = 0  # constructors of models that are now running
    skip_init = False  # True while weights are about to come from a checkpoint


construction = _Construction()


class ModelMeta(ABCMeta):
    """Calls `post_init()` once, after the outermost model constructor has returned.

    A model contains models (a head its body, an encoder-decoder its two halves); only when the outermost is complete
    are weights initialised and tied, so neither is done twice and model files need not ask for it. It derives from
    `ABCMeta` so that users may mix in abstract classes.
    """

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> None:
        super().__init__(name, bases, namespace, **options)
        if "__doc__" not in namespace:
            cls.__doc__ = _class_docstring(cls.__module__, bases)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        construction.depth += 1
        try:
            model = super().__call__(*args, **kwargs)
        finally:
            construction.depth -= 1
        if construction.depth == 0:
            model.post_init()
        return model

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's, which `__call__` above would hide."""
        parameters = list(inspect.signature(cls.__init__).parameters.values())  # type: ignore[misc]
        return inspect.Signature(parameters[1:])


def _class_docstring(module: str, bases: tuple[type, ...]) -> str | None:
    """What the module says of the architecture, and of a head what its family does."""
    architecture = (getattr(sys.modules.get(module), "__doc__", None) or "").strip().partition("\n")[0]
    families = [base.__doc__ for base in bases if not isinstance(base, ModelMeta) and base.__doc__]
    family = inspect.cleandoc(families[0]).partition("\n\n")[0] if families else ""
    return "\n\n".join(part for part in (family, architecture) if part) or None


@contextmanager
def fresh_construction(skip_init: bool) -> Iterator[None]:
    """Builds a model independently of one that is under construction in this thread (its constructor loads another)."""
    before = construction.depth, construction.skip_init
    construction.depth, construction.skip_init = 0, skip_init
    try:
        yield
    finally:
        construction.depth, construction.skip_init = before


_FILLERS = frozenset(
    [getattr(nn.init, name) for name in dir(nn.init) if name.endswith("_") and not name.startswith("_")]
    + [
        getattr(Tensor, name)
        for name in ("normal_", "uniform_", "zero_", "fill_", "trunc_normal_")
        if hasattr(Tensor, name)
    ]
)


class DeferredInit(TorchFunctionMode):
    """While active in this thread, notes the initialisation of parameters instead of doing it.

    A parameter keeps the untouched memory of `torch.empty`, which the operating system does not even provide until it
    is written. Buffers, and parameters that a constructor computes (sinusoids, say), get their real values. `replay`
    does what was noted for those parameters that turn out to have no weights in the checkpoint.
    """

    def __init__(self) -> None:
        super().__init__()
        self._noted: dict[int, list[tuple[Any, tuple[Any, ...], dict[str, Any]]]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _FILLERS:
            target = args[0] if args else kwargs["tensor"]
            if isinstance(target, nn.Parameter):
                # The call holds the parameter, so its id stays its own.
                self._noted.setdefault(id(target), []).append((func, args, kwargs))
                return target
        return func(*args, **kwargs)

    def replay(self, parameters: list[nn.Parameter]) -> None:
        """Initialises these parameters as their constructors wanted, without advancing the random number generator."""
        noted = [call for parameter in parameters for call in self._noted.get(id(parameter), ())]
        if not noted:
            return
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            for func, args, kwargs in noted:
                func(*args, **kwargs)


# Of these the first always make the default dtype where none is given, the others depending on their values.
_FLOAT_FACTORIES = frozenset(
    [torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.eye, torch.linspace, torch.logspace]
)
_FACTORIES = _FLOAT_FACTORIES | {torch.full, torch.arange, torch.tensor, torch.scalar_tensor}


class DefaultDtype(TorchFunctionMode):
    """Tensors made without a dtype in this thread, that would be of the default dtype, are of `dtype`.

    Unlike `torch.set_default_dtype` it leaves other threads alone. A dtype that a constructor states is respected, and
    so is the precision of what it computes: the division of integers stays in float32.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in _FACTORIES or kwargs.get("dtype") is not None or kwargs.get("out") is not None:
            return func(*args, **kwargs)
        if func in _FLOAT_FACTORIES:
            return func(*args, **{**kwargs, "dtype": self.dtype})
        made = func(*args, **kwargs)
        # torch.tensor takes the dtype of arrays and tensors, which is a stated one.
        stated = made.dtype is not torch.get_default_dtype() or (func is torch.tensor and hasattr(args[0], "dtype"))
        return made if stated else made.to(self.dtype)


@contextmanager
def default_dtype(dtype: torch.dtype | None) -> Iterator[None]:
    """`DefaultDtype`, or nothing where `dtype` is None or the default anyway."""
    if dtype is None or dtype is torch.get_default_dtype():
        yield
        return
    with DefaultDtype(dtype):
        yield


@contextmanager
def no_init_weights(_enable: bool = True) -> Iterator[None]:
    """Models built inside keep uninitialised weights: for callers that load a state dict next.

    Args:
        _enable: False makes this do nothing.
    """
    if not _enable:
        yield
        return
    before = construction.skip_init
    construction.skip_init = True
    try:
        with DeferredInit():
            yield
    finally:
        construction.skip_init = before


def init_weights(model: Any) -> None:
    """Runs `_init_weights` on every module that is not yet initialised, innermost first.

    A model inside a model (of another architecture, perhaps) initialises its own modules by its own rules.
    """
    for child in model.children():
        _init_below(model, child)
    _init_module(model, model)


def _init_below(owner: Any, module: nn.Module) -> None:
    inner = module if hasattr(module, "_init_weights") else owner
    for child in module.children():
        _init_below(inner, child)
    _init_module(inner, module)


def _init_module(owner: Any, module: nn.Module) -> None:
    if not module.__dict__.get("_is_hf_initialized", False):
        owner._init_weights(module)
        module.__dict__["_is_hf_initialized"] = True


def default_init_weights(module: nn.Module, std: float) -> None:
    """The usual initialisation: normal weights of deviation `std`, zero biases and padding rows, norms one.

    Applies to linear, convolution, `Conv1D`, embedding and norm layers; other modules keep what they have.
    """
    from .pytorch_utils import Conv1D

    if isinstance(module, (nn.Linear, Conv1D, nn.modules.conv._ConvNd)):
        module.weight.data.normal_(0.0, std)
        if module.bias is not None:
            module.bias.data.zero_()
    elif isinstance(module, nn.Embedding):
        module.weight.data.normal_(0.0, std)
        if module.padding_idx is not None:
            module.weight.data[module.padding_idx].zero_()
    elif isinstance(module, (nn.LayerNorm, nn.GroupNorm)) or type(module).__name__.endswith("RMSNorm"):
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            parameter = getattr(module, name, None)
            if isinstance(parameter, Tensor):
                parameter.data.fill_(value)
