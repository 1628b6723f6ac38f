"""`ProcessorMixin`: a tokenizer and the preprocessors of other modalities, as one object."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from .configuration_utils import PretrainedConfig
from .utils import logging
from .utils.hub import PushToHubMixin

__all__ = ["ImageTextProcessor", "ProcessorMixin"]

logger = logging.get_logger(__name__)

Processor = TypeVar("Processor", bound="ProcessorMixin")
ClassNames = str | tuple[str | None, ...]

# Module and name of the class whose instances an auto class makes.
_BASES = {
    "AutoTokenizer": ("tokenization_utils_base", "PreTrainedTokenizerBase"),
    "AutoFeatureExtractor": ("feature_extraction_utils", "FeatureExtractionMixin"),
    "AutoImageProcessor": ("image_processing_utils", "ImageProcessingMixin"),
}


class ProcessorMixin(PushToHubMixin):
    """Base class of processors: loading and saving of all their parts.

    Class attributes:
        attributes: Names of the parts, in the order of the constructor's arguments.
        <part>_class: Name of the class of each part; a pair of names for (slow, fast) tokenizers.
    """

    attributes: ClassVar[list[str]] = ["feature_extractor", "tokenizer"]
    feature_extractor_class: Any = None
    tokenizer_class: Any = None
    feature_extractor: Any
    tokenizer: Any
    _auto_class: ClassVar[str | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Keep the parts.

        Raises:
            TypeError: There is no part of that name, or one is given twice.
            ValueError: A part is missing, or of the wrong class.
        """
        name = type(self).__name__
        if len(args) > len(self.attributes):
            raise ValueError(f"{name} takes {', '.join(self.attributes)}; {len(args)} arguments were given.")
        parts = dict(zip(self.attributes, args))
        for key, value in kwargs.items():
            if key not in self.attributes:
                raise TypeError(f"Unexpected keyword argument {key}: {name} takes {', '.join(self.attributes)}.")
            if key in parts:
                raise TypeError(f"{name} got multiple values for argument {key}.")
            parts[key] = value
        missing = [key for key in self.attributes if key not in parts]
        if missing:
            raise ValueError(f"{name} takes {', '.join(self.attributes)}; missing: {', '.join(missing)}.")
        for key, value in parts.items():
            expected = self._class_names(key)
            if not isinstance(value, tuple(_base_class(one) for one in expected)):
                raise ValueError(
                    f"Received a {type(value).__name__} for argument {key} of {name}, expected {' or '.join(expected)}."
                )
            setattr(self, key, value)

    @classmethod
    def _class_names(cls, part: str) -> list[str]:
        """Names of the classes that a part may have."""
        names: ClassNames = getattr(cls, f"{part}_class")
        return [names] if isinstance(names, str) else [name for name in names if name is not None]

    def __repr__(self) -> str:
        parts = "\n".join(f"- {name}: {getattr(self, name)!r}" for name in self.attributes)
        return f"{type(self).__name__}:\n{parts}\n"

    @classmethod
    def from_pretrained(
        cls: type[Processor],
        pretrained_model_name_or_path: str | os.PathLike[str],
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        **kwargs: Any,
    ) -> Processor:
        """Load all parts from a folder or from a repository of the Hub.

        Args:
            pretrained_model_name_or_path: A folder that `save_pretrained` wrote, or a Hub id.
            cache_dir: Folder of downloads, instead of the usual one.
            force_download: Download even what is in the cache.
            local_files_only: Only use files that are there already.
            token: Token of the Hub; True for the one that is stored.
            revision: Branch, tag or commit of the repository.
            kwargs: `use_fast` (prefer fast tokenizers, the default), and what the parts' `from_pretrained` take.

        Raises:
            OSError: Files are missing or broken.
        """
        kwargs.update(
            cache_dir=cache_dir, force_download=force_download, local_files_only=local_files_only, revision=revision
        )
        PretrainedConfig._set_token_in_kwargs(kwargs, token)
        return cls(*cls._get_arguments_from_pretrained(pretrained_model_name_or_path, **kwargs))

    @classmethod
    def _get_arguments_from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> list[Any]:
        """The parts of a checkpoint, in the order of `attributes`."""
        return [
            cls._part_class(part, kwargs.get("use_fast", True)).from_pretrained(pretrained_model_name_or_path, **kwargs)
            for part in cls.attributes
        ]

    @classmethod
    def _part_class(cls, part: str, use_fast: bool) -> Any:
        names: ClassNames = getattr(cls, f"{part}_class")
        if isinstance(names, str):
            return _named_class(names)
        slow, fast = names
        return _named_class(fast if fast is not None and (use_fast or slow is None) else str(slow))

    def save_pretrained(self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any) -> None:
        """Write the files of all parts to a folder (made if missing), from which `from_pretrained` reads them.

        Args:
            save_directory: The folder.
            push_to_hub: Also upload it.
            kwargs: For `push_to_hub`: `repo_id` (by default the name of the folder), `commit_message`, `token`, …
        """
        PretrainedConfig._set_token_in_kwargs(kwargs)
        os.makedirs(save_directory, exist_ok=True)
        if push_to_hub:
            message = kwargs.pop("commit_message", None)
            repo = kwargs.pop("repo_id", os.fspath(save_directory).rstrip(os.sep).split(os.sep)[-1])
            repo = self._create_repo(repo, **kwargs)
            before = self._get_files_timestamps(save_directory)
        parts = [getattr(self, name) for name in self.attributes]
        self._save_own_code(save_directory, parts)
        for part in parts:
            if hasattr(part, "_set_processor_class"):
                part._set_processor_class(type(self).__name__)
            part.save_pretrained(save_directory)
        if self._auto_class is not None:
            for part in parts:
                if hasattr(part, "init_kwargs"):
                    part.init_kwargs.pop("auto_map", None)
        if push_to_hub:
            self._upload_modified_files(save_directory, repo, before, commit_message=message, token=kwargs.get("token"))

    def _save_own_code(self, save_directory: str | os.PathLike[str], parts: list[Any]) -> None:
        """Copy the source of a class that is registered for an auto class, and note it in the files of the parts."""
        if self._auto_class is None:
            return
        from .dynamic_module_utils import custom_object_save

        settings = [part.init_kwargs if hasattr(part, "init_kwargs") else part for part in parts]
        custom_object_save(self, save_directory, config=settings)

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoProcessor") -> None:
        """Make `save_pretrained` copy the source of this class too, so that `auto_class` can load it elsewhere."""
        from .models import auto

        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        if name not in auto.exports():
            raise ValueError(f"{name} is not a valid auto class.")
        cls._auto_class = name

    @property
    def model_input_names(self) -> list[str]:
        """Names of the inputs of models that come from here."""
        return list(getattr(self, self.attributes[0]).model_input_names)


class ImageTextProcessor(ProcessorMixin):
    """A processor for texts and images: those are tokenized, these go through an image processor."""

    attributes = ["image_processor", "tokenizer"]
    image_processor_class: Any = "AutoImageProcessor"
    tokenizer_class: Any = "AutoTokenizer"

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **kwargs: Any) -> None:
        """Keep the parts.

        Raises:
            ValueError: One is missing, or of the wrong class.
        """
        old = kwargs.pop("feature_extractor", None)
        if old is not None:
            warnings.warn("`feature_extractor` is deprecated: use `image_processor`.", FutureWarning, stacklevel=2)
        image_processor = old if image_processor is None else image_processor
        for name, part in (("image_processor", image_processor), ("tokenizer", tokenizer)):
            if part is None:
                raise ValueError(f"{type(self).__name__} needs {name}.")
        super().__init__(image_processor, tokenizer)
        self.current_processor = self.image_processor

    image_processor: Any
    tokenizer: Any

    def __call__(self, text: Any = None, images: Any = None, return_tensors: Any = None, **kwargs: Any) -> Any:
        """Prepare texts, images, or both.

        Args:
            text: A text or a list of texts.
            images: An image or a list of images.
            return_tensors: "pt", "np", "tf" or "jax".
            kwargs: Further arguments of the tokenizer and of the image processor.

        Returns:
            A `BatchEncoding` with `input_ids`, `attention_mask`, … for texts and `pixel_values` for images.

        Raises:
            ValueError: Neither is given.
        """
        from .tokenization_utils_base import BatchEncoding

        if text is None and images is None:
            raise ValueError("Pass text, images or both.")
        pixels: Any = None
        if images is not None:
            pixels = self.image_processor(images, return_tensors=return_tensors, **kwargs)
        if text is None:
            return BatchEncoding(data=dict(pixels), tensor_type=return_tensors)
        encoding = self.tokenizer(text, return_tensors=return_tensors, **kwargs)
        if pixels is not None:
            encoding["pixel_values"] = pixels["pixel_values"]
        return encoding

    def batch_decode(self, *args: Any, **kwargs: Any) -> list[str]:
        """The tokenizer's `batch_decode`."""
        return self.tokenizer.batch_decode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """The tokenizer's `decode`."""
        return self.tokenizer.decode(*args, **kwargs)

    @property
    def model_input_names(self) -> list[str]:
        """Names of the inputs of models that come from here."""
        return list(dict.fromkeys(self.tokenizer.model_input_names + self.image_processor.model_input_names))

    @property
    def feature_extractor_class(self) -> Any:  # type: ignore[override]
        """Deprecated: `image_processor_class`."""
        warnings.warn(
            "`feature_extractor_class` is deprecated: use `image_processor_class`.", FutureWarning, stacklevel=2
        )
        return self.image_processor_class

    @property
    def feature_extractor(self) -> Any:
        """Deprecated: `image_processor`."""
        warnings.warn("`feature_extractor` is deprecated: use `image_processor`.", FutureWarning, stacklevel=2)
        return self.image_processor


def _named_class(name: str) -> Any:
    """A public class of isoform, or one that was registered with `AutoTokenizer` and the like."""
    found = getattr(importlib.import_module(__name__.rpartition(".")[0]), name, None) or _registered_class(name)
    if found is None:
        raise ValueError(f"isoform has no class {name}, which a processor needs. Register it with its auto class.")
    return found


def _registered_class(name: str) -> Any:
    from .models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING
    from .models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING
    from .models.auto.tokenization_auto import TOKENIZER_MAPPING

    for mapping in (TOKENIZER_MAPPING, FEATURE_EXTRACTOR_MAPPING, IMAGE_PROCESSOR_MAPPING):
        for value in mapping._extra_content.values():
            for candidate in value if isinstance(value, Iterable) else (value,):
                if getattr(candidate, "__name__", None) == name:
                    return candidate
    return None


def _base_class(name: str) -> Any:
    """The class that instances of a part must have, by the name in `<part>_class`."""
    if name in _BASES:
        module, base = _BASES[name]
        return getattr(importlib.import_module(f".{module}", __package__), base)
    return _named_class(name)
