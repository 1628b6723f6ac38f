"""`AutoTokenizer`: finds the tokenizer class of a checkpoint."""

from __future__ import annotations

import functools
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ...errors import TokenizerError
from ...registry import architectures, exports
from ...utils import logging
from .auto_factory import _LazyAutoMapping

__all__ = [
    "TOKENIZER_MAPPING",
    "AutoTokenizer",
    "get_tokenizer_config",
    "tokenizer_class_from_name",
]

logger = logging.get_logger(__name__)

_TOKENIZER_CONFIG = "tokenizer_config.json"
_TOKENIZER_JSON = "tokenizer.json"

# Options that say where files are looked for; all others go to the tokenizer.
_HUB_OPTIONS = (
    "cache_dir",
    "force_download",
    "resume_download",
    "proxies",
    "token",
    "use_auth_token",
    "revision",
    "local_files_only",
    "subfolder",
    "_commit_hash",
)


@functools.cache
def _mapping_names() -> OrderedDict[str, tuple[str | None, str | None]]:
    """Model type to the names of its slow and its fast tokenizer class."""
    return OrderedDict((name, arch.tokenizer) for name, arch in architectures().items() if any(arch.tokenizer))


def __getattr__(name: str) -> Any:
    if name == "TOKENIZER_MAPPING_NAMES":
        return _mapping_names()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Configuration class to (slow, fast) tokenizer classes, None for one that does not exist.
TOKENIZER_MAPPING = _LazyAutoMapping(None, _mapping_names)


def tokenizer_class_from_name(class_name: str) -> type | None:
    """The tokenizer class with a name, among those of isoform and those that were registered; None if there is none."""
    if class_name == "PreTrainedTokenizerFast":
        from ...tokenization_utils_fast import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast
    for classes in TOKENIZER_MAPPING._extra_content.values():
        for candidate in classes:
            if getattr(candidate, "__name__", None) == class_name:
                return candidate
    export = exports().get(class_name)
    if export is None or ".tokenization_" not in export.module:
        return None
    return export.load(class_name)


def get_tokenizer_config(
    pretrained_model_name_or_path: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
    resume_download: bool = False,
    proxies: dict[str, str] | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    subfolder: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """The contents of a checkpoint's ``tokenizer_config.json``, or an empty dictionary if it has none.

    Args:
        pretrained_model_name_or_path: A folder, or the name of a repository on the Hub.
        cache_dir: Folder for downloaded files.
        force_download: Download even what is cached.
        resume_download: Go on with an interrupted download.
        proxies: Protocol to proxy.
        token: Access token, or True for the one that is stored.
        revision: Branch, tag or commit.
        local_files_only: Do not use the network.
        subfolder: Folder inside the repository.

    Raises:
        TokenizerError: The file is not a JSON object.
    """
    from ...utils.hub import extract_commit_hash

    options = {
        "cache_dir": cache_dir,
        "force_download": force_download,
        "resume_download": resume_download,
        "proxies": proxies,
        "token": token if token is not None else kwargs.get("use_auth_token"),
        "revision": revision,
        "local_files_only": local_files_only,
        "subfolder": subfolder,
        "_commit_hash": kwargs.get("_commit_hash"),
    }
    path = _find_file(pretrained_model_name_or_path, _TOKENIZER_CONFIG, options)
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
    except ValueError as error:
        raise TokenizerError(f"{path}: not valid JSON ({error}); is the file truncated? Download it again.") from error
    if not isinstance(settings, dict):
        raise TokenizerError(f"{path}: expected a JSON object, found a {type(settings).__name__}.")
    # All other files of the checkpoint are then taken from the same commit.
    settings["_commit_hash"] = extract_commit_hash(path, kwargs.get("_commit_hash"))
    return settings


def _find_file(name: str | os.PathLike[str], filename: str, options: Mapping[str, Any]) -> str | None:
    """Path of a file of a checkpoint, None if it is not there."""
    from ...utils.hub import cached_file

    return cached_file(
        name,
        filename,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
        **options,
    )


class AutoTokenizer:
    """Makes the tokenizer that belongs to a checkpoint. It has no instances, use :meth:`from_pretrained`."""

    def __init__(self) -> None:
        raise OSError(
            "AutoTokenizer has no instances: use AutoTokenizer.from_pretrained(name_or_folder) to make a tokenizer."
        )

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], *inputs: Any, **kwargs: Any) -> Any:
        """The tokenizer of a checkpoint.

        Its class is, in this order: that of ``tokenizer_type``; ``tokenizer_class`` in ``tokenizer_config.json``;
        ``tokenizer_class`` in ``config.json``; the one that belongs to the configuration's class. A folder without any
        of these but with a ``tokenizer.json`` gives a :class:`PreTrainedTokenizerFast`.

        Args:
            pretrained_model_name_or_path: A folder, or the name of a repository on the Hub.
            *inputs: Positional arguments of the tokenizer class.
            config: A configuration to take the class from, instead of that of the checkpoint.
            use_fast: Prefer the Rust tokenizer where there is one (the default).
            tokenizer_type: A model type, such as "gpt2", whose tokenizer shall be used.
            trust_remote_code: Run the code of the repository, if it defines a tokenizer of its own. Never done
                otherwise.
            cache_dir, force_download, resume_download, proxies, token, revision, local_files_only, subfolder: Where
                files are looked for, see :func:`get_tokenizer_config`.
            **kwargs: Options of the tokenizer; they override those of the checkpoint.

        Raises:
            ValueError: The class is unknown, or there is nothing that tells it.
            RemoteCodeError: The repository defines a tokenizer of its own and ``trust_remote_code`` was not passed.
            OSError: Files are missing or cannot be downloaded.
        """
        kwargs["_from_auto"] = True
        if "use_auth_token" in kwargs:  # the old name of `token`
            kwargs.setdefault("token", kwargs.pop("use_auth_token"))
        config = kwargs.pop("config", None)
        use_fast = kwargs.pop("use_fast", True)
        tokenizer_type = kwargs.pop("tokenizer_type", None)
        trust_remote_code = kwargs.pop("trust_remote_code", None)
        name = pretrained_model_name_or_path
        if tokenizer_type is not None:
            found: Any = _class_of_type(tokenizer_type, use_fast)
        else:
            search = _Search(name, use_fast, {key: kwargs[key] for key in _HUB_OPTIONS if key in kwargs})
            found = search.tokenizer_class(config, trust_remote_code, kwargs)
            if search.commit_hash is not None:
                kwargs["_commit_hash"] = search.commit_hash
        return found.from_pretrained(name, *inputs, **kwargs)

    @staticmethod
    def register(
        config_class: type,
        slow_tokenizer_class: type | None = None,
        fast_tokenizer_class: type | None = None,
        exist_ok: bool = False,
    ) -> None:
        """Tell which tokenizers belong to a configuration class of your own.

        Args:
            config_class: The configuration class.
            slow_tokenizer_class: Its Python tokenizer.
            fast_tokenizer_class: Its Rust tokenizer.
            exist_ok: Replace what is known already.

        Raises:
            ValueError: No class was passed, one of the wrong kind, or the configuration class has tokenizers already.
        """
        from ...tokenization_utils import PreTrainedTokenizer
        from ...tokenization_utils_fast import PreTrainedTokenizerFast

        slow, fast = slow_tokenizer_class, fast_tokenizer_class
        if slow is None and fast is None:
            raise ValueError("Pass slow_tokenizer_class, fast_tokenizer_class or both.")
        if slow is not None and issubclass(slow, PreTrainedTokenizerFast):
            raise ValueError(f"slow_tokenizer_class is {slow.__name__}, a fast tokenizer.")
        if fast is not None and issubclass(fast, PreTrainedTokenizer):
            raise ValueError(f"fast_tokenizer_class is {fast.__name__}, a slow tokenizer.")
        expected = getattr(fast, "slow_tokenizer_class", None)
        if slow is not None and expected is not None and expected != slow:
            raise ValueError(
                f"{fast.__name__}.slow_tokenizer_class is {expected.__name__}, but slow_tokenizer_class is "  # type: ignore[union-attr]
                f"{slow.__name__}; make them the same."
            )
        known = TOKENIZER_MAPPING._extra_content.get(config_class, (None, None))
        TOKENIZER_MAPPING.register(config_class, (slow or known[0], fast or known[1]), exist_ok=exist_ok)


def _class_of_type(tokenizer_type: str, use_fast: bool) -> type:
    names = _mapping_names().get(tokenizer_type)
    if names is None:
        raise ValueError(
            f"tokenizer_type {tokenizer_type!r} is not a model type with a tokenizer. "
            f"Known: {', '.join(_mapping_names())}."
        )
    slow, fast = names
    if use_fast and fast is None:
        logger.warning(f"use_fast=True, but {tokenizer_type!r} has no fast tokenizer; the slow one is used.")
    name = fast if use_fast and fast else slow
    found = tokenizer_class_from_name(name) if name else None
    if found is None:
        raise ValueError(f"tokenizer_type {tokenizer_type!r} has no {'fast' if use_fast else 'slow'} tokenizer.")
    return found


class _Search:
    """The search for the tokenizer class of one checkpoint."""

    def __init__(self, name: str | os.PathLike[str], use_fast: bool, hub: dict[str, Any]) -> None:
        self.name, self.use_fast, self.hub = name, use_fast, hub
        self.settings = get_tokenizer_config(name, **hub)
        self.commit_hash: str | None = self.settings.get("_commit_hash", hub.get("_commit_hash"))
        self.problem: Exception | None = None  # why there is no configuration

    def tokenizer_class(self, config: Any, trust_remote_code: bool | None, kwargs: dict[str, Any]) -> type:
        """The class; the one that the repository brings only where the caller trusts it."""
        from ...dynamic_module_utils import resolve_trust_remote_code

        class_name = self.settings.get("tokenizer_class")
        remote = _auto_map_entry(self.settings.get("auto_map"))
        if class_name is None:
            config = config if config is not None else self._load_config(trust_remote_code)
            class_name = getattr(config, "tokenizer_class", None)
            remote = _auto_map_entry(getattr(config, "auto_map", None)) or remote
        found = self._named_class(class_name) if class_name else self._class_of_config(config)
        code_revision = kwargs.pop("code_revision", None)
        if resolve_trust_remote_code(trust_remote_code, self.name, found is not None, remote is not None):
            return self._remote_class(remote, code_revision)
        return found or self._from_tokenizer_json(class_name, config)

    def _load_config(self, trust_remote_code: bool | None) -> Any:
        """The checkpoint's configuration, or None, with `problem` saying why."""
        from .configuration_auto import AutoConfig

        try:
            return AutoConfig.from_pretrained(self.name, trust_remote_code=bool(trust_remote_code), **self.hub)
        except (OSError, ValueError) as error:
            self.problem = error
            return None

    def _named_class(self, class_name: str) -> type | None:
        """The class with this name; settings name the slow class even where there is only a fast one."""
        base = class_name.removesuffix("Fast")
        names: tuple[str, ...] = (f"{base}Fast", class_name) if self.use_fast else (class_name, f"{base}Fast")
        if (class_name, None) in _mapping_names().values():  # its fast version, if any, is for other vocabularies
            names = (class_name,)
        return next(filter(None, map(tokenizer_class_from_name, names)), None)

    def _class_of_config(self, config: Any) -> type | None:
        if getattr(config, "model_type", None) == "encoder-decoder":
            if type(config.encoder) is not type(config.decoder):
                logger.warning(
                    f"Encoder and decoder of {self.name} are of different types; the tokenizer is that of the encoder."
                )
            config = config.encoder
        if config is None or type(config) not in TOKENIZER_MAPPING:
            return None
        slow, fast = TOKENIZER_MAPPING[type(config)]
        arch = architectures().get(getattr(config, "model_type", ""))
        known = arch is not None and arch.config == type(config).__name__ and arch.tokenizer != (None, None)
        if arch is not None and known and type(config) not in TOKENIZER_MAPPING._extra_content:
            # Several architectures may share a class of configurations: GPT-Sw3 has that of GPT-2.
            slow, fast = (tokenizer_class_from_name(name) if name else None for name in arch.tokenizer)
        return fast if fast is not None and (self.use_fast or slow is None) else slow

    def _remote_class(self, remote: Any, code_revision: str | None) -> Any:
        from ...dynamic_module_utils import get_class_from_dynamic_module

        slow, fast = remote
        reference = fast if fast is not None and (self.use_fast or slow is None) else slow
        found = get_class_from_dynamic_module(reference, self.name, code_revision=code_revision, **self.hub)
        if os.path.isdir(self.name):
            found.register_for_auto_class()
        return found

    def _from_tokenizer_json(self, class_name: str | None, config: Any) -> type:
        """What is left when no class was found: a tokenizer.json needs none."""
        from ...tokenization_utils_fast import PreTrainedTokenizerFast

        if _find_file(self.name, _TOKENIZER_JSON, self.hub) is not None:
            if class_name:
                logger.warning(f"{self.name} asks for {class_name}, which isoform lacks; {_TOKENIZER_JSON} is used.")
            elif isinstance(self.problem, ValueError):
                logger.warning(f"{self.problem} For the tokenizer, {_TOKENIZER_JSON} is used.")
            return PreTrainedTokenizerFast
        if class_name:
            raise ValueError(
                f"Tokenizer class {class_name} does not exist in isoform: {self.name} names it, and there is no "
                f"{_TOKENIZER_JSON} to fall back on."
            )
        if isinstance(self.problem, ValueError) or (self.problem and not os.path.isdir(self.name)):
            raise self.problem  # a broken config.json, or a repository that does not exist or cannot be reached
        found = "not found" if config is None else f"of type {type(config).__name__}, which has no tokenizer"
        raise OSError(
            f"Cannot tell which tokenizer {os.fspath(self.name)!r} needs. Looked for: 'tokenizer_class' in "
            f"{_TOKENIZER_CONFIG} (not found); config.json ({found}); {_TOKENIZER_JSON} (not found). Add one of them, "
            "pass tokenizer_type=…, or use the tokenizer's class."
        )


def _auto_map_entry(auto_map: Any) -> tuple[str | None, str | None] | None:
    """The (slow, fast) references to classes in the repository's code. Old files hold the pair without a dictionary."""
    entry = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else auto_map
    if isinstance(entry, str):
        entry = (entry, None)
    if not isinstance(entry, (list, tuple)) or len(entry) != 2 or not any(entry):
        return None
    return entry[0], entry[1]
