"""Loading and saving of tokenizers: settings, special and added tokens, vocabularies.

Newer checkpoints keep everything but the vocabulary in `tokenizer_config.json`, with its field `added_tokens_decoder`;
older ones spread it over the other two files. Both are read, both are written.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from typing import Any

from tokenizers import AddedToken

from ._tokenization_special import SpecialTokensMixin
from .errors import TokenizerError
from .utils import logging
from .utils.files import atomic_files
from .utils.generic import add_model_info_to_auto_map
from .utils.hub import PushToHubMixin, cached_file, download_url, extract_commit_hash, is_remote_url

__all__ = [
    "ADDED_TOKENS_FILE",
    "FULL_TOKENIZER_FILE",
    "SPECIAL_TOKENS_MAP_FILE",
    "TOKENIZER_CONFIG_FILE",
    "TokenizerFiles",
    "get_fast_tokenizer_file",
    "vocabulary_path",
]

logger = logging.get_logger(__name__)

SPECIAL_TOKENS_MAP_FILE = "special_tokens_map.json"
ADDED_TOKENS_FILE = "added_tokens.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
FULL_TOKENIZER_FILE = "tokenizer.json"
CHAT_TEMPLATE_FILE = "chat_template.jinja"

_OWN_FILES = {
    "added_tokens_file": ADDED_TOKENS_FILE,
    "special_tokens_map_file": SPECIAL_TOKENS_MAP_FILE,
    "tokenizer_config_file": TOKENIZER_CONFIG_FILE,
    "chat_template_file": CHAT_TEMPLATE_FILE,
}
# Versions of `tokenizer.json` up to this one are understood: `tokenizer.4.0.0.json` is, `tokenizer.99.0.0.json` is not.
_FORMAT_VERSION = "4.36.2"
_NAMED_TOKENS = SpecialTokensMixin.SPECIAL_TOKENS_ATTRIBUTES[:-1]
_NUMBER, _TEXT, _FLAG = (int, float), (str,), (bool,)
_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "model_max_length": _NUMBER,
    "padding_side": _TEXT,
    "truncation_side": _TEXT,
    "clean_up_tokenization_spaces": _FLAG,
    "split_special_tokens": _FLAG,
    "tokenizer_class": _TEXT,
    "model_input_names": (list,),
    "chat_template": (str, list),
    "added_tokens_decoder": (dict,),
    "additional_special_tokens": (list,),
    **dict.fromkeys(_NAMED_TOKENS, (str, dict)),
}
_TYPE_NAMES = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class TokenizerFiles(SpecialTokensMixin, PushToHubMixin):
    """The part of `PreTrainedTokenizerBase` that reads and writes files."""

    vocab_files_names: dict[str, str]
    pretrained_init_configuration: dict[str, dict[str, Any]]
    max_model_input_sizes: dict[str, int | None]
    slow_tokenizer_class: Any
    init_inputs: tuple[Any, ...]
    init_kwargs: dict[str, Any]
    chat_template: str | None
    is_fast: bool
    _auto_class: str | None
    _processor_class: str | None
    # Whether `__init__` itself makes the Python tokenizer that is to be converted, if it needs one.
    _makes_slow_tokenizer = False

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary, without added tokens."""
        raise NotImplementedError

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """The ids of the added tokens, in the order of ids."""
        raise NotImplementedError

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id, in the order of ids."""
        raise NotImplementedError

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *init_inputs: Any,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        **kwargs: Any,
    ) -> Any:
        """Loads a tokenizer from a folder or from a repository of the Hub.

        Args:
            pretrained_model_name_or_path: A folder with the files that `save_pretrained` writes, or the name of a
                repository; deprecated: the vocabulary file, for tokenizers that have only one.
            *init_inputs: Passed to `__init__`.
            cache_dir: Where downloads are kept.
            force_download: Download again.
            local_files_only: Do not use the network.
            token: Access token of the Hub; `True` for the one that is logged in.
            revision: Branch, tag or commit.
            **kwargs: `subfolder`, and arguments of `__init__` that override those in the files (special tokens,
                `padding_side`…).

        Raises:
            OSError: Files are missing.
            TokenizerError: A file is broken; the message names file and field.
        """
        hub: dict[str, Any] = {
            name: kwargs.pop(name)
            for name in ("resume_download", "proxies", "use_auth_token", "subfolder", "_commit_hash")
            if name in kwargs
        }
        for name in ("_from_pipeline", "_from_auto", "trust_remote_code"):
            kwargs.pop(name, None)
        hub.update(cache_dir=cache_dir, force_download=force_download, local_files_only=local_files_only)
        hub.update(token=token, revision=revision)
        source = os.fspath(pretrained_model_name_or_path)
        single = os.path.isfile(source) or is_remote_url(source)
        files = cls._single_file(source) if single else cls._find_files(source, hub)
        if all(path is None for path in files.values()):
            raise _nothing_found(cls, source, hub)
        for path in files.values():
            logger.info(f"loading file {path}")
        return cls._from_pretrained(
            files,
            source,
            cls.pretrained_init_configuration.get(source, {}),
            *init_inputs,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            _commit_hash=hub.get("_commit_hash"),
            _is_local=single or os.path.isdir(source),
            **kwargs,
        )

    @classmethod
    def _single_file(cls, source: str) -> dict[str, str | None]:
        """The only vocabulary file of a tokenizer, given by its path."""
        if len(cls.vocab_files_names) > 1:
            raise ValueError(
                f"{cls.__name__}.from_pretrained() got a single file or url, which is not supported here "
                "because this tokenizer reads several files. Pass the folder that holds them, or a "
                "repository."
            )
        warnings.warn(
            f"{cls.__name__}.from_pretrained() got a single file or url, which is deprecated: pass the "
            "folder that holds it.",
            FutureWarning,
            stacklevel=4,
        )
        path = download_url(source) if is_remote_url(source) else source
        return {next(iter(cls.vocab_files_names)): path}

    @classmethod
    def _find_files(cls, source: str, hub: dict[str, Any]) -> dict[str, str | None]:
        """The paths of the files of a tokenizer, downloaded if need be; `None` for those that do not exist."""

        def find(name: str) -> str | None:
            path = cached_file(source, name, _raise_exceptions_for_missing_entries=False, **hub)
            hub["_commit_hash"] = extract_commit_hash(path, hub.get("_commit_hash"))
            return path

        names = {**cls.vocab_files_names, **_OWN_FILES}
        config = find(TOKENIZER_CONFIG_FILE)
        if "tokenizer_file" in names and config is not None:
            versions = read_json(config).get("fast_tokenizer_files")
            if isinstance(versions, list):
                names["tokenizer_file"] = get_fast_tokenizer_file(versions)
        return {key: config if name == TOKENIZER_CONFIG_FILE else find(name) for key, name in names.items()}

    @classmethod
    def _from_pretrained(
        cls,
        resolved_vocab_files: Mapping[str, str | None],
        pretrained_model_name_or_path: str,
        init_configuration: Mapping[str, Any],
        *init_inputs: Any,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        local_files_only: bool = False,
        _commit_hash: str | None = None,
        _is_local: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Builds a tokenizer from its files, given by the name of their argument."""
        files = dict(resolved_vocab_files)
        slow = cls.slow_tokenizer_class
        from_slow = kwargs.get("from_slow", False)
        if slow is not None and (from_slow or (files.get("tokenizer_file") is None and not cls._makes_slow_tokenizer)):
            slow_files = {key: path for key, path in files.items() if key != "tokenizer_file"}
            options = {key: value for key, value in kwargs.items() if key != "from_slow"}
            kwargs["__slow_tokenizer"] = slow._from_pretrained(
                slow_files, pretrained_model_name_or_path, init_configuration, *init_inputs, **copy.deepcopy(options)
            )
        own = {key: files.pop(key, None) for key in _OWN_FILES}
        settings, saved_inputs = cls._read_settings(own, init_configuration)
        if "auto_map" in settings and not _is_local:
            add_model_info_to_auto_map(settings["auto_map"], pretrained_model_name_or_path)
        settings.update(kwargs)
        if "added_tokens_decoder" not in settings:
            _read_old_files(own, settings, kwargs)
        _share_tokens(settings)
        limit = cls.max_model_input_sizes.get(pretrained_model_name_or_path)
        if limit is not None:
            settings["model_max_length"] = min(settings.get("model_max_length") or limit, limit)
        for key, path in files.items():
            settings.setdefault(key, path)
        settings["name_or_path"] = pretrained_model_name_or_path
        tokenizer = cls._build(init_inputs or saved_inputs, settings, pretrained_model_name_or_path)
        added = settings.get("added_tokens_decoder")
        if added and max(added) >= tokenizer.vocab_size:
            logger.warning_advice(
                "The tokenizer has special tokens beyond its vocabulary: train their embeddings before relying on them."
            )
        return tokenizer

    @classmethod
    def _read_settings(
        cls, own: Mapping[str, str | None], defaults: Mapping[str, Any]
    ) -> tuple[dict[str, Any], tuple[Any, ...]]:
        """The arguments of `__init__`, by name and by position, that `tokenizer_config.json` holds."""
        path = own["tokenizer_config_file"]
        settings = read_json(path) if path is not None else dict(defaults)
        for field, kinds in _FIELD_TYPES.items():
            if settings.get(field) is not None:
                _check_type(settings[field], kinds, f"{path}: field '{field}'")
        _warn_of_other_class(settings.pop("tokenizer_class", None), cls.__name__)
        settings.pop("fast_tokenizer_files", None)
        saved_inputs = tuple(settings.pop("init_inputs", ()))
        added = settings.pop("added_tokens_decoder", None)
        settings = {
            key: read_token(value, f"{path}: field '{key}'")
            if key in _NAMED_TOKENS and isinstance(value, dict)
            else convert_added_tokens(value, f"{path}: field '{key}'")
            for key, value in settings.items()
        }
        if added is not None:
            settings["added_tokens_decoder"] = _read_decoder(added, f"{path}: field 'added_tokens_decoder'")
        if isinstance(settings.get("chat_template"), list):
            settings["chat_template"] = _default_template(settings["chat_template"], str(path))
        if own["chat_template_file"] is not None:
            with open(own["chat_template_file"], encoding="utf-8") as stream:
                settings["chat_template"] = stream.read()
        return settings, saved_inputs

    @classmethod
    def _build(cls, init_inputs: tuple[Any, ...], settings: dict[str, Any], source: str) -> Any:
        if not init_inputs:
            _check_vocabulary_files(cls, settings, source)
        try:
            return cls(*init_inputs, **settings)
        except OSError as error:
            raise OSError(
                f"Unable to load vocabulary of {source!r} (is it there, readable and complete?): {error}"
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            files = ", ".join(str(settings[key]) for key in cls.vocab_files_names if settings.get(key))
            raise TokenizerError(f"{cls.__name__}: cannot read the vocabulary in {files}: {error}") from error

    @classmethod
    def convert_added_tokens(cls, obj: Any, save: bool = False, add_type_field: bool = True) -> Any:
        """Tokens, alone or inside of lists and dictionaries, to what JSON can hold (`save=True`) and back."""
        if not save:
            return convert_added_tokens(obj, "added token")
        if isinstance(obj, AddedToken):
            state = obj.__getstate__()
            if add_type_field:
                return {**state, "__type": "AddedToken"}
            state.pop("special")
            return state
        if isinstance(obj, (list, tuple)):
            return [cls.convert_added_tokens(o, save=True, add_type_field=add_type_field) for o in obj]
        if isinstance(obj, dict):
            return {k: cls.convert_added_tokens(v, save=True, add_type_field=add_type_field) for k, v in obj.items()}
        return obj

    # ---- saving ----

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> tuple[str, ...] | None:
        """Writes all files that `from_pretrained` needs. A crash leaves the old files or the new ones.

        Args:
            save_directory: The folder; made if missing.
            legacy_format: `True`: only the vocabulary files of the Python tokenizer; `False`: only `tokenizer.json`;
                `None`: all that the tokenizer can write.
            filename_prefix: Prepended to all names, with a hyphen.
            push_to_hub: Upload the folder, too.
            **kwargs: `repo_id`, `commit_message`, `token`, … of `push_to_hub`.

        Returns:
            The paths of the files.
        """
        if os.path.isfile(save_directory):
            logger.error(f"{save_directory} is a file: a tokenizer is saved to a folder. Nothing is written.")
            return None
        folder = os.fspath(save_directory)
        os.makedirs(folder, exist_ok=True)
        token = kwargs.pop("token", kwargs.pop("use_auth_token", None))
        if push_to_hub:
            commit_message = kwargs.pop("commit_message", None)
            repo = self._create_repo(
                kwargs.pop("repo_id", os.path.basename(os.path.normpath(folder))), token=token, **kwargs
            )
            before = self._get_files_timestamps(folder)
        with atomic_files(folder) as stage:
            names = self._write_files(str(stage), legacy_format, filename_prefix)
        logger.info(f"tokenizer saved in {folder}")
        if push_to_hub:
            self._upload_modified_files(folder, repo, before, commit_message=commit_message, token=token)
        return tuple(os.path.join(folder, name) for name in names)

    def _write_files(self, stage: str, legacy_format: bool | None, prefix: str | None) -> list[str]:
        """Writes all files to a temporary folder, and returns their names."""
        names = [_prefixed(TOKENIZER_CONFIG_FILE, prefix), _prefixed(SPECIAL_TOKENS_MAP_FILE, prefix)]
        special = self.convert_added_tokens(self.special_tokens_map_extended, save=True, add_type_field=False)
        for name, content in zip(names, (self._settings(), special)):
            write_json(os.path.join(stage, name), content)
        if self._auto_class is not None:
            self._copy_code(stage)
        paths = self._save_pretrained(
            save_directory=stage,
            file_names=tuple(os.path.join(stage, name) for name in names),
            legacy_format=legacy_format,
            filename_prefix=prefix,
        )
        return [os.path.relpath(path, stage) for path in paths]

    def _settings(self) -> dict[str, Any]:
        """The content of `tokenizer_config.json`."""
        settings = copy.deepcopy(self.init_kwargs)
        for key in {*settings, "model_max_length", "clean_up_tokenization_spaces"}:
            if hasattr(self, key):
                settings[key] = getattr(self, key)
        settings.update(self.special_tokens_map)
        settings.pop("added_tokens_decoder", None)
        for key in (*self.vocab_files_names, "name_or_path", "special_tokens_map_file"):
            settings.pop(key, None)
        if settings.get("tokenizer_file") is not None:  # a path; that there is none is a setting of some tokenizers
            del settings["tokenizer_file"]
        if self.init_inputs:
            settings["init_inputs"] = copy.deepcopy(self.init_inputs)
        if self.chat_template is not None:
            settings["chat_template"] = self.chat_template
        settings = self.convert_added_tokens(settings, save=True)
        settings["added_tokens_decoder"] = {key: t.__getstate__() for key, t in self.added_tokens_decoder.items()}
        name = type(self).__name__
        # A fast tokenizer is stored under the name of its family: `AutoTokenizer` chooses which kind to load.
        settings["tokenizer_class"] = name if name == "PreTrainedTokenizerFast" else name.removesuffix("Fast")
        if self._processor_class is not None:
            settings["processor_class"] = self._processor_class
        return settings

    def _copy_code(self, folder: str) -> None:
        """Saves the module that defines this class, for `trust_remote_code`, and refers to it in the settings."""
        path, module = inspect.getfile(type(self)), type(self).__module__.split(".")[-1]
        shutil.copyfile(path, os.path.join(folder, os.path.basename(path)))
        reference = f"{module}.{type(self).__name__}"
        config = next(name for name in os.listdir(folder) if name.endswith(TOKENIZER_CONFIG_FILE))
        settings = read_json(os.path.join(folder, config))
        settings["auto_map"] = {self._auto_class: [None, reference] if self.is_fast else [reference, None]}
        write_json(os.path.join(folder, config), settings)

    def _save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        file_names: tuple[str, ...],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
    ) -> tuple[str, ...]:
        """Writes vocabulary and added tokens; `file_names` are those written already."""
        if legacy_format is False:
            raise ValueError(
                "`legacy_format=False` asks for a tokenizer.json, which only fast tokenizers "
                "(PreTrainedTokenizerFast) can write."
            )
        return file_names + self._save_vocabulary_files(os.fspath(save_directory), filename_prefix)

    def _save_vocabulary_files(self, folder: str, prefix: str | None) -> tuple[str, ...]:
        added_file = os.path.join(folder, _prefixed(ADDED_TOKENS_FILE, prefix))
        added = {token: index for token, index in self.added_tokens_encoder.items() if index >= self.vocab_size}
        if added:
            write_json(added_file, added)
        return (*self.save_vocabulary(folder, filename_prefix=prefix), added_file)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Writes the vocabulary, without added tokens and settings, and returns the paths of its files."""
        raise NotImplementedError


# ---- reading ----


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        TokenizerError: The file is truncated, is no JSON, or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except (ValueError, RecursionError) as error:
        raise TokenizerError(
            f"{path}: expected a JSON file, found something else, or only a part of one: {error}. Download it again."
        ) from error
    _check_type(content, (dict,), str(path))
    return content


def write_json(path: str, content: dict[str, Any]) -> None:
    """Writes an object to a JSON file, with sorted keys."""
    try:
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    except TypeError as error:
        raise TokenizerError(
            f"{os.path.basename(path)}: a setting of the tokenizer cannot be saved: {error}"
        ) from error
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text + "\n")


def read_token(value: Any, place: str) -> AddedToken:
    """An `AddedToken` from its JSON form; `place` (file and field) is for error messages."""
    _check_type(value, (str, dict), place)
    if isinstance(value, str):
        return AddedToken(value)
    options = {key: option for key, option in value.items() if key not in ("__type", "id")}
    for key, option in options.items():
        _check_type(option, _TEXT if key == "content" else _FLAG, f"{place}, '{key}'")
    if not options.get("content"):
        raise TokenizerError(f"{place}: expected a token with 'content', found {value!r}")
    return AddedToken(**options)


def convert_added_tokens(value: Any, place: str) -> Any:
    """Turns the JSON forms of tokens inside of a value into `AddedToken`."""
    if isinstance(value, dict):
        if value.get("__type") == "AddedToken":
            return read_token(value, place)
        return {key: convert_added_tokens(item, place) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [convert_added_tokens(item, place) for item in value]
    return value


def _read_decoder(content: dict[Any, Any], place: str) -> dict[int, AddedToken]:
    decoder = {}
    for index, value in content.items():
        if not str(index).isdecimal():
            raise TokenizerError(f"{place}: expected ids as keys, found {index!r}")
        decoder[int(index)] = value if isinstance(value, AddedToken) else read_token(value, f"{place}, id {index}")
    return decoder


def _default_template(templates: list[Any], path: str) -> str | None:
    """Newer checkpoints may have several named templates; the one called `default` is used."""
    named = {entry.get("name"): entry.get("template") for entry in templates if isinstance(entry, dict)}
    if "default" not in named:
        logger.warning(f"{path}: none of the chat templates {sorted(map(str, named))} is called 'default'.")
    return named.get("default")


def _read_old_files(own: Mapping[str, str | None], settings: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Adds what checkpoints without `added_tokens_decoder` keep in `special_tokens_map.json`, `added_tokens.json`."""
    path = own["special_tokens_map_file"]
    for key, value in (read_json(path) if path is not None else {}).items():
        place = f"{path}: field '{key}'"
        if given.get(key) or value is None:
            continue
        if isinstance(value, dict):
            value = read_token({**value, "special": True}, place)
        elif isinstance(value, list):
            value = [read_token({**v, "special": True}, place) if isinstance(v, dict) else v for v in value]
            known = settings.get(key) or []
            value = [*known, *(token for token in value if str(token) not in {str(k) for k in known})]
        elif key in _FIELD_TYPES:
            _check_type(value, _FIELD_TYPES[key], place)
        settings[key] = value
    path = own["added_tokens_file"]
    if path is None:
        return
    special = {str(settings[name]): settings[name] for name in _NAMED_TOKENS if settings.get(name)}
    special |= {str(token): token for token in settings.get("additional_special_tokens") or ()}
    decoder = {}
    for token, index in read_json(path).items():
        _check_type(index, (int,), f"{path}: field '{token}'")
        given_as = special.get(token)
        plain = AddedToken(token, normalized=given_as is None, special=given_as is not None)
        decoder[index] = given_as if isinstance(given_as, AddedToken) else plain
    settings["added_tokens_decoder"] = decoder


def _share_tokens(settings: dict[str, Any]) -> None:
    """Special tokens given as text take over the options that `added_tokens_decoder` has for them."""
    added = {str(token): token for token in (settings.get("added_tokens_decoder") or {}).values()}
    for name in _NAMED_TOKENS:
        if settings.get(name) is not None:
            settings[name] = added.get(str(settings[name]), settings[name])


def get_fast_tokenizer_file(tokenization_files: list[str]) -> str:
    """The newest of several versions of `tokenizer.json` (`tokenizer.4.0.0.json`) that this library understands."""
    from packaging.version import InvalidVersion, parse

    best, chosen = None, FULL_TOKENIZER_FILE
    for name in tokenization_files:
        found = re.fullmatch(r"tokenizer\.(.+)\.json", name)
        try:
            version = parse(found[1]) if found else None
        except InvalidVersion:
            continue
        if version is not None and version <= parse(_FORMAT_VERSION) and (best is None or version > best):
            best, chosen = version, name
    return chosen


# ---- checks ----


def _check_type(value: Any, kinds: tuple[type, ...], place: str) -> None:
    if isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds):
        return
    expected = " or ".join(dict.fromkeys(_TYPE_NAMES[kind] for kind in kinds))
    text = repr(value)
    found = f"{text[:77]}..." if len(text) > 80 else text
    raise TokenizerError(f"{place}: expected {expected}, found {found} ({type(value).__name__})")


def _check_vocabulary_files(cls: Any, settings: dict[str, Any], source: str) -> None:
    """Names the vocabulary files that `__init__` cannot do without and that are not there."""
    parameters = inspect.signature(cls.__init__).parameters
    missing = [
        name
        for key, name in cls.vocab_files_names.items()
        if settings.get(key) is None and key in parameters and parameters[key].default is inspect.Parameter.empty
    ]
    if missing:
        raise OSError(
            f"Can't load tokenizer for {source!r}: {cls.__name__} needs the file(s) {', '.join(missing)}, which are "
            "not there. Add them, or load the class that the files belong to (`AutoTokenizer` finds it)."
        )


def _nothing_found(cls: Any, source: str, hub: dict[str, Any]) -> OSError:
    """The error for a place without any file of a tokenizer, with the reason where there is one."""
    names = sorted({*cls.vocab_files_names.values(), TOKENIZER_CONFIG_FILE})
    message = (
        f"Can't load tokenizer for {source!r}: expected a folder or a repository of the Hub with the files of a "
        f"{cls.__name__} ({', '.join(names)}), found none of them."
    )
    try:
        cached_file(source, names[0], **hub)
    except OSError as error:
        failure = OSError(f"{message} {error}")
        failure.__cause__ = error
        return failure
    return OSError(message)


def _warn_of_other_class(stored: str | None, called: str) -> None:
    if stored is not None and stored.removesuffix("Fast") != called.removesuffix("Fast"):
        logger.warning(
            f"This checkpoint names the tokenizer class '{stored}', but is being loaded by '{called}': "
            f"texts may be split differently than the model expects. Use {stored} or AutoTokenizer."
        )


def vocabulary_path(save_directory: str | os.PathLike[str], filename_prefix: str | None, name: str) -> str:
    """``save_directory/[filename_prefix-]name``.

    Raises:
        NotADirectoryError: ``save_directory`` is not a folder.
    """
    if not os.path.isdir(save_directory):
        raise NotADirectoryError(f"Cannot save a vocabulary to {save_directory!r}: it is not an existing folder.")
    return os.path.join(save_directory, _prefixed(name, filename_prefix))


def _prefixed(name: str, prefix: str | None) -> str:
    return f"{prefix}-{name}" if prefix else name
