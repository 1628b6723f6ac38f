"""Writing files so that a crash leaves the old file or the new one, never half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["atomic_files", "atomic_write", "is_safe_name", "safe_join"]


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w", encoding: str | None = None) -> Iterator[IO[Any]]:
    """Opens a file that appears under `path` only once the block has ended without an error.

    The text (UTF-8 unless `encoding` says otherwise) or the bytes (`mode="wb"`) go to a temporary file beside `path`,
    are flushed to the disk, and then renamed over `path`, in one step. After an error the temporary file is removed.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"atomic_write: mode must be 'w' or 'wb', found {mode!r}")
    target = Path(os.path.realpath(path))  # a link keeps pointing to the file that is replaced
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    is_text = "b" not in mode
    try:
        with open(
            handle, mode, encoding=(encoding or "utf-8") if is_text else None, newline="\n" if is_text else None
        ) as stream:
            yield stream
            flush_to_disk(stream)
        _adopt_permissions(temporary, target)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


@contextmanager
def atomic_files(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary folder whose files move into `folder` (made if missing) once the block ends well.

    For writers that take a path rather than a stream (`safetensors`, `tokenizers`). All files are flushed to the disk
    before the first is renamed, and they are renamed in the order of `sorted(names)`, so give a file that refers to
    others (an index) a call of its own after this one.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".saving-") as name:
        stage = Path(name)
        yield stage
        written = sorted(path for path in stage.rglob("*") if path.is_file())
        for path in written:
            with open(path, "rb+") as stream:
                flush_to_disk(stream)
        for path in written:
            final = target / path.relative_to(stage)
            final.parent.mkdir(parents=True, exist_ok=True)
            _adopt_permissions(path, final)
            os.replace(path, final)
    _sync_folder(target)


def flush_to_disk(stream: IO[Any]) -> None:
    """Flushes Python's and the system's buffers of an open file."""
    stream.flush()
    os.fsync(stream.fileno())


def is_safe_name(name: str) -> bool:
    """Whether a relative file name, as found in an index or a config, stays inside its folder.

    Both kinds of slash count as separators, so that the answer does not depend on the system.
    """
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0][1] == ":"
    return bool(name) and "\0" not in name and parts[0] != "" and not drive and ".." not in parts


def safe_join(folder: str | os.PathLike[str], name: str, *, source: str = "the file name") -> str:
    """`folder/name`, or an `OSError` that blames `source` if `name` would lead out of the folder."""
    if not is_safe_name(name):
        raise OSError(f"{source} {name!r} leads outside of the folder {os.fspath(folder)!r}: expected a relative name")
    return os.path.join(folder, name)


def _adopt_permissions(source: str | Path, target: Path) -> None:
    """Gives the new file the mode of the one it replaces, or the mode that `open` would have given it."""
    if target.exists():
        shutil.copymode(target, source)
    else:
        os.chmod(source, 0o666 & ~_umask())


def _umask() -> int:
    # The only portable way to read the mask is to set it. Linux also shows it, without the race between threads.
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("Umask:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut, where the system lets folders be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse
        pass
    finally:
        os.close(handle)
