"""Activation functions by the names that configurations use (`config.hidden_act`)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Activation(nn.Module):
    """A parameterless module around the function given in the class statement."""

    function: Callable[[Tensor], Tensor]

    def __init_subclass__(cls, function: Callable[[Tensor], Tensor] | None = None) -> None:
        if function is not None:
            cls.function = staticmethod(function)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _laplace(x: Tensor, mu: float = 0.707107, sigma: float = 0.282095) -> Tensor:
    """Cumulative Laplace-like gate of Mega (Ma et al. 2022, section 3.3)."""
    return 0.5 * (1.0 + torch.erf((x - mu) / (sigma * math.sqrt(2.0))))


class PytorchGELUTanh(Activation, function=partial(F.gelu, approximate="tanh")): ...


class NewGELUActivation(PytorchGELUTanh):
    """The tanh approximation of GELU (Hendrycks and Gimpel 2016), as in GPT and BERT's original code."""


class FastGELUActivation(PytorchGELUTanh): ...


class AccurateGELUActivation(PytorchGELUTanh): ...


class QuickGELUActivation(Activation, function=lambda x: x * torch.sigmoid(1.702 * x)): ...


class MishActivation(Activation, function=F.mish): ...


class LinearActivation(Activation, function=lambda x: x): ...


class LaplaceActivation(Activation, function=_laplace): ...


class ReLUSquaredActivation(Activation, function=lambda x: F.relu(x).square()): ...


class GELUActivation(Activation, function=F.gelu):
    """Exact GELU. `use_gelu_python` is accepted for the documented signature and changes nothing."""

    def __init__(self, use_gelu_python: bool = False) -> None:
        super().__init__()


class ClippedGELUActivation(nn.Module):
    """GELU with its output limited to [`min`, `max`], which keeps int8 quantization of it exact."""

    def __init__(self, min: float, max: float) -> None:
        super().__init__()
        if min > max:
            raise ValueError(f"`min` must not exceed `max`, found min={min} and max={max}")
        self.min, self.max = min, max

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x).clip(self.min, self.max)


_FACTORIES: dict[str, Callable[[], nn.Module]] = {
    "gelu": GELUActivation,
    "gelu_10": partial(ClippedGELUActivation, -10, 10),
    "gelu_fast": FastGELUActivation,
    "gelu_new": NewGELUActivation,
    "gelu_python": partial(GELUActivation, True),
    "gelu_pytorch_tanh": PytorchGELUTanh,
    "gelu_accurate": AccurateGELUActivation,
    "laplace": LaplaceActivation,
    "leaky_relu": nn.LeakyReLU,
    "linear": LinearActivation,
    "mish": MishActivation,
    "quick_gelu": QuickGELUActivation,
    "relu": nn.ReLU,
    "relu2": ReLUSquaredActivation,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "tanh": nn.Tanh,
}


class ClassInstantier(OrderedDict):
    """A mapping that answers with a new module for each look-up."""

    def __getitem__(self, key: str) -> nn.Module:
        return super().__getitem__(key)()


ACT2CLS = dict(_FACTORIES)
ACT2FN = ClassInstantier(_FACTORIES)


def get_activation(activation_string: str) -> nn.Module:
    """A module for a name such as `"gelu_new"`.

    Raises:
        KeyError: the name is unknown; the message lists the known ones.
    """
    if activation_string in _FACTORIES:
        return _FACTORIES[activation_string]()
    raise KeyError(f"there is no activation {activation_string!r}; ACT2FN has {list(_FACTORIES)}")


gelu, gelu_new, gelu_fast, quick_gelu = map(get_activation, ("gelu", "gelu_new", "gelu_fast", "quick_gelu"))
gelu_python, silu, mish, linear_act = map(get_activation, ("gelu_python", "silu", "mish", "linear"))
