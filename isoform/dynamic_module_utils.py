"""Code that a repository brings for its own model (`auto_map` in its config): fetched and run only on request.

Nothing in a file makes this happen by itself: the auto classes come here only after the caller passed
`trust_remote_code=True`.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import RemoteCodeError
from .utils import logging
from .utils.files import atomic_write
from .utils.hub import TRANSFORMERS_DYNAMIC_MODULE_NAME, cached_file, extract_commit_hash

__all__ = [
    "check_imports",
    "custom_object_save",
    "get_cached_module_file",
    "get_class_from_dynamic_module",
    "get_class_in_module",
    "get_imports",
    "get_relative_import_files",
    "get_relative_imports",
    "resolve_trust_remote_code",
]

logger = logging.get_logger(__name__)

_REFERENCE_PACKAGE = "transformers"  # always importable for remote code: see `get_class_in_module`
_REFERENCE = re.compile(r"(?:(?P<repo>[\w./-]+)--)?(?P<module>\w+)\.(?P<name>\w+)")
_MODULE_FILE = re.compile(r"\w+\.py")


def resolve_trust_remote_code(
    trust_remote_code: bool | None, model_name: object, has_local_code: bool, has_remote_code: bool
) -> bool:
    """Whether to run the code of a repository. Never asks on the terminal.

    Args:
        trust_remote_code: What the caller passed; None if nothing.
        model_name: For the message.
        has_local_code: Whether isoform has the class, too.
        has_remote_code: Whether the repository brings one.

    Raises:
        RemoteCodeError: (a `ValueError`) there is no other way than the code of the repository, which the caller did
            not allow to run.
    """
    if has_remote_code and not has_local_code and not trust_remote_code:
        raise RemoteCodeError(
            f"Loading {model_name} requires to execute Python code that comes with it (its config has an "
            "`auto_map`). Read that code first; if you trust it, pass `trust_remote_code=True`."
        )
    return has_remote_code and bool(trust_remote_code)


def get_class_from_dynamic_module(
    class_reference: str,
    pretrained_model_name_or_path: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
    resume_download: bool = False,
    proxies: dict[str, str] | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    repo_type: str | None = None,
    code_revision: str | None = None,
    **kwargs: Any,
) -> Any:
    """Import a class from a file of a repository. This executes that file.

    Args:
        class_reference: "module.Class", or "user/repository--module.Class" for code in another repository.
        pretrained_model_name_or_path: The folder or the repository with the file.
        code_revision: Revision of the code, if not that of the model.
        cache_dir, force_download, resume_download, proxies, token, revision, local_files_only, repo_type: As for
            `cached_file`.

    Raises:
        RemoteCodeError: (a `ValueError`) the reference does not have this form, or the file has no such class.
        OSError: there is no such file.
        ImportError: the file needs packages that are not installed.
    """
    found = _REFERENCE.fullmatch(str(class_reference))
    if found is None:
        raise RemoteCodeError(
            f"The reference {class_reference!r} in `auto_map` of {pretrained_model_name_or_path} should look like"
            " 'module.Class' or 'user/repository--module.Class'."
        )
    repository = found["repo"] or pretrained_model_name_or_path
    if code_revision is None and str(pretrained_model_name_or_path) == str(repository):
        code_revision = revision
    path = get_cached_module_file(
        repository,
        f"{found['module']}.py",
        cache_dir=cache_dir,
        force_download=force_download,
        resume_download=resume_download,
        proxies=proxies,
        token=token,
        revision=code_revision,
        local_files_only=local_files_only,
        repo_type=repo_type,
    )
    return get_class_in_module(found["name"], path)


def get_cached_module_file(
    pretrained_model_name_or_path: str | os.PathLike[str], module_file: str, **options: Any
) -> str:
    """Copy a file of a repository, and those that it imports relatively, to a package of the modules' cache.

    The package's name holds a digest of the files, so that two versions never mix and a cached one never changes.

    Args:
        pretrained_model_name_or_path: A folder, or a repository of the Hub.
        module_file: Name of the file, "modeling_x.py".
        options: As for `cached_file`.

    Returns:
        Path of the copy, relative to the cache.
    """
    if not _MODULE_FILE.fullmatch(module_file):
        raise RemoteCodeError(f"The name of a module's file should look like 'modeling_x.py', found {module_file!r}.")
    base = os.fspath(pretrained_model_name_or_path)
    commit: str | None = None
    sources: dict[str, bytes] = {}
    wanted = [module_file]
    while wanted:
        name = wanted.pop()
        path = cached_file(base, name, **{key: v for key, v in options.items() if v}, _commit_hash=commit)
        assert path is not None  # cached_file raises unless told otherwise
        commit = extract_commit_hash(path, commit)
        sources[name] = Path(path).read_bytes()
        wanted += [f"{m}.py" for m in get_relative_imports(path) if f"{m}.py" not in sources]
        check_imports(path)
    digest = hashlib.sha256(b"\0".join(part for name in sorted(sources) for part in (name.encode(), sources[name])))
    label = re.sub(r"\W", "_", os.path.basename(os.path.normpath(base)) if os.path.isdir(base) else base)
    package = os.path.join(TRANSFORMERS_DYNAMIC_MODULE_NAME, f"{label}_{digest.hexdigest()[:16]}")
    for name, source in sources.items():
        target = _cache() / package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source:
            with atomic_write(target, "wb") as stream:
                stream.write(source)
    return os.path.join(package, module_file)


def get_class_in_module(class_name: str, module_path: str | os.PathLike[str]) -> Any:
    """Import a file of the modules' cache, and return a class of it.

    Args:
        class_name: Name of the class.
        module_path: Path that `get_cached_module_file` returned.
    """
    from . import compat

    package, _, name = os.fspath(module_path).replace(os.sep, "/").removesuffix(".py").rpartition("/")
    importlib.invalidate_caches()
    # What was written for the reference means isoform here, unless the real package is in use already.
    with contextlib.nullcontext() if _REFERENCE_PACKAGE in sys.modules else compat.install():
        module = importlib.import_module(f"{_package(package)}.{name}")
    if not hasattr(module, class_name):
        raise RemoteCodeError(f"{module_path} has no class {class_name}, which `auto_map` refers to.")
    return getattr(module, class_name)


def _cache() -> Path:
    from .utils import hub

    return Path(hub.HF_MODULES_CACHE)


def _package(path: str) -> str:
    """Make a folder of the modules' cache importable as a package, without touching `sys.path`."""
    name = ""
    for part in path.split("/"):
        name = f"{name}.{part}" if name else part
        if name not in sys.modules:
            package = types.ModuleType(name)
            package.__path__ = [str(_cache() / name.replace(".", "/"))]
            sys.modules[name] = package
    return name


def get_relative_imports(module_file: str | os.PathLike[str]) -> list[str]:
    """The modules beside a file that it imports: `from .x import y`, `from . import x`."""
    found: dict[str, None] = {}
    for node in ast.walk(_parse(module_file)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            found.update(dict.fromkeys(names))
    return list(found)


def get_relative_import_files(module_file: str | os.PathLike[str]) -> list[str]:
    """Paths of all files that a file imports relatively, through others too."""
    found: dict[str, None] = {}
    wanted = [os.fspath(module_file)]
    while wanted:
        current = wanted.pop()
        beside = (os.path.join(os.path.dirname(current), f"{name}.py") for name in get_relative_imports(current))
        new = [path for path in beside if path not in found]
        found.update(dict.fromkeys(new))
        wanted += new
    return list(found)


def get_imports(filename: str | os.PathLike[str]) -> list[str]:
    """The packages that a file imports, those inside of `try` aside."""
    found: dict[str, None] = {}
    for node in _outside_of_try(_parse(filename)):
        if isinstance(node, ast.Import):
            found.update(dict.fromkeys(alias.name.split(".")[0] for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found[node.module.split(".")[0]] = None
    return list(found)


def check_imports(filename: str | os.PathLike[str]) -> list[str]:
    """Check that the packages are installed that a file imports.

    Returns:
        The modules beside the file that it imports.

    Raises:
        ImportError: names those that are missing.
    """
    needed = (name for name in get_imports(filename) if name not in sys.modules and name != _REFERENCE_PACKAGE)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        names = " ".join(missing)
        raise ImportError(f"{filename} needs packages that are not installed: {names}. Run `pip install {names}`.")
    return get_relative_imports(filename)


def _parse(filename: str | os.PathLike[str]) -> ast.Module:
    try:
        return ast.parse(Path(filename).read_bytes(), os.fspath(filename))
    except (SyntaxError, ValueError) as error:
        raise RemoteCodeError(f"{filename} is not valid Python: {error}") from error


def _outside_of_try(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Try):
            yield child
            yield from _outside_of_try(child)


def custom_object_save(obj: Any, folder: str | os.PathLike[str], config: Any = None) -> list[str]:
    """Copy the source of an object's class, with what it imports relatively, and note it in the config's `auto_map`.

    Args:
        obj: A configuration, model, tokenizer… whose class was registered with `register_for_auto_class`.
        folder: Where the files go.
        config: The configuration, or the dictionary, whose `auto_map` gets an entry; several may be given in a list.

    Returns:
        Paths of the files.
    """
    cls = type(obj)
    if cls.__module__ == "__main__":
        logger.warning(
            f"{cls.__name__} is defined in __main__, so its code is not copied to {folder}. Put it in a module of "
            "its own, whose file can be copied."
        )
        return []
    source = getattr(sys.modules[cls.__module__], "__file__", None)
    if source is None:
        raise RemoteCodeError(f"The source of {cls.__module__}, which defines {cls.__name__}, is not in a file.")
    for target in config if isinstance(config, (list, tuple)) else [config]:
        _note_in_auto_map(obj, target)
    written = []
    for path in (source, *get_relative_import_files(source)):
        copy = os.path.join(folder, os.path.basename(path))
        with atomic_write(copy, "wb") as stream:
            stream.write(Path(path).read_bytes())
        written.append(copy)
    return written


def _note_in_auto_map(obj: Any, config: Any) -> None:
    if config is None:
        return
    cls = type(obj)
    reference: Any = f"{cls.__module__.split('.')[-1]}.{cls.__name__}"
    if cls._auto_class == "AutoTokenizer":  # (Python class, Rust class)
        slow = getattr(cls, "slow_tokenizer_class", None)
        if cls.__name__.endswith("Fast"):
            reference = (f"{slow.__module__.split('.')[-1]}.{slow.__name__}" if slow else None, reference)
        else:
            reference = (reference, None)
    auto_map = config.get("auto_map") if isinstance(config, dict) else getattr(config, "auto_map", None)
    auto_map = {**(auto_map or {}), cls._auto_class: reference}
    if isinstance(config, dict):
        config["auto_map"] = auto_map
    else:
        config.auto_map = auto_map
