"""Files from folders and from the Hugging Face Hub, and uploads to it. The transport is `huggingface_hub`.

Environment: `HF_ENDPOINT` (another server), `HF_HOME` and `HF_HUB_CACHE` (or the older `TRANSFORMERS_CACHE`) for the
place of the cache, `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` to stay off the network, `HF_TOKEN`. Nothing is reported
to anyone: `send_example_telemetry` exists for old scripts and does nothing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse

from . import logging
from .constants import *  # noqa: F403 (4.36 code imports the file names from here, too)
from .files import is_safe_name, safe_join

__all__ = [
    "PushToHubMixin",
    "cached_file",
    "cached_files",
    "convert_file_size_to_int",
    "download_url",
    "extract_commit_hash",
    "get_checkpoint_shard_files",
    "get_file_from_repo",
    "has_file",
    "http_user_agent",
    "is_offline_mode",
    "is_remote_url",
    "send_example_telemetry",
]

logger = logging.get_logger(__name__)

PathLike = str | os.PathLike[str]

TRANSFORMERS_DYNAMIC_MODULE_NAME = "transformers_modules"
REGEX_COMMIT_HASH = re.compile(r"[0-9a-f]{40}")
_TRUE = {"1", "ON", "YES", "TRUE"}
_LAZY_SETTINGS = {
    "TRANSFORMERS_CACHE": lambda: _cache_dir() or _hub().constants.HF_HUB_CACHE,
    "HUGGINGFACE_CO_RESOLVE_ENDPOINT": lambda: _endpoint() or _hub().constants.ENDPOINT,
    "HF_MODULES_CACHE": lambda: os.environ.get("HF_MODULES_CACHE") or os.path.join(_hub().constants.HF_HOME, "modules"),
    "EntryNotFoundError": lambda: _hub().errors.EntryNotFoundError,
    "RepositoryNotFoundError": lambda: _hub().errors.RepositoryNotFoundError,
    "RevisionNotFoundError": lambda: _hub().errors.RevisionNotFoundError,
    "GatedRepoError": lambda: _hub().errors.GatedRepoError,
    "HfHubHTTPError": lambda: _hub().errors.HfHubHTTPError,
    "LocalEntryNotFoundError": lambda: _hub().errors.LocalEntryNotFoundError,
    "hf_hub_download": lambda: _hub().hf_hub_download,
    "try_to_load_from_cache": lambda: _hub().try_to_load_from_cache,
    "get_full_repo_name": lambda: _hub().HfApi(endpoint=_endpoint()).get_full_repo_name,
    "create_branch": lambda: _hub().create_branch,
    "create_repo": lambda: _hub().create_repo,
    "create_commit": lambda: _hub().create_commit,
}
_LAZY_SETTINGS["PYTORCH_TRANSFORMERS_CACHE"] = _LAZY_SETTINGS["TRANSFORMERS_CACHE"]
_LAZY_SETTINGS["PYTORCH_PRETRAINED_BERT_CACHE"] = _LAZY_SETTINGS["TRANSFORMERS_CACHE"]
_LAZY_SETTINGS["default_cache_path"] = lambda: _hub().constants.HF_HUB_CACHE


def __getattr__(name: str) -> Any:
    # Settings and names of `huggingface_hub`: read on use, so that importing this module does not load that package.
    if name in _LAZY_SETTINGS:
        return _LAZY_SETTINGS[name]()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _hub() -> Any:
    import huggingface_hub
    import huggingface_hub.constants
    import huggingface_hub.errors

    return huggingface_hub


def _cache_dir() -> str | None:
    """The folder that the older variable names, else `None`: the default of `huggingface_hub`."""
    return os.environ.get("TRANSFORMERS_CACHE") or os.environ.get("PYTORCH_TRANSFORMERS_CACHE")


def _endpoint() -> str | None:
    return (os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None


def is_offline_mode() -> bool:
    """Whether the environment, or `huggingface_hub`, is set to stay off the network."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    constants = sys.modules.get("huggingface_hub.constants")
    return any(os.environ.get(name, "").upper() in _TRUE for name in names) or bool(
        getattr(constants, "HF_HUB_OFFLINE", False)
    )


def is_remote_url(url_or_filename: str) -> bool:
    """Whether this is an `http` or `https` address."""
    return urlparse(str(url_or_filename)).scheme in ("http", "https")


def http_user_agent(user_agent: dict[str, Any] | str | None = None) -> str:
    """The value of the `User-Agent` header: the versions of the library and of Python, and what the caller adds."""
    from . import __version__

    parts = [f"isoform/{__version__}", f"python/{'.'.join(str(part) for part in sys.version_info[:3])}"]
    if isinstance(user_agent, dict):
        parts += [f"{key}/{value}" for key, value in user_agent.items()]
    elif user_agent:
        parts.append(user_agent)
    return "; ".join(parts)


def send_example_telemetry(example_name: str, *example_args: Any, framework: str = "pytorch") -> None:
    """Does nothing: the library reports to nobody. Exists because example scripts call it."""


def extract_commit_hash(resolved_file: str | None, commit_hash: str | None) -> str | None:
    """The commit that a cached file belongs to, read from its path; `commit_hash` itself if that is known."""
    if resolved_file is None or commit_hash is not None:
        return commit_hash
    found = re.search(r"snapshots/([^/]+)/", Path(resolved_file).as_posix())
    return found[1] if found and REGEX_COMMIT_HASH.fullmatch(found[1]) else None


def _take_token(token: bool | str | None, deprecated: dict[str, Any]) -> bool | str | None:
    """The token, which old code passes as `use_auth_token`. Other deprecated arguments are dropped."""
    old = deprecated.pop("use_auth_token", None)
    if old is None:
        return token
    warnings.warn("`use_auth_token` is deprecated: use `token`.", FutureWarning, stacklevel=3)
    if token is not None:
        raise ValueError("`token` and `use_auth_token` are both given: give `token` only")
    return old


def cached_file(
    path_or_repo_id: PathLike,
    filename: str,
    cache_dir: PathLike | None = None,
    force_download: bool = False,
    resume_download: bool = False,
    proxies: dict[str, str] | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    subfolder: str = "",
    repo_type: str | None = None,
    user_agent: str | dict[str, str] | None = None,
    _raise_exceptions_for_missing_entries: bool = True,
    _raise_exceptions_for_connection_errors: bool = True,
    _commit_hash: str | None = None,
    **deprecated_kwargs: Any,
) -> str | None:
    """Finds a file in a local folder, in the cache, or on the Hub, and returns its path.

    Args:
        path_or_repo_id: A folder, or the name of a repository (`"user/model"`).
        filename: Its name there, below `subfolder`; may not lead out of the folder.
        cache_dir: Where downloads are kept.
        force_download: Downloads again even if the cache has the file.
        resume_download: No effect: interrupted downloads always continue.
        proxies: No effect: set the variable `HTTPS_PROXY` instead.
        token: `True` for the stored one, `False` for none, or the token itself.
        revision: A branch, a tag or a commit.
        local_files_only: Looks into the cache only.
        repo_type: `"dataset"` or `"space"`, if it is no model.
        user_agent: What to add to the header of that name.

    Returns:
        The path; `None` if the file does not exist, or the Hub cannot be reached, and the caller (with one of the
        arguments `_raise_exceptions…=False`) said that this is no error.

    Raises:
        OSError: Says which file of which repository and revision could not be had, why, and what to do.
    """
    token = _take_token(token, deprecated_kwargs)
    if proxies:
        warnings.warn("`proxies` has no effect: set HTTPS_PROXY in the environment.", FutureWarning, stacklevel=2)
    repo = os.fspath(path_or_repo_id)
    name = f"{subfolder.strip('/')}/{filename}" if subfolder and subfolder.strip("/") else filename
    if not is_safe_name(name):
        raise _hub_error(f"the file name {name!r} leads outside of {repo!r}: expected a relative name")
    if os.path.isdir(repo):
        return _local_file(repo, name, must_exist=_raise_exceptions_for_missing_entries)
    _refuse_absent_path(repo, name)
    cache_dir = cache_dir or _cache_dir()
    if _commit_hash is not None and not force_download:
        known = _from_cache(repo, name, cache_dir, _commit_hash, repo_type)
        if isinstance(known, str):
            return known
        if known is not None:  # the cache knows that this commit has no such file
            if _raise_exceptions_for_missing_entries:
                raise _hub_error(f"{repo} has no file {name!r} at commit {_commit_hash}")
            return None
    offline = local_files_only or is_offline_mode()
    try:
        if not offline and not isinstance(_from_cache(repo, name, cache_dir, revision, repo_type), str):
            _check_connection(repo, name, revision, repo_type, token)
        return _hub().hf_hub_download(
            repo,
            name,
            repo_type=repo_type,
            revision=revision,
            cache_dir=cache_dir,
            user_agent=http_user_agent(user_agent),
            force_download=force_download,
            token=token,
            local_files_only=offline,
            endpoint=_endpoint(),
        )
    except Exception as error:
        failure = _explain(error, repo, name, revision, local_files_only, token)
        if failure is None:
            raise
        if (failure.missing and not _raise_exceptions_for_missing_entries) or (
            failure.unreachable and not _raise_exceptions_for_connection_errors
        ):
            return None
        if failure.unreachable and not failure.missing:
            # The server broke down on the way: an older download of the same revision is better than nothing.
            known = _from_cache(repo, name, cache_dir, revision, repo_type)
            if isinstance(known, str):
                return known
        raise _hub_error(failure.message) from error


_answering: set[str | None] = set()  # the servers that have answered this process


def _check_connection(
    repo: str, name: str, revision: str | None, repo_type: str | None, token: bool | str | None
) -> None:
    """Asks a server once, before its first download. `hf_hub_download` would try an absent one for half a minute."""
    endpoint = _endpoint()
    if endpoint in _answering:
        return
    hub = _hub()
    url = hub.hf_hub_url(repo, name, repo_type=repo_type, revision=revision, endpoint=endpoint)
    try:
        hub.get_hf_file_metadata(url, token=token, user_agent=http_user_agent(), endpoint=endpoint)
    except (hub.errors.HfHubHTTPError, hub.errors.EntryNotFoundError):
        pass  # it answers; what, is for the download to judge
    except Exception as error:
        raise hub.errors.LocalEntryNotFoundError(f"{url} cannot be reached") from error
    _answering.add(endpoint)


def cached_files(path_or_repo_id: PathLike, filenames: Iterable[str], **kwargs: Any) -> list[str] | None:
    """`cached_file` for several files; all are looked up at the commit of the first.

    Returns:
        The paths of those that exist, in order; `None` if none does. Which absence is an error is decided by the
        arguments that `cached_file` takes.
    """
    paths: list[str] = []
    commit = kwargs.pop("_commit_hash", None)
    for filename in filenames:
        path = cached_file(path_or_repo_id, filename, _commit_hash=commit, **kwargs)
        if path is not None:
            paths.append(path)
            commit = extract_commit_hash(path, commit)
            if commit is not None:
                kwargs["revision"] = commit
    return paths or None


def get_file_from_repo(
    path_or_repo: PathLike,
    filename: str,
    cache_dir: PathLike | None = None,
    force_download: bool = False,
    resume_download: bool = False,
    proxies: dict[str, str] | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    subfolder: str = "",
    **deprecated_kwargs: Any,
) -> str | None:
    """`cached_file` that returns `None` where the file does not exist or cannot be reached."""
    return cached_file(
        path_or_repo,
        filename,
        cache_dir=cache_dir,
        force_download=force_download,
        proxies=proxies,
        token=_take_token(token, deprecated_kwargs),
        revision=revision,
        local_files_only=local_files_only,
        subfolder=subfolder,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )


def _local_file(folder: str, name: str, must_exist: bool) -> str | None:
    from ..checkpoints.transaction import committed_path

    path = committed_path(folder, name)
    if os.path.isfile(path):
        return path
    if must_exist:
        parent = os.path.dirname(path)
        present = ", ".join(sorted(os.listdir(parent))[:20]) if os.path.isdir(parent) else ""
        hint = f" Found there: {present}." if present else ""
        raise _hub_error(f"{folder} does not appear to have a file named {name}.{hint}")
    return None


def _refuse_absent_path(path: str, name: str) -> None:
    """Raises where `path`, which is no folder, is written as one: no repository of the Hub is called like that."""
    if not (path.startswith((".", "/", "~")) or "\\" in path or os.path.isabs(path)):
        return
    if os.path.isfile(path):
        raise _hub_error(f"{path} is a file: expected a folder that contains {name}")
    hint = "; expand '~' first (os.path.expanduser)" if path.startswith("~") else ""
    raise _hub_error(f"no such folder: {path} (absolute: {os.path.abspath(path)}), looking for {name}{hint}")


def _from_cache(
    repo: str, name: str, cache_dir: PathLike | None, revision: str | None, repo_type: str | None
) -> str | object | None:
    """The path of a cached file; an object if the cache knows that there is none; `None` if it knows nothing."""
    try:
        return _hub().try_to_load_from_cache(repo, name, cache_dir=cache_dir, revision=revision, repo_type=repo_type)
    except _hub().errors.HFValidationError:
        return None  # not a repository name: the download will say so


def _hub_error(message: str) -> OSError:
    from ..errors import HubError

    return HubError(message)


class _Failure(NamedTuple):
    """Why a file could not be had."""

    message: str
    missing: bool = False  # it does not exist, as far as can be told
    unreachable: bool = False  # the Hub did not answer


def _explain(
    error: Exception, repo: str, name: str, revision: str | None, local_only: bool, token: bool | str | None
) -> _Failure | None:
    """What an error of `huggingface_hub` means, for the user.

    `None` for errors that say themselves what is wrong: a full disk, a folder that cannot be written, a bug.
    """
    errors = _hub().errors
    at = f"{repo} (revision {revision or 'main'})"
    log_in = "log in with `huggingface-cli login`, or pass `token=`"
    if isinstance(error, errors.GatedRepoError):
        return _Failure(
            f"Access to {at} is restricted: the file {name} needs the owner's permission. Ask for it on its page, "
            f"then {log_in}."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return _Failure(
            f"{repo} is not a local folder and not a repository of the Hub that can be seen from here, looking for "
            f"{name}. Check the spelling; if it is private, {log_in}."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return _Failure(f"{repo} has no revision {revision!r} (a branch, a tag or a commit), looking for {name}.")
    if isinstance(error, errors.HFValidationError):
        return _Failure(
            f"{repo!r} is neither an existing local folder nor the name of a repository ('user/model'), looking for "
            f"{name}: {_first_line(error, token)}"
        )
    if isinstance(error, errors.LocalEntryNotFoundError):
        message = _unreachable(error, at, name, token)
        if local_only or is_offline_mode():
            why = "`local_files_only=True`" if local_only else "offline mode (HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE)"
            message = (
                f"The file {name} of {at} is not in the cache, and {why} forbids to download it. Download it once "
                "without that, or name a local folder."
            )
        return _Failure(message, missing=True, unreachable=True)
    if isinstance(error, errors.EntryNotFoundError):
        message = f"{repo} does not appear to have a file named {name} at revision {revision or 'main'}."
        return _Failure(message, missing=True)
    if type(error).__module__.partition(".")[0].startswith(("httpx", "httpcore", "requests", "huggingface_hub")):
        return _Failure(_unreachable(error, at, name, token), unreachable=True)
    return None


def _unreachable(error: Exception, at: str, name: str, token: bool | str | None) -> str:
    cause = error.__cause__ or error
    return (
        f"The file {name} of {at} is not in the cache and could not be downloaded from "
        f"{_endpoint() or _hub().constants.ENDPOINT}: {type(cause).__name__}: {_first_line(cause, token)}. "
        "Check the connection and try again; a download that broke off continues where it stopped."
    )


def _first_line(error: BaseException, token: bool | str | None) -> str:
    """What an error says, without a token that a server may have echoed."""
    line = (str(error).strip() or "no details").splitlines()[0].rstrip(".")
    secrets = [token, os.environ.get("HF_TOKEN"), os.environ.get("HUGGING_FACE_HUB_TOKEN")]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            line = line.replace(secret, "***")
    return line


def has_file(
    path_or_repo: PathLike,
    filename: str,
    revision: str | None = None,
    proxies: dict[str, str] | None = None,
    token: bool | str | None = None,
    **deprecated_kwargs: Any,
) -> bool:
    """Whether a folder or a repository has a file, without downloading it; offline: whether the cache has it.

    Raises:
        OSError: There is no such repository or revision, or the Hub cannot be reached.
    """
    token = _take_token(token, deprecated_kwargs)
    repo = os.fspath(path_or_repo)
    if not is_safe_name(filename):
        return False
    if os.path.isdir(repo):
        return os.path.isfile(os.path.join(repo, filename))
    _refuse_absent_path(repo, filename)
    if is_offline_mode():
        return isinstance(_from_cache(repo, filename, _cache_dir(), revision, None), str)
    hub = _hub()
    try:
        url = hub.hf_hub_url(repo, filename, revision=revision, endpoint=_endpoint())
        hub.get_hf_file_metadata(url, token=token, user_agent=http_user_agent(), endpoint=_endpoint())
    except Exception as error:
        failure = _explain(error, repo, filename, revision, False, token)
        if failure is None:
            raise
        if failure.missing and not failure.unreachable:
            return False
        raise _hub_error(failure.message) from error
    return True


def download_url(url: str, proxies: dict[str, str] | None = None) -> str:
    """Downloads an `http(s)` address to a new temporary file, and returns its path. Deprecated: use a repository."""
    if not is_remote_url(url):
        raise ValueError(f"download_url: expected an http or https address, found {url!r}")
    warnings.warn("Loading from an address is deprecated: use a folder or a repository.", FutureWarning, stacklevel=2)
    handle, path = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as stream, _hub().get_session().stream("GET", url, follow_redirects=True) as reply:
            reply.raise_for_status()
            for chunk in reply.iter_bytes():
                stream.write(chunk)
    except Exception as error:
        os.unlink(path)
        raise _hub_error(f"cannot download {url}: {type(error).__name__}: {_first_line(error, None)}") from error
    return path


def get_checkpoint_shard_files(
    pretrained_model_name_or_path: PathLike,
    index_filename: PathLike,
    cache_dir: PathLike | None = None,
    force_download: bool = False,
    proxies: dict[str, str] | None = None,
    resume_download: bool = False,
    local_files_only: bool = False,
    token: bool | str | None = None,
    user_agent: str | dict[str, str] | None = None,
    revision: str | None = None,
    subfolder: str = "",
    _commit_hash: str | None = None,
    **deprecated_kwargs: Any,
) -> tuple[list[str], dict[str, Any]]:
    """Finds, or downloads, the shards that an index lists.

    Args:
        pretrained_model_name_or_path: The folder or repository of the shards.
        index_filename: Path of the index: a JSON file whose `weight_map` gives the file of each tensor.

    Returns:
        The paths of the shards, sorted by name, and the index's `metadata` with `all_checkpoint_keys` and `weight_map`.

    Raises:
        ValueError: There is no such index.
        OSError: It cannot be read, names files outside of its folder, or a shard cannot be had.
    """
    if not os.path.isfile(index_filename):
        raise ValueError(
            f"Can't find a checkpoint index: {index_filename}, which {pretrained_model_name_or_path} "
            "should hold, is not a file."
        )
    weight_map, metadata = _read_index(index_filename)
    names = sorted(set(weight_map.values()))
    metadata = {**metadata, "all_checkpoint_keys": list(weight_map), "weight_map": dict(weight_map)}
    folder = os.path.join(pretrained_model_name_or_path, subfolder)
    if os.path.isdir(folder):
        return [safe_join(folder, name, source=f"{index_filename}: the shard") for name in names], metadata
    paths = cached_files(
        pretrained_model_name_or_path,
        names,
        cache_dir=cache_dir,
        force_download=force_download,
        proxies=proxies,
        local_files_only=local_files_only,
        token=_take_token(token, deprecated_kwargs),
        user_agent=user_agent,
        revision=revision,
        subfolder=subfolder,
        _commit_hash=_commit_hash,
    )
    return paths or [], metadata


def _read_index(path: PathLike) -> tuple[dict[str, str], dict[str, Any]]:
    """The `weight_map` and the `metadata` of an index of shards."""
    from ..errors import CheckpointError

    try:
        with open(path, encoding="utf-8") as stream:
            index = json.load(stream)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: not valid JSON: {error}") from error
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise CheckpointError(f"{path}: expected a field 'weight_map' that gives the file name of each tensor")
    for name in set(weight_map.values()):
        if not is_safe_name(name):
            raise CheckpointError(f"{path}: the shard {name!r} lies outside of the folder: expected a relative name")
    metadata = index.get("metadata")
    return weight_map, metadata if isinstance(metadata, dict) else {}


_SIZE_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def convert_file_size_to_int(size: int | str) -> int:
    """A number of bytes from `5000000`, `"5MB"` (10^6), `"5MiB"` (2^20) or, with a small `b`, bits (`"5Gb"`)."""
    if isinstance(size, int):
        return size
    found = re.fullmatch(r"\s*(\d+)\s*([KMGT]I?)B\s*", size, flags=re.IGNORECASE)
    unit = found and _SIZE_UNITS.get(f"{found[2].upper()}B")
    if not found or not unit:
        raise ValueError(f"expected a size such as '5GB', '200MB' or '1GiB', found {size!r}")
    count = int(found[1]) * unit
    return count // 8 if size.rstrip().endswith("b") and "I" not in found[2].upper() else count


class PushToHubMixin:
    """Adds `push_to_hub` to what has `save_pretrained`: models, configurations, tokenizers, processors, pipelines."""

    def push_to_hub(
        self,
        repo_id: str,
        use_temp_dir: bool | None = None,
        commit_message: str | None = None,
        private: bool | None = None,
        token: bool | str | None = None,
        max_shard_size: int | str | None = "5GB",
        create_pr: bool = False,
        safe_serialization: bool = True,
        revision: str | None = None,
        commit_description: str | None = None,
        **deprecated_kwargs: Any,
    ) -> Any:
        """Saves this object and uploads the files that this wrote to a repository of the Hub, made if missing.

        Args:
            repo_id: `"user/name"`, or a name in your own account.
            use_temp_dir: Saves to a temporary folder; default: unless a folder called like the repository exists here.
            commit_message: Default: `"Upload <kind of object>"`.
            private: Whether a repository that is made is private.
            token: `True` or `None` for the stored one, or the token itself.
            max_shard_size: Of models: the largest size of a file, `"5GB"` or bytes.
            create_pr: Opens a pull request in place of committing.
            safe_serialization: Of models: writes safetensors.
            revision: The branch to commit to, made if missing.
            commit_description: The text below the message.

        Returns:
            What `huggingface_hub.create_commit` returns: the addresses of the commit and the pull request.
        """
        organization, repo_url = deprecated_kwargs.pop("organization", None), deprecated_kwargs.pop("repo_url", None)
        token = _take_token(token, deprecated_kwargs)
        working_dir = repo_id.rsplit("/", 1)[-1]
        if repo_url is not None:
            repo_id = repo_url.removeprefix(_endpoint() or _hub().constants.ENDPOINT).strip("/")
        repo_id = self._create_repo(repo_id, private=private, token=token, organization=organization)
        temporary = use_temp_dir if use_temp_dir is not None else not os.path.isdir(working_dir)
        from .generic import working_or_temp_dir

        with working_or_temp_dir(working_dir, temporary) as folder:
            before = self._get_files_timestamps(folder)
            self.save_pretrained(folder, max_shard_size=max_shard_size, safe_serialization=safe_serialization)  # type: ignore[attr-defined]
            return self._upload_modified_files(
                folder,
                repo_id,
                before,
                commit_message=commit_message,
                token=token,
                create_pr=create_pr,
                revision=revision,
                commit_description=commit_description,
            )

    def _create_repo(
        self,
        repo_id: str,
        private: bool | None = None,
        token: bool | str | None = None,
        repo_url: str | None = None,
        organization: str | None = None,
    ) -> str:
        """Makes the repository unless it exists, and returns its full name."""
        if organization is not None and not repo_id.startswith(f"{organization}/"):
            repo_id = f"{organization}/{repo_id.rsplit('/', 1)[-1]}"
        api = _hub().HfApi(endpoint=_endpoint())
        return api.create_repo(repo_id, token=token, private=private, exist_ok=True).repo_id

    def _get_files_timestamps(self, working_dir: PathLike) -> dict[str, float]:
        """When each file of a folder was last written."""
        root = Path(working_dir)
        files = (path for path in root.rglob("*") if path.is_file()) if root.is_dir() else ()
        relative = ((path, path.relative_to(root)) for path in files)
        return {
            name.as_posix(): path.stat().st_mtime
            for path, name in relative
            if not any(part.startswith(".") for part in name.parts[:-1])
        }

    def _upload_modified_files(
        self,
        working_dir: PathLike,
        repo_id: str,
        files_timestamps: dict[str, float],
        commit_message: str | None = None,
        token: bool | str | None = None,
        create_pr: bool = False,
        revision: str | None = None,
        commit_description: str | None = None,
    ) -> Any:
        """Commits the files of a folder that are new or were written since `files_timestamps` was taken."""
        hub = _hub()
        api = hub.HfApi(endpoint=_endpoint())
        now = self._get_files_timestamps(working_dir)
        changed = [name for name, time in now.items() if time > files_timestamps.get(name, -1.0)]
        if revision is not None and not create_pr:
            api.create_branch(repo_id, branch=revision, token=token, exist_ok=True)
        logger.info("Uploading to %s: %s", repo_id, ", ".join(changed))
        return api.create_commit(
            repo_id,
            [
                hub.CommitOperationAdd(path_or_fileobj=os.path.join(working_dir, name), path_in_repo=name)
                for name in sorted(changed)
            ],
            commit_message=commit_message or _commit_message(type(self).__name__),
            commit_description=commit_description or "",
            token=token,
            create_pr=create_pr,
            revision=revision,
        )


def _commit_message(class_name: str) -> str:
    kinds = ("Model", "Config", "Tokenizer", "FeatureExtractor", "Processor", "Pipeline")
    for kind in kinds:
        if kind in class_name:
            return f"Upload {re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', kind).lower()}"
    return f"Upload {class_name}"
