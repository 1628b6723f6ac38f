"""Opt-in alias: makes `import transformers` mean isoform, for scripts and libraries that cannot be changed.

    import isoform.compat
    isoform.compat.install()              # before anything imports `transformers`
    from transformers import pipeline     # isoform's

or, without touching the script: `python -m isoform.compat script.py ARGUMENTS` (or `-m module ARGUMENTS`).

Every module path below `transformers` is the module of the same path below `isoform`: the same object, not a second
copy. `transformers.__version__` and the installed version that `importlib.metadata` reports are the version of the API
that isoform implements. Processes that are started afresh, other than by `fork`, need the alias again.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..utils import API_VERSION

__all__ = ["Alias", "install", "is_installed", "uninstall"]

OURS = __name__.partition(".")[0]
THEIRS = "transformers"


class _TopModule(ModuleType):
    """Stands for `transformers`: all attributes are isoform's, except for the name, the version and the like."""

    def __init__(self, target: ModuleType) -> None:
        super().__init__(THEIRS, target.__doc__)
        own = {"__version__": API_VERSION, "__file__": target.__file__, "__path__": target.__path__, "_target": target}
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_") and _can_import(self._target, public)]
        return getattr(self._target, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(self._target, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._target, name)

    def __dir__(self) -> list[str]:
        return dir(self._target)


def _can_import(module: ModuleType, name: str) -> bool:
    """Whether a name can be had here; those of missing extras cannot."""
    try:
        getattr(module, name)
    except (ImportError, AttributeError):
        return False
    return True


class _Loader:
    """Loads a module of ours under its other name."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        target = importlib.import_module(OURS + spec.name.removeprefix(THEIRS))
        if spec.name == THEIRS:
            return _TopModule(target)
        self._own_spec = target.__spec__
        return target

    def exec_module(self, module: ModuleType) -> None:
        # The module has run already, under its own name. The import system has just changed its `__spec__`.
        if module.__name__ != THEIRS:
            module.__spec__ = self._own_spec


class _Finder(importlib.metadata.DistributionFinder):
    """Finds `transformers` and the modules below it, and answers for the distribution of that name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != THEIRS:
            return None
        found = importlib.util.find_spec(OURS + fullname.removeprefix(THEIRS))
        if found is None:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, _Loader(), origin=found.origin)  # type: ignore[arg-type]
        spec.submodule_search_locations = found.submodule_search_locations
        return spec

    def find_distributions(  # type: ignore[override]
        self, context: importlib.metadata.DistributionFinder.Context | None = None
    ) -> Iterator[importlib.metadata.Distribution]:
        name = context.name if context is not None else None
        if name is None or name.lower() == THEIRS:
            yield _Distribution()


class _Distribution(importlib.metadata.Distribution):
    """What `importlib.metadata` tells about `transformers`."""

    def read_text(self, filename: str) -> str | None:
        if filename == "METADATA":
            return f"Metadata-Version: 2.1\nName: {THEIRS}\nVersion: {API_VERSION}\nSummary: alias of {OURS}\n"
        return f"{THEIRS}\n" if filename == "top_level.txt" else None

    def locate_file(self, path: str | os.PathLike[str]) -> Path:  # type: ignore[override]
        return Path(__file__).parents[2] / path


class Alias:
    """What `install` returns: a context manager whose end removes the alias, if this call had made it."""

    def __init__(self, is_new: bool) -> None:
        self._is_new = is_new

    def __enter__(self) -> Alias:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._is_new:
            uninstall()


def is_installed() -> bool:
    """Whether `transformers` means isoform in this process."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def install() -> Alias:
    """Makes `transformers` mean isoform in this process, also where the package of that name is installed.

    Returns:
        A context manager: `with install(): ...` removes the alias afterwards.

    Raises:
        ImportError: The package `transformers` has been imported already.
    """
    if is_installed():
        return Alias(is_new=False)
    if THEIRS in sys.modules:
        where = getattr(sys.modules[THEIRS], "__file__", None) or "an unknown place"
        raise ImportError(
            f"the package {THEIRS!r} has been imported already, from {where}: call isoform.compat.install() before the "
            "first import of it, or run the program with `python -m isoform.compat script.py`"
        )
    sys.meta_path.insert(0, _Finder())
    return Alias(is_new=True)


def uninstall() -> None:
    """Removes the alias. Modules that were imported through it keep working; new imports find what is installed."""
    if not is_installed():
        return
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name in sys.modules if name == THEIRS or name.startswith(f"{THEIRS}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
