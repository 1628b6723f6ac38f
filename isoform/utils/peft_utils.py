"""Finding adapters and checking the version of `peft`."""

from __future__ import annotations

import os

from .constants import ADAPTER_CONFIG_NAME, ADAPTER_SAFE_WEIGHTS_NAME, ADAPTER_WEIGHTS_NAME
from .hub import cached_file

__all__ = [
    "ADAPTER_CONFIG_NAME",
    "ADAPTER_SAFE_WEIGHTS_NAME",
    "ADAPTER_WEIGHTS_NAME",
    "check_peft_version",
    "find_adapter_config_file",
]


def find_adapter_config_file(
    model_id: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
    resume_download: bool = False,
    proxies: dict[str, str] | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    subfolder: str = "",
    _commit_hash: str | None = None,
) -> str | None:
    """The path of `adapter_config.json` of a folder or repository, `None` if it holds no adapter."""
    if model_id is None:
        return None
    return cached_file(
        model_id,
        ADAPTER_CONFIG_NAME,
        cache_dir=cache_dir,
        force_download=force_download,
        proxies=proxies,
        token=token,
        revision=revision,
        local_files_only=local_files_only,
        subfolder=subfolder,
        _commit_hash=_commit_hash,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )


def check_peft_version(min_version: str) -> None:
    """Raises an error unless `peft` is installed, in this version or a later one.

    Raises:
        ValueError: It is missing or too old.
    """
    from .import_utils import _at_least, is_peft_available

    if not is_peft_available():
        raise ValueError('PEFT is not installed: pip install "peft"')
    if not _at_least("peft", min_version):
        raise ValueError(f'The installed version of PEFT is too old: pip install "peft>={min_version}"')
