"""The operator `isoform::small_linear`: matrix products with a few rows, at the speed of reading the weights once.

Its source is `assets/kernels/small_linear.cpp`. It is compiled on first use, in about a second, for the processor at
hand, and kept in the user's cache.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import mmap
import os
import platform
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ..utils import logging

logger = logging.get_logger(__name__)

SOURCE = Path(__file__).parents[1] / "assets" / "kernels" / "small_linear.cpp"
FLAGS = ("-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", "-std=c++17")

# Rows up to which reading the weights dominates; beyond, torch's blocked products win (bfloat16: matrix units).
MOST_ROWS = {torch.float32: 8, torch.bfloat16: 2}

_HUGE_PAGE, _ALIGNMENT = 2**21, 64
_WORTH_MOVING = 2**26  # bytes; smaller models fit into the processor's cache

_HELPERS: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

_DEFINITIONS = torch.library.Library("isoform", "DEF")
_DEFINITIONS.define("small_linear(Tensor x, Tensor weight, Tensor? bias, bool transposed) -> Tensor")


def _small_linear(x: Tensor, weight: Tensor, bias: Tensor | None, transposed: bool) -> Tensor:
    """`x @ weight.T + bias`, or `x @ weight + bias` if transposed; `x` is `(..., in)` with at most `MOST_ROWS` rows."""
    k, n = weight.shape if transposed else weight.shape[::-1]
    x = x.contiguous()
    y = x.new_empty(*x.shape[:-1], n)
    name = f"{'conv1d' if transposed else 'linear'}_{str(x.dtype)[6:]}"
    getattr(_library(), name)(
        x.data_ptr(),
        weight.data_ptr(),
        None if bias is None else bias.data_ptr(),
        y.data_ptr(),
        x.numel() // k,
        n,
        k,
    )
    return y


_DEFINITIONS.impl("small_linear", _small_linear, "CPU")


@torch.library.register_fake("isoform::small_linear")
def _(x: Tensor, weight: Tensor, bias: Tensor | None, transposed: bool) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[1 if transposed else 0])


def suits(x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether the operator can do this product, and faster than torch."""
    tensors = [x, weight] if bias is None else [x, weight, bias]
    same = all(t.device.type == "cpu" and t.dtype == x.dtype for t in tensors)
    rows = x.numel() // max(x.shape[-1], 1)
    plain = weight.dim() == 2 and weight.is_contiguous() and (bias is None or bias.dim() == 1)
    return same and plain and rows <= MOST_ROWS.get(x.dtype, 0)


def use_huge_pages(model: torch.nn.Module) -> None:
    """Move a large model's weights, one by one, to memory of large pages, which is read up to 1.4 times as fast.

    Parameters stay the same objects. Those that share their memory with something else stay where they are, and where
    the system has no large pages, nothing is gained or lost. In programs of several threads nothing is done: one of
    them might be reading the old memory.
    """
    own = [p for p in dict.fromkeys(model.parameters()) if _is_alone(p)]
    size = sum(-(-p.nbytes // _ALIGNMENT) * _ALIGNMENT for p in own)
    if platform.system() != "Linux" or size < _WORTH_MOVING or not _is_only_thread():
        return
    if model.__dict__.get("_weights_moved") == _places(own):
        return
    memory = mmap.mmap(-1, size + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    offset = 0
    for p in own:
        place = torch.frombuffer(memory, dtype=p.dtype, count=p.numel(), offset=offset).view(p.shape)
        p.data = place.copy_(p.data)
        offset += -(-p.nbytes // _ALIGNMENT) * _ALIGNMENT
    model.__dict__["_weights_moved"] = _places(own)


@contextmanager
def starting_helpers() -> Iterator[None]:
    """Threads that start in this context never touch a model."""
    before = set(threading.enumerate())
    try:
        yield
    finally:
        _HELPERS.update(thread for thread in threading.enumerate() if thread not in before)


def _is_only_thread() -> bool:
    """Whether no other thread can be running a model."""
    others = set(threading.enumerate()) - set(_HELPERS) - {threading.current_thread()}
    return all(type(thread).__module__.startswith("tqdm.") for thread in others)


def _places(parameters: list[torch.nn.Parameter]) -> int:
    return hash(tuple(p.data_ptr() for p in parameters))


def _is_alone(p: torch.nn.Parameter) -> bool:
    """Whether it is a plain parameter in memory that nothing else uses knowingly."""
    plain = type(p) is torch.nn.Parameter and p.device.type == "cpu" and p.layout == torch.strided
    return plain and p.is_contiguous() and p.numel() > 0 and not (p._is_view() or p.is_shared() or p.is_inference())


@functools.cache
def available() -> bool:
    """Whether there is a compiler that can build the operator."""
    if platform.system() != "Linux":
        return False
    try:
        _library()
    except (OSError, subprocess.SubprocessError) as error:
        logger.info(f"isoform::small_linear cannot be built, so compiled decoding uses torch's products: {error}")
        return False
    return True


@functools.cache
def _library() -> ctypes.CDLL:
    """The compiled source, from the cache if possible.

    Raises:
        OSError: there is no compiler, or no place to write to.
        subprocess.SubprocessError: the compiler failed.
    """
    compiler = next(
        (path for path in map(shutil.which, (os.environ.get("CXX") or "g++", "c++", "clang++")) if path), None
    )
    if compiler is None:
        raise OSError("no C++ compiler found: install g++, or name one in the environment variable CXX")
    key = hashlib.sha256("\0".join((SOURCE.read_text(), compiler, *FLAGS, _processor())).encode()).hexdigest()[:24]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isoform" / "kernels"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"small_linear-{key}.so"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / path.name
            subprocess.run(
                [compiler, *FLAGS, str(SOURCE), "-o", str(made)], check=True, capture_output=True, timeout=120
            )
            os.replace(made, path)
    loaded = ctypes.CDLL(str(path))
    for form in ("linear", "conv1d"):
        for dtype in ("float32", "bfloat16"):
            function = getattr(loaded, f"{form}_{dtype}")
            function.argtypes, function.restype = [ctypes.c_void_p] * 4 + [ctypes.c_long] * 3, None
    return loaded


def _processor() -> str:
    """What tells apart processors that need different code: folders of users may be shared by several machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return "\n".join(
        sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    )
