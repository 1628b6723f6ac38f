"""Reading what the inputs of image and audio pipelines may name: files and addresses."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import Any

from .. import __version__


def is_url(source: Any) -> bool:
    """Whether `source` is the address of something on the web."""
    return isinstance(source, str) and source.startswith(("http://", "https://"))


def read_bytes(source: str | os.PathLike[str], timeout: float | None = None) -> bytes:
    """The content of a file, or of a web address.

    Args:
        timeout: Seconds to wait for an answer from the web; None waits for as long as it takes.

    Raises:
        OSError: it cannot be read; the message names it.
    """
    if not is_url(source):
        try:
            with open(source, "rb") as file:
                return file.read()
        except OSError as error:
            reason = error.strerror or str(error)
            reason = f"cannot read the input, which should be a file or a URL: {reason}"
            raise type(error)(error.errno, reason, source) from error
    request = urllib.request.Request(source, headers={"User-Agent": f"isoform/{__version__}"})  # type: ignore[arg-type]
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise OSError(f"{source} cannot be read: the server answered {error.code} {error.reason}") from error
    except OSError as error:
        raise OSError(f"{source} cannot be read: {getattr(error, 'reason', error)}") from error
