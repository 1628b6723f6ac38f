"""`BatchFeature` and `FeatureExtractionMixin`: what preprocessors of sound and images return, and how they are kept."""

from __future__ import annotations

import copy
import json
import os
from collections import UserDict
from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any, ClassVar, TypeVar

from .configuration_utils import _HUB_OPTIONS, PretrainedConfig, _qualify_auto_map
from .errors import ConfigError, ConfigFileError
from .utils import logging
from .utils.constants import FEATURE_EXTRACTOR_NAME
from .utils.files import atomic_write
from .utils.generic import TensorType, is_torch_device, is_torch_dtype, is_torch_tensor
from .utils.hub import PushToHubMixin, cached_file, download_url, is_remote_url
from .utils.tensors import tensor_functions

__all__ = ["BatchFeature", "FeatureExtractionMixin"]

logger = logging.get_logger(__name__)

Preprocessor = TypeVar("Preprocessor", bound="PreprocessorMixin")


class BatchFeature(UserDict):
    """The arrays that a preprocessor made (`input_values`, `pixel_values`, …), readable as items and as attributes.

    Args:
        data: The arrays by name.
        tensor_type: Convert them to tensors: `"pt"`, `"np"`, `"tf"` or `"jax"`.
    """

    def __init__(self, data: dict[str, Any] | None = None, tensor_type: str | TensorType | None = None) -> None:
        self.data = dict(data) if data is not None else {}
        self.convert_to_tensors(tensor_type)

    def __getitem__(self, item: str) -> Any:
        """The array called `item`."""
        if isinstance(item, str):
            return self.data[item]
        raise KeyError(f"Expected the name of an array (one of {', '.join(self.data)}), found {item!r}")

    def __getattr__(self, item: str) -> Any:
        # `data` itself is missing while an object is being unpickled.
        if item != "data" and item in self.data:
            return self.data[item]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute or array {item!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data = state.get("data", {})

    def keys(self) -> KeysView[str]:
        return self.data.keys()

    def values(self) -> ValuesView[Any]:
        return self.data.values()

    def items(self) -> ItemsView[str, Any]:
        return self.data.items()

    def convert_to_tensors(self, tensor_type: str | TensorType | None = None) -> BatchFeature:
        """Convert all arrays to tensors, in place.

        Args:
            tensor_type: `"pt"`, `"np"`, `"tf"` or `"jax"`; None changes nothing.

        Raises:
            ImportError: The framework is not installed.
            ValueError: The rows of an array have different lengths, or hold what no tensor can.
        """
        if tensor_type is None:
            return self
        as_tensor, is_tensor = tensor_functions(TensorType(tensor_type).value)
        for name, value in self.data.items():
            if is_tensor(value):
                continue
            try:
                self.data[name] = as_tensor(value)
            except Exception as error:
                hint = (
                    "they have different lengths"
                    if name == "overflowing_values"
                    else "Pass `padding=True` (and `truncation=True` with `max_length` for inputs that are too long)"
                    " so that all rows get the same length"
                )
                raise ValueError(f"Unable to create tensor from `{name}`: {hint}. ({error})") from error
        return self

    def to(self, *args: Any, **kwargs: Any) -> BatchFeature:
        """Move the tensors to a device, change the dtype of those of floating point, or both; in place.

        Args:
            args, kwargs: As `torch.Tensor.to` takes them. Only floating-point tensors are given all of them, the others
                the device; what is no PyTorch tensor stays as it is.

        Raises:
            ValueError: The first argument is neither a device nor a dtype.
        """
        device = kwargs.get("device")
        if device is None and args and not is_torch_dtype(args[0]):
            if not (isinstance(args[0], (str, int)) or is_torch_device(args[0])):
                raise ValueError(f"BatchFeature.to: expected a device or a dtype of torch, found {args[0]!r}")
            device = args[0]

        def moved(value: Any) -> Any:
            if not is_torch_tensor(value):
                return [moved(item) for item in value] if isinstance(value, list) else value
            if value.is_floating_point():
                return value.to(*args, **kwargs)
            return value if device is None else value.to(device=device)

        self.data = {name: moved(value) for name, value in self.data.items()}
        return self


class PreprocessorMixin(PushToHubMixin):
    """What feature extractors and image processors share: attributes that are kept in `preprocessor_config.json`.

    Class attributes:
        type_key: Where the file has the name of the class.
        unsaved: Attributes that are derived from others, and not kept.
    """

    type_key: ClassVar[str] = "feature_extractor_type"
    unsaved: ClassVar[tuple[str, ...]] = ()
    _auto_class: ClassVar[str | None] = None
    _processor_class: str | None

    def __init__(self, **kwargs: Any) -> None:
        """Keep all arguments as attributes."""
        self._processor_class = kwargs.pop("processor_class", None)
        for name, value in kwargs.items():
            if callable(getattr(type(self), name, None)):
                raise ConfigError(f"'{name}' cannot be a setting: it is a method of {type(self).__name__}", field=name)
            setattr(self, name, value)

    def _set_processor_class(self, processor_class: str) -> None:
        """Note the name of the processor that this is a part of; it is kept in the file."""
        self._processor_class = processor_class

    # Reading

    @classmethod
    def from_pretrained(
        cls: type[Preprocessor],
        pretrained_model_name_or_path: str | os.PathLike[str],
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        **kwargs: Any,
    ) -> Preprocessor:
        """Read the settings from a folder, a file or a repository of the Hub.

        Args:
            pretrained_model_name_or_path: A folder with a `preprocessor_config.json`, a JSON file, or a Hub id.
            cache_dir: Folder of downloads, instead of the usual one.
            force_download: Download even what is in the cache.
            local_files_only: Only use files that are there already.
            token: Token of the Hub; True for the one that is stored.
            revision: Branch, tag or commit of the repository.
            kwargs: `subfolder`, `return_unused_kwargs` (return a pair, with the kwargs that are no setting), and
                settings that replace those of the file.

        Raises:
            OSError: There is no such file, or it is not a JSON object.
            ConfigError: A setting has the wrong type or value; the message names the file.
        """
        kwargs.update(
            cache_dir=cache_dir, force_download=force_download, local_files_only=local_files_only, revision=revision
        )
        PretrainedConfig._set_token_in_kwargs(kwargs, token)
        return cls.from_file_values(*cls._read(pretrained_model_name_or_path, kwargs))

    @classmethod
    def from_file_values(
        cls: type[Preprocessor], values: dict[str, Any], path: str, kwargs: dict[str, Any]
    ) -> Preprocessor:
        """`from_dict` for the contents of a file, which errors name."""
        try:
            return cls.from_dict(values, **kwargs)
        except ConfigError as error:
            raise error.in_file(path) from None
        except TypeError as error:
            raise ConfigError(f"a setting has the wrong type ({error})", file=path) from error

    @classmethod
    def _read(
        cls, name_or_path: str | os.PathLike[str], kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], str, dict[str, Any]]:
        """Contents and path of the file, and the kwargs that did not serve to find it."""
        kwargs = dict(kwargs)
        PretrainedConfig._set_token_in_kwargs(kwargs)
        options = {name: kwargs.pop(name) for name in _HUB_OPTIONS if name in kwargs}
        options["subfolder"] = kwargs.pop("subfolder", "") or ""
        origin = {"file_type": "feature extractor", "from_auto_class": kwargs.pop("_from_auto", False)}
        if pipeline := kwargs.pop("_from_pipeline", None):
            origin["using_pipeline"] = pipeline
        name = os.fspath(name_or_path)
        if os.path.isfile(name):
            path = name
        elif is_remote_url(name):
            path = download_url(name)
        else:
            found = cached_file(name, FEATURE_EXTRACTOR_NAME, user_agent=origin, **options)
            assert found is not None  # cached_file raises unless told otherwise
            path = found
        values = _read_json(path)
        if not os.path.exists(name):
            _qualify_auto_map(values, name)
        logger.info(f"loading configuration file {path}")
        return values, path, kwargs

    @classmethod
    def from_dict(cls: type[Preprocessor], values: dict[str, Any], **kwargs: Any) -> Preprocessor:
        """A preprocessor from the contents of a file; kwargs replace settings that exist.

        `return_unused_kwargs=True` returns a pair, with the kwargs that are no setting.
        """
        return_unused = kwargs.pop("return_unused_kwargs", False)
        result = cls(**values)
        for name in [name for name in kwargs if hasattr(result, name)]:
            setattr(result, name, kwargs.pop(name))
        logger.info(f"{cls.__name__} {result}")
        return (result, kwargs) if return_unused else result  # type: ignore[return-value]

    @classmethod
    def from_json_file(cls: type[Preprocessor], json_file: str | os.PathLike[str]) -> Preprocessor:
        """A preprocessor from a JSON file."""
        try:
            return cls(**_read_json(json_file))
        except ConfigError as error:
            raise error.in_file(json_file) from None

    # Writing

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write `preprocessor_config.json` to a folder (made if missing), atomically.

        Args:
            save_directory: The folder.
            push_to_hub: Also upload it.
            kwargs: For `push_to_hub`: `repo_id` (by default the name of the folder), `commit_message`, `token`, …

        Returns:
            The path of the file, in a list.
        """
        PretrainedConfig._set_token_in_kwargs(kwargs)
        if os.path.isfile(save_directory):
            raise AssertionError(f"Provided path ({save_directory}) should be a directory, not a file")
        os.makedirs(save_directory, exist_ok=True)
        if push_to_hub:
            message = kwargs.pop("commit_message", None)
            repo = kwargs.pop("repo_id", os.fspath(save_directory).rstrip(os.sep).split(os.sep)[-1])
            repo = self._create_repo(repo, **kwargs)
            before = self._get_files_timestamps(save_directory)
        if self._auto_class is not None:
            from .dynamic_module_utils import custom_object_save

            custom_object_save(self, save_directory, config=self)
        path = os.path.join(save_directory, FEATURE_EXTRACTOR_NAME)
        self.to_json_file(path)
        logger.info(f"Settings saved in {path}")
        if push_to_hub:
            self._upload_modified_files(save_directory, repo, before, commit_message=message, token=kwargs.get("token"))
        return [path]

    def to_dict(self) -> dict[str, Any]:
        """All settings, with the name of the class."""
        values = {name: copy.deepcopy(value) for name, value in vars(self).items() if name not in self.unsaved}
        values[self.type_key] = type(self).__name__
        return values

    def to_json_string(self) -> str:
        """The settings as JSON."""
        values = self.to_dict()
        values = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in values.items()}
        processor = values.pop("_processor_class", None)
        if processor is not None:
            values["processor_class"] = processor
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str]) -> None:
        """Write the settings as JSON, atomically."""
        text = self.to_json_string()
        with atomic_write(json_file_path) as stream:
            stream.write(text)

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"

    @classmethod
    def _register(cls, auto_class: str | type) -> None:
        from .models import auto

        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        if name not in auto.exports():
            raise ValueError(f"{name} is not a valid auto class.")
        cls._auto_class = name


class FeatureExtractionMixin(PreprocessorMixin):
    """Loading and saving of feature extractors."""

    unsaved = ("mel_filters", "window")

    @classmethod
    def get_feature_extractor_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The contents of a `preprocessor_config.json`, and those kwargs that did not serve to find it."""
        values, _, kwargs = cls._read(pretrained_model_name_or_path, kwargs)
        return values, kwargs

    @classmethod
    def from_dict(  # type: ignore[override]  # the name of the argument is documented
        cls: type[Preprocessor], feature_extractor_dict: dict[str, Any], **kwargs: Any
    ) -> Preprocessor:
        """A feature extractor from the contents of a file; kwargs replace settings that exist."""
        return super().from_dict(feature_extractor_dict, **kwargs)  # type: ignore[misc]

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoFeatureExtractor") -> None:
        """Make `save_pretrained` copy the source of this class too, so that `auto_class` can load it elsewhere."""
        cls._register(auto_class)


def _read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ConfigFileError: (an `OSError`) It is not JSON, or something other than an object.
    """
    with open(path, encoding="utf-8") as stream:
        try:
            values = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise ConfigFileError(f"not a valid JSON file ({error}); is it truncated?", file=str(path)) from error
    if not isinstance(values, dict):
        raise ConfigFileError(f"expected a JSON object, found {type(values).__name__}", file=str(path))
    return values
