"""Logging of the library: one root logger, its verbosity, its handler and the progress bars.

`TRANSFORMERS_VERBOSITY` (or `ISOFORM_VERBOSITY`, which wins) sets the level at start-up: `detail`, `debug`, `info`,
`warning`, `error` or `critical`; `detail` also shows file, line and time. A true value of
`TRANSFORMERS_NO_ADVISORY_WARNINGS` (or `ISOFORM_NO_ADVISORY_WARNINGS`) silences `logger.warning_advice`. Where `CI` is
true, records also propagate to Python's root logger, so that a test runner can capture them.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from logging import (
    CRITICAL,
    DEBUG,
    ERROR,
    FATAL,
    INFO,
    NOTSET,
    WARN,
    WARNING,
)
from logging import captureWarnings as _capture_warnings
from typing import Any, cast

__all__ = [
    "CRITICAL",
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "NOTSET",
    "WARN",
    "WARNING",
    "Logger",
    "add_handler",
    "captureWarnings",
    "disable_default_handler",
    "disable_progress_bar",
    "disable_propagation",
    "enable_default_handler",
    "enable_explicit_format",
    "enable_progress_bar",
    "enable_propagation",
    "get_log_levels_dict",
    "get_logger",
    "get_verbosity",
    "is_progress_bar_enabled",
    "remove_handler",
    "reset_format",
    "set_verbosity",
    "set_verbosity_debug",
    "set_verbosity_error",
    "set_verbosity_info",
    "set_verbosity_warning",
    "tqdm",
]

log_levels: dict[str, int] = {
    "detail": DEBUG,  # debug, with the place and time of each record
    "debug": DEBUG,
    "info": INFO,
    "warning": WARNING,
    "error": ERROR,
    "critical": CRITICAL,
}

_ROOT_NAME = __name__.partition(".")[0]
_EXPLICIT_FORMAT = "[%(levelname)s|%(filename)s:%(lineno)s] %(asctime)s >> %(message)s"
_DETAIL_FORMAT = "[%(levelname)s|%(pathname)s:%(lineno)s] %(asctime)s >> %(message)s"
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})

_lock = threading.RLock()
_default_handler: logging.Handler | None = None
_progress_bars = True


class Logger(logging.Logger):
    """A logger with two more methods; `get_logger` returns one."""

    def warning_advice(self, *args: Any, **kwargs: Any) -> None:
        """Like `warning`, unless the environment asks for no advisory warnings."""
        if not _setting("NO_ADVISORY_WARNINGS"):
            self.warning(*args, stacklevel=kwargs.pop("stacklevel", 2), **kwargs)

    def warning_once(self, *args: Any, **kwargs: Any) -> None:
        """Like `warning`, but a message with the same arguments is emitted once per process."""
        shown: set[tuple[Any, ...]] = self.__dict__.setdefault("_shown_once", set())
        if args not in shown:
            shown.add(args)
            self.warning(*args, stacklevel=kwargs.pop("stacklevel", 2), **kwargs)


def _setting(name: str) -> str | None:
    """The value of `ISOFORM_<name>`, else of `TRANSFORMERS_<name>`, if any is set and not empty."""
    return os.environ.get(f"ISOFORM_{name}") or os.environ.get(f"TRANSFORMERS_{name}")


def _level_from_environment() -> int:
    wanted = _setting("VERBOSITY")
    if not wanted:
        return WARNING
    if wanted.lower() in log_levels:
        return log_levels[wanted.lower()]
    logging.getLogger().warning(
        "Unknown verbosity %r in the environment (ISOFORM_VERBOSITY or TRANSFORMERS_VERBOSITY): use one of %s.",
        wanted,
        ", ".join(log_levels),
    )
    return WARNING


def _root() -> Logger:
    """The library's root logger, configured on first use."""
    global _default_handler
    root = _as_library_logger(logging.getLogger(_ROOT_NAME))
    with _lock:
        if _default_handler is None:
            # `pythonw` and some services have no standard error.
            handler = logging.StreamHandler() if sys.stderr is not None else logging.NullHandler()
            if (_setting("VERBOSITY") or "").lower() == "detail":
                handler.setFormatter(logging.Formatter(_DETAIL_FORMAT))
            root.addHandler(handler)
            root.addHandler(logging.NullHandler())  # else Python's last resort shows what no other handler does
            root.setLevel(_level_from_environment())
            root.propagate = os.environ.get("CI", "").upper() in _TRUE
            _default_handler = handler
    return root


def _as_library_logger(logger: logging.Logger) -> Logger:
    """Gives an existing logger the methods of `Logger`; one of a foreign class keeps that class besides."""
    if not isinstance(logger, Logger):
        kind = type(logger)
        logger.__class__ = Logger if kind is logging.Logger else type(kind.__name__, (Logger, kind), {})
    return cast(Logger, logger)


def get_logger(name: str | None = None) -> Logger:
    """Returns the logger called `name`, or the library's root logger.

    Names below `transformers` mean this library, so that code written for that package logs through ours.
    """
    root = _root()
    if name is None:
        return root
    first, dot, rest = name.partition(".")
    if first == "transformers":
        name = f"{_ROOT_NAME}{dot}{rest}"
    return _as_library_logger(logging.getLogger(name))


def get_log_levels_dict() -> dict[str, int]:
    """The level names that the environment variable accepts, with their values."""
    return log_levels


def get_verbosity() -> int:
    """The level of the library's root logger: 10 (debug), 20 (info), 30 (warning), 40 (error) or 50 (critical)."""
    return _root().getEffectiveLevel()


def set_verbosity(verbosity: int) -> None:
    """Sets the level of the library's root logger, for instance to `logging.INFO`."""
    _root().setLevel(verbosity)


def set_verbosity_info() -> None:
    """Shows errors, warnings and basic information."""
    set_verbosity(INFO)


def set_verbosity_warning() -> None:
    """Shows errors and warnings: the default."""
    set_verbosity(WARNING)


def set_verbosity_debug() -> None:
    """Shows everything."""
    set_verbosity(DEBUG)


def set_verbosity_error() -> None:
    """Shows errors only."""
    set_verbosity(ERROR)


def enable_default_handler() -> None:
    """Sends the library's records to standard error again, after `disable_default_handler`."""
    root = _root()
    assert _default_handler is not None
    root.addHandler(_default_handler)


def disable_default_handler() -> None:
    """Stops sending the library's records to standard error."""
    root = _root()
    assert _default_handler is not None
    root.removeHandler(_default_handler)


def add_handler(handler: logging.Handler) -> None:
    """Adds a handler to the library's root logger."""
    _root().addHandler(handler)


def remove_handler(handler: logging.Handler) -> None:
    """Removes a handler that was added before; `ValueError` if it was not."""
    root = _root()
    if handler not in root.handlers:
        raise ValueError(f"remove_handler: {handler!r} is not a handler of the logger {root.name!r}")
    root.removeHandler(handler)


def enable_propagation() -> None:
    """Passes records on to Python's root logger; disable the default handler too if records then show twice."""
    _root().propagate = True


def disable_propagation() -> None:
    """Stops passing records on to Python's root logger: the default outside CI."""
    _root().propagate = False


def enable_explicit_format() -> None:
    """Formats the records of every handler as `[LEVEL|file:line] time >> message`."""
    _set_format(logging.Formatter(_EXPLICIT_FORMAT))


def reset_format() -> None:
    """Removes the format that `enable_explicit_format` set."""
    _set_format(None)


def _set_format(formatter: logging.Formatter | None) -> None:
    for handler in _root().handlers:
        handler.setFormatter(formatter)


def captureWarnings(capture: bool) -> None:
    """Routes Python's `warnings` through the library's handler and verbosity, or stops doing so."""
    root = _root()
    logger = get_logger("py.warnings")
    if not logger.handlers and _default_handler is not None:
        logger.addHandler(_default_handler)
    logger.setLevel(root.level)
    _capture_warnings(capture)


class EmptyTqdm:
    """Stands in for a progress bar that is switched off: iterates, and accepts every call."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._iterable = args[0] if args else kwargs.get("iterable")

    def __iter__(self) -> Any:
        return iter(self._iterable if self._iterable is not None else ())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None

    def __enter__(self) -> EmptyTqdm:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        return None


class _Tqdm:
    """Makes progress bars: real ones of `tqdm`, or empty ones after `disable_progress_bar`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _bar_class()(*args, **kwargs) if _progress_bars else EmptyTqdm(*args, **kwargs)

    def set_lock(self, *args: Any, **kwargs: Any) -> Any:
        return _bar_class().set_lock(*args, **kwargs) if _progress_bars else None

    def get_lock(self) -> Any:
        return _bar_class().get_lock() if _progress_bars else None


def _bar_class() -> Any:
    from tqdm import auto

    return auto.tqdm


tqdm = _Tqdm()


def is_progress_bar_enabled() -> bool:
    """Whether progress bars are shown."""
    return _progress_bars


def enable_progress_bar() -> None:
    """Shows progress bars: the default."""
    _set_progress_bars(True)


def disable_progress_bar() -> None:
    """Shows no progress bars, those of `huggingface_hub` included."""
    _set_progress_bars(False)


def _set_progress_bars(active: bool) -> None:
    global _progress_bars
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    _progress_bars = active
    if active:
        enable_progress_bars()
    else:
        disable_progress_bars()
