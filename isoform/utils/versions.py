"""Checks of the versions of installed packages."""

from __future__ import annotations

import importlib.metadata
import sys

__all__ = ["check_min_version", "require_version", "require_version_core"]


def require_version(requirement: str, hint: str | None = None) -> None:
    """Raises an error unless an installed package satisfies a requirement such as `"numpy>=1.20,<3"`.

    Args:
        requirement: As pip takes it; `"python>=3.10"` means the interpreter.
        hint: What to do, for the message.

    Raises:
        ValueError: The requirement cannot be read.
        PackageNotFoundError: The package is not installed.
        ImportError: Its version does not satisfy the requirement.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(requirement)
    except InvalidRequirement as error:
        raise ValueError(f"cannot read the requirement {requirement!r}: {error}") from error
    advice = f" {hint}" if hint else f' Try: pip install "{requirement}"'
    if wanted.name == "python":
        found = ".".join(str(part) for part in sys.version_info[:3])
    else:
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            message = f"The package {wanted.name!r} is needed ({requirement}) and not installed.{advice}"
            raise importlib.metadata.PackageNotFoundError(message) from None
    if not wanted.specifier.contains(found, prereleases=True):
        raise ImportError(f"{requirement} is needed, but {wanted.name}=={found} is installed.{advice}")


def require_version_core(requirement: str) -> None:
    """`require_version` for a package that the library itself depends on."""
    require_version(requirement, "Try: pip install --upgrade isoform")


def check_min_version(min_version: str) -> None:
    """Raises an `ImportError` if a script needs a later version of the API than the one implemented here."""
    from packaging.version import parse

    from . import API_VERSION

    wanted = parse(min_version)
    if parse(API_VERSION) < parse(wanted.base_version):
        raise ImportError(f"This script needs version {min_version} of the API; isoform implements {API_VERSION}.")
