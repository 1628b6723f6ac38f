"""The exceptions of isoform.

    IsoformError
    ├── ConfigError       (ValueError)   a configuration whose fields have wrong types or values
    │   ├── ConfigFileError        (OSError)   a configuration file that is not JSON, or no object
    │   └── UnknownModelTypeError  (KeyError)  a `model_type` that no architecture has
    ├── CheckpointError   (OSError)      weights or indexes that are missing, truncated, corrupt or do not fit
    ├── HubError          (OSError)      a file that a folder, the cache or the Hub cannot give
    ├── TokenizerError    (ValueError)   vocabulary files or tokenizer settings that cannot work
    ├── GenerationError   (ValueError)   generation options that contradict each other or the model
    ├── RemoteCodeError   (ValueError)   a repository brings code and the caller did not allow to run it
    └── MissingExtraError (ImportError)  an optional dependency is not installed

Each also derives from the builtin exception that code written for version 4.36 of the reference catches.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CheckpointError",
    "ConfigError",
    "ConfigFileError",
    "GenerationError",
    "HubError",
    "IsoformError",
    "MissingExtraError",
    "RemoteCodeError",
    "TokenizerError",
    "UnknownModelTypeError",
]


class IsoformError(Exception):
    """Base of all errors that isoform raises itself."""


class ConfigError(IsoformError, ValueError):
    """A configuration that cannot be used.

    Args:
        message: What is wrong, when it is not about the type or range of one field.
        field: Name of the offending field.
        expected: What the field must be, in words ("int, at least 1").
        found: The offending value.
        file: Path of the file that the configuration came from.
    """

    def __init__(
        self,
        message: str = "",
        *,
        field: str | None = None,
        expected: str | None = None,
        found: Any = None,
        file: str | None = None,
    ) -> None:
        self.message, self.field, self.expected, self.found, self.file = message, field, expected, found, file
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.message
        if self.expected is not None:
            text = f"field '{self.field}' must be {self.expected}, found {_describe(self.found)}. {text}".rstrip()
        return f"{self.file}: {text}" if self.file else text

    def in_file(self, file: object) -> ConfigError:
        """Name the file that the configuration was read from, unless one is named already."""
        self.file = self.file or str(file)
        self.args = (str(self),)
        return self


class ConfigFileError(ConfigError, OSError):
    """A configuration file that is not JSON, or whose contents are no object."""


class UnknownModelTypeError(ConfigError, KeyError):
    """A `model_type` that no architecture has; the message lists the nearest ones."""


class CheckpointError(IsoformError, OSError):
    """Weights, or the index of their shards, that are missing, truncated, corrupt or do not fit the model."""


class HubError(IsoformError, OSError):
    """A file that a folder, the cache or the Hub cannot give; the message says why and what to do."""


class TokenizerError(IsoformError, ValueError):
    """Vocabulary files or tokenizer settings that cannot work."""


class GenerationError(IsoformError, ValueError):
    """Generation options that contradict each other, or that the model cannot honour."""


class RemoteCodeError(IsoformError, ValueError):
    """A repository brings its own code, and the caller did not pass `trust_remote_code=True`."""


class MissingExtraError(IsoformError, ImportError):
    """An optional dependency is not installed; the message names the command that installs it."""

    def __init__(self, name: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{name} needs the extra '{extra}'. Install it with: pip install \"isoform[{extra}]\"")


def _describe(value: Any) -> str:
    """`'64' (str)`: a value, cut to 80 characters, with its type."""
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"
