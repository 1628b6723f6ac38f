"""DeepSpeed: the configuration that is in force, which models ask for when they are built under ZeRO stage 3."""

from __future__ import annotations

import os
import weakref
from typing import Any

from ..utils.import_utils import is_deepspeed_available, requires_backends

__all__ = [
    "deepspeed_config",
    "is_deepspeed_available",
    "is_deepspeed_zero3_enabled",
    "set_hf_deepspeed_config",
    "unset_hf_deepspeed_config",
]

# Weak, so that the configuration is out of force once its owner lets go of it.
_in_force: weakref.ref[Any] | None = None


def set_hf_deepspeed_config(hf_deepspeed_config_obj: Any) -> None:
    """Puts a configuration in force, for as long as the caller keeps it."""
    global _in_force
    _in_force = weakref.ref(hf_deepspeed_config_obj)


def unset_hf_deepspeed_config() -> None:
    """Puts no configuration in force."""
    global _in_force
    _in_force = None


def deepspeed_config() -> dict[str, Any] | None:
    """The contents of the configuration in force, as DeepSpeed takes it; `None` if there is none."""
    holder = _in_force() if _in_force is not None else None
    return holder.config if holder is not None else None


def is_deepspeed_zero3_enabled() -> bool:
    """Whether parameters are to be partitioned over processes as they are made: ZeRO stage 3 is in force."""
    holder = _in_force() if _in_force is not None else None
    return holder is not None and holder.is_zero3()


def __getattr__(name: str) -> Any:
    if name == "HfDeepSpeedConfig":
        return _config_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_made: type | None = None


def _config_class() -> type:
    """Makes `HfDeepSpeedConfig`, whose base class is accelerate's, on first use."""
    global _made
    if _made is not None:
        return _made
    requires_backends("HfDeepSpeedConfig", "accelerate")
    from accelerate.utils.deepspeed import HfDeepSpeedConfig as Base

    class HfDeepSpeedConfig(Base):  # type: ignore[misc]
        """A DeepSpeed configuration. Make it before the model, and keep it for as long as the model is used.

        Args:
            config_file_or_dict: Path of DeepSpeed's JSON file, or its contents.

        Raises:
            ImportError: `accelerate` or `deepspeed` is missing.
        """

        def __init__(self, config_file_or_dict: str | os.PathLike[str] | dict[str, Any]) -> None:
            requires_backends("HfDeepSpeedConfig", ["accelerate", "deepspeed"])
            set_hf_deepspeed_config(self)
            super().__init__(config_file_or_dict)

    HfDeepSpeedConfig.__module__, HfDeepSpeedConfig.__qualname__ = __name__, "HfDeepSpeedConfig"
    _made = HfDeepSpeedConfig
    return _made
