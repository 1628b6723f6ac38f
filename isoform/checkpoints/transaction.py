"""Replacing several files of a folder as one step, so that a crash leaves all old files or all new ones.

A checkpoint is a set: weights, perhaps in shards with an index, and configurations that must fit them. Renaming one
file is atomic, renaming five is not. So a save works like a small journal:

1. Everything is written into a hidden folder `.saving-<host>-<pid>-<random>` inside the target (the same file system,
   so that renames are possible) and flushed to the disk. A crash or a full disk up to here changes nothing.
2. The journal `.saving.json` appears, in one rename. It lists the finished files and the stale ones to delete. From
   this instant on the checkpoint is the new one.
3. The files are renamed into place, stale ones deleted, journal and hidden folder removed.

A reader calls `committed_path`, which takes the word of the journal when it finds one; the next save completes what a
crash in step 3 left undone. Readers that know nothing of journals see a mixture only during the renames of step 3.
This module needs no torch, because configurations are read through it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..utils import logging
from ..utils.files import _adopt_permissions, _sync_folder, flush_to_disk, is_safe_name

__all__ = ["committed_names", "committed_path", "replace_files"]

logger = logging.get_logger(__name__)

JOURNAL = ".saving.json"
STAGE_PREFIX = ".saving-"


@contextmanager
def replace_files(
    folder: str | os.PathLike[str], stale: Callable[[set[str]], Iterable[str]] = lambda written: ()
) -> Iterator[Path]:
    """Yields an empty folder to write to; when the block ends well its files replace those of `folder`, all or none.

    Args:
        folder: The target, made if missing.
        stale: Gets the names of the written files, returns names of `folder` that must disappear together with the
        swap.

    Raises:
        OSError: Something could not be written: `folder` is as it was.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    recover(target)
    stage = Path(tempfile.mkdtemp(prefix=f"{STAGE_PREFIX}{_host()}-{os.getpid()}-", dir=target))
    try:
        yield stage
        written = sorted(path.name for path in stage.iterdir())
        for name in written:
            _adopt_permissions(stage / name, target / name)
            with open(stage / name, "rb+") as stream:
                flush_to_disk(stream)
        _sync_folder(stage)
        gone = sorted(set(stale(set(written))) - set(written))
        with open(stage / JOURNAL, "w", encoding="utf-8") as stream:
            json.dump({"stage": stage.name, "files": written, "remove": gone}, stream)
            flush_to_disk(stream)
        os.replace(stage / JOURNAL, target / JOURNAL)
        _sync_folder(target)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:
            # A full disk does not say which.
            raise OSError(
                error.errno, f"{error.strerror}; the files that were there are intact", str(target)
            ) from error
        raise
    _complete(target, stage, written, gone)


def committed_path(folder: str | os.PathLike[str], name: str) -> str:
    """Where the file `name` of a folder is, although a save may have been interrupted. It need not exist."""
    usual = os.path.join(folder, *name.split("/"))
    folder, name = os.path.split(usual)  # the journal lies beside the file
    journal = _journal(folder)
    if journal is None:
        return usual
    staged = os.path.join(folder, journal["stage"], name)
    if name in journal["remove"]:
        return staged  # which does not exist: the file is as good as deleted
    return staged if name in journal["files"] and os.path.exists(staged) else usual


def committed_names(folder: str | os.PathLike[str]) -> set[str]:
    """Names of the files of a folder, hidden ones aside, as they are once an interrupted save is completed."""
    names = {entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")}
    journal = _journal(folder)
    return names if journal is None else (names | set(journal["files"])) - set(journal["remove"])


def recover(folder: Path) -> None:
    """Completes an interrupted swap, and removes what processes that no longer run left behind."""
    journal = _journal(folder)
    if journal is not None:
        _complete(folder, folder / journal["stage"], journal["files"], journal["remove"])
    for stage in folder.glob(f"{STAGE_PREFIX}{_host()}-*"):
        if not _is_running(stage.name.split("-")[-2]):
            shutil.rmtree(stage, ignore_errors=True)


def _complete(target: Path, stage: Path, written: Iterable[str], gone: Iterable[str]) -> None:
    for name in written:
        if (stage / name).exists():  # else an interrupted attempt has renamed it already
            os.replace(stage / name, target / name)
    for name in gone:
        (target / name).unlink(missing_ok=True)
    _sync_folder(target)
    (target / JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(stage, ignore_errors=True)


def _journal(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    path = os.path.join(folder, JOURNAL)
    try:
        with open(path, encoding="utf-8") as stream:
            journal = json.load(stream)
    except FileNotFoundError:
        return None
    except (NotADirectoryError, ValueError):
        journal = None
    fields = {"stage": str, "files": list, "remove": list}
    if not isinstance(journal, dict) or not all(isinstance(journal.get(key), kind) for key, kind in fields.items()):
        logger.warning_once(f"Ignoring {path}: it is not a journal of an interrupted save. Delete it.")
        return None
    names = [journal["stage"], *journal["files"], *journal["remove"]]
    if not all(isinstance(name, str) and is_safe_name(name) and "/" not in name for name in names):
        raise OSError(f"{path}: names a file outside of its folder. Do not trust this checkpoint, or delete the file.")
    return journal


def _host() -> str:
    return "".join(c for c in socket.gethostname() if c.isalnum())[:32] or "host"


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError):
        return True  # not ours to judge
    return True
