"""Configurations of models: typed fields, files, and what all architectures have in common. Imports no framework."""

from __future__ import annotations

import copy
import json
import os
import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from .config_fields import Field, collect, field, init_signature, with_field_docs
from .errors import ConfigError, ConfigFileError
from .utils import API_VERSION, logging
from .utils.constants import CONFIG_NAME
from .utils.files import atomic_write
from .utils.hub import PushToHubMixin, cached_file, extract_commit_hash

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:  # type checkers alone need it, and Python 3.10 has none

    def dataclass_transform(**_: Any) -> Callable[[type], type]:
        return lambda cls: cls


__all__ = ["PretrainedConfig", "field"]

logger = logging.get_logger(__name__)

ATTENTION_IMPLEMENTATIONS = ("eager", "sdpa", "flash_attention_2")
MAX_LAYERS = 10_000
_PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
_DTYPE = re.compile(r"(bool|u?int(8|16|32|64)|b?float16|float(32|64)|float8_\w+|complex(32|64|128))")
_DTYPE_ALIASES = {"half": "float16", "float": "float32", "double": "float64"}
# What `from_pretrained` hands to the Hub rather than to the configuration.
_HUB_OPTIONS = ("cache_dir", "force_download", "resume_download", "proxies", "token", "local_files_only", "revision")

Config = TypeVar("Config", bound="PretrainedConfig")


@dataclass_transform(field_specifiers=(field,))
class PretrainedConfig(PushToHubMixin):
    """Base class of the configurations of models.

    A subclass declares `model_type` and its fields, from which follow the constructor, the checks of what files and
    callers give, and the documentation:

        class TinyConfig(PretrainedConfig):
            model_type = "tiny"
            hidden_size: int = field(64, "Width of the residual stream.", ge=1)
            num_attention_heads: int = field(4, "Attention heads of each layer.", ge=1)

            def validate(self) -> None:
                if self.hidden_size % self.num_attention_heads:
                    raise ConfigError("hidden_size must be a multiple of num_attention_heads")

    Keys that are no field are kept as attributes. A subclass may also write an `__init__` of its own that ends in
    `super().__init__(**kwargs)`.

    Class attributes:
        model_type: Name of the architecture, in `config.json` and for the auto classes.
        is_composition: Whether the configuration consists of others and has no defaults of its own.
        keys_to_ignore_at_inference: Outputs of the model that are no predictions.
        attribute_map: Further names of fields: `{"hidden_size": "n_embd"}`. They can be read, set and given.
        part_of: Model types whose files hold a configuration of this class, and under which key:
            `{"clip": "text_config"}`. `from_pretrained` takes it from there.
    """

    model_type: ClassVar[str] = ""
    is_composition: ClassVar[bool] = False
    keys_to_ignore_at_inference: ClassVar[list[str]] = []
    attribute_map: ClassVar[dict[str, str]] = {}
    part_of: ClassVar[dict[str, str]] = {}
    _auto_class: ClassVar[str | None] = None
    _fields: ClassVar[dict[str, Field]] = {}

    # What all configurations have.
    return_dict: bool = field(True, "Return a `ModelOutput` rather than a tuple.", kw_only=True)
    output_hidden_states: bool = field(False, "Return the hidden states of all layers.", kw_only=True)
    output_attentions: bool = field(False, "Return the attention weights of all layers.", kw_only=True)
    torchscript: bool = field(False, "Make the model fit for `torch.jit.trace`.", kw_only=True)
    use_bfloat16: bool = field(False, "Use bfloat16 (some TensorFlow models).", kw_only=True)
    tf_legacy_loss: bool = field(False, "Compute the losses as old TensorFlow models did.", kw_only=True)
    pruned_heads: dict[Any, Any] = field({}, "Pruned heads: layer -> heads.", kw_only=True)
    tie_word_embeddings: bool = field(True, "Share the input embedding with the output projection.", kw_only=True)
    is_encoder_decoder: bool = field(False, "Whether the model has an encoder and a decoder.", kw_only=True)
    is_decoder: bool = field(False, "The model decodes: no position attends to later ones.", kw_only=True)
    cross_attention_hidden_size: int | None = field(None, "Width of the states attended to across.", kw_only=True)
    add_cross_attention: bool = field(False, "Add cross-attention to the layers of a decoder.", kw_only=True)
    tie_encoder_decoder: bool = field(False, "Share the weights of the encoder with the decoder.", kw_only=True)
    chunk_size_feed_forward: int = field(0, "Positions that a feed-forward works on at once; 0: all.", kw_only=True)
    architectures: list[str] | None = field(None, "Names of the classes that the weights fit.", kw_only=True)
    finetuning_task: Any = field(None, "Task that the model was fine-tuned for.", kw_only=True)
    task_specific_params: dict[str, Any] | None = field(None, "Further options for each task.", kw_only=True)
    problem_type: str | None = field(None, "Kind of classification, which decides on the loss.", kw_only=True)

    # The tokenizer's side.
    tokenizer_class: str | None = field(None, "Name of the tokenizer's class.", kw_only=True)
    prefix: str | None = field(None, "Text put in front of each input.", kw_only=True)
    bos_token_id: int | list[int] | None = field(None, "Id that begins a text.", kw_only=True)
    pad_token_id: int | list[int] | None = field(None, "Id of padding.", kw_only=True)
    eos_token_id: int | list[int] | None = field(None, "Id or ids that end a text.", kw_only=True)
    sep_token_id: int | list[int] | None = field(None, "Id that separates segments.", kw_only=True)
    decoder_start_token_id: int | list[int] | None = field(None, "Id that a decoder starts from.", kw_only=True)

    # Generation: kept for files that hold it here; `GenerationConfig` documents these options.
    max_length: int = field(20, kw_only=True)
    min_length: int = field(0, kw_only=True)
    do_sample: bool = field(False, kw_only=True)
    early_stopping: bool | str = field(False, kw_only=True)
    num_beams: int = field(1, kw_only=True)
    num_beam_groups: int = field(1, kw_only=True)
    diversity_penalty: float = field(0.0, kw_only=True)
    temperature: float | None = field(1.0, kw_only=True)
    top_k: int | None = field(50, kw_only=True)
    top_p: float | None = field(1.0, kw_only=True)
    typical_p: float | None = field(1.0, kw_only=True)
    repetition_penalty: float | None = field(1.0, kw_only=True)
    length_penalty: float | None = field(1.0, kw_only=True)
    no_repeat_ngram_size: int | None = field(0, kw_only=True)
    encoder_no_repeat_ngram_size: int | None = field(0, kw_only=True)
    bad_words_ids: list[Any] | None = field(None, kw_only=True)
    num_return_sequences: int = field(1, kw_only=True)
    output_scores: bool = field(False, kw_only=True)
    return_dict_in_generate: bool = field(False, kw_only=True)
    forced_bos_token_id: int | list[int] | None = field(None, kw_only=True)
    forced_eos_token_id: int | list[int] | None = field(None, kw_only=True)
    remove_invalid_values: bool = field(False, kw_only=True)
    exponential_decay_length_penalty: list[Any] | None = field(None, kw_only=True)
    suppress_tokens: list[int] | None = field(None, kw_only=True)
    begin_suppress_tokens: list[int] | None = field(None, kw_only=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declares = any(isinstance(value, Field) for value in vars(cls).values())
        if declares:
            cls._fields = collect(cls, cls._fields)
        if declares or "model_type" in vars(cls):
            doc = cls.__doc__ if "__doc__" in vars(cls) else None
            cls.__doc__ = with_field_docs(doc or f"Configuration of a model of type `{cls.model_type}`.", cls._fields)
        if not declares:
            return
        if getattr(cls.__init__, "is_generated", False) and "__init__" not in vars(cls):
            cls.__init__ = _generated_init(cls._fields)  # type: ignore[method-assign]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set all fields, then check them.

        Args:
            args: Values of the fields that the class declares, in their order.
            kwargs: Values of fields and of `id2label`, `label2id`, `num_labels`, `torch_dtype`, `name_or_path` and
                `attn_implementation`; all else is kept as attributes.

        Raises:
            ConfigError: a value has the wrong type or is out of range, or `validate` found a contradiction.
        """
        given = _bind(type(self), args, kwargs)
        for name, spec in self._fields.items():
            if name != "num_labels":  # the number of `id2label`, see there
                setattr(self, name, given.pop(name) if name in given else spec.new_default())
        self._set_labels(given)
        self.torch_dtype = given.pop("torch_dtype", None)
        self._name_or_path = str(given.pop("name_or_path", ""))
        self._commit_hash = given.pop("_commit_hash", None)
        self._attn_implementation_internal: str | None = None
        self._attn_implementation = given.pop("attn_implementation", None)
        self.transformers_version = given.pop("transformers_version", None)
        given.pop("xla_device", None)  # how old files asked for a TPU
        if given.get("gradient_checkpointing", False):
            warnings.warn(
                "Passing `gradient_checkpointing` to a config is deprecated: call"
                " `model.gradient_checkpointing_enable()` or set it in `TrainingArguments`.",
                stacklevel=2,
            )
        for name, value in given.items():
            self._set_unknown(name, value)
        self.check_fields()

    def _set_labels(self, given: dict[str, Any]) -> None:
        for name in ("id2label", "label2id"):
            if not isinstance(given.get(name), (Mapping, type(None))):
                raise ConfigError(f"Argument {name} should be a dictionary, found {given[name]!r}.", field=name)
        count = given.pop("num_labels", None)
        self.id2label, self.label2id = given.pop("id2label", None), given.pop("label2id", None)
        if self.id2label is None:
            default = self._fields["num_labels"].default if "num_labels" in self._fields else 2
            self.num_labels = default if count is None else count
            return
        if count is not None and count != len(self.id2label):
            logger.warning(
                f"num_labels={count} does not agree with id2label, which has {len(self.id2label)} entries:"
                f" there will be {len(self.id2label)} labels."
            )
        self.id2label = {_label_id(key): label for key, label in self.id2label.items()}

    def _set_unknown(self, name: str, value: Any) -> None:
        """Keep a key that is no field as an attribute, unless it would hide what the class itself needs."""
        member = getattr(type(self), name, None)
        if name.startswith("__") or (callable(member) and not isinstance(member, type)):
            raise ConfigError(f"'{name}' cannot be a key of a configuration: it is a method of {type(self).__name__}.")
        try:
            setattr(self, name, value)
        except AttributeError as error:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be set to {value!r}: {error}") from error

    def check_fields(self) -> None:
        """Check the types and ranges of all fields, then call `validate`.

        Raises:
            ConfigError: names the field, what was expected and what was found.
        """
        values = vars(self)
        for name, spec in self._fields.items():
            if name in values:
                spec.check(values[name])
        if self.problem_type not in (None, *_PROBLEM_TYPES):
            raise ConfigError(
                field="problem_type", expected="one of " + ", ".join(map(repr, _PROBLEM_TYPES)), found=self.problem_type
            )
        layers = getattr(self, "num_hidden_layers", None)
        if isinstance(layers, int) and layers > MAX_LAYERS:
            name = self.attribute_map.get("num_hidden_layers", "num_hidden_layers")
            raise ConfigError(field=name, expected=f"int, at most {MAX_LAYERS}", found=layers)
        self.validate()

    def validate(self) -> None:
        """Raise `ConfigError` if fields contradict each other. Called once the types are known to be right."""

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(self.attribute_map.get(name, name), value)

    def __getattr__(self, name: str) -> Any:  # called for names that are not in `__dict__`, such as those of the map
        mapped = type(self).attribute_map.get(name)
        if mapped is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)
        return getattr(self, mapped)

    @property
    def name_or_path(self) -> str:
        """Folder or Hub id that the configuration came from."""
        return getattr(self, "_name_or_path", "")

    @name_or_path.setter
    def name_or_path(self, value: object) -> None:
        self._name_or_path = str(value)

    @property
    def use_return_dict(self) -> bool:
        """Whether forwards return a `ModelOutput`; tracing needs tuples."""
        return self.return_dict and not self.torchscript

    @property
    def num_labels(self) -> int:
        """Number of classes; setting it renames the labels if their number changes."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, count: int) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 2**24:
            raise ConfigError(field="num_labels", expected="int, at least 0, at most 16777216", found=count)
        if self.__dict__.get("id2label") is None or len(self.id2label) != count:
            self.id2label = {i: f"LABEL_{i}" for i in range(count)}
            self.label2id = {label: i for i, label in self.id2label.items()}

    @property
    def torch_dtype(self) -> Any:
        """The `torch.dtype` of the weights, or None. May be set to its name, too; only reading it imports torch."""
        name = self.__dict__.get("torch_dtype")
        if name is None:
            return None
        import torch

        return getattr(torch, name)

    @torch_dtype.setter
    def torch_dtype(self, value: Any) -> None:
        self.__dict__["torch_dtype"] = _dtype_name(value)

    @property
    def _attn_implementation(self) -> str:
        """How attention is computed: "sdpa" (fused), "eager" or "flash_attention_2"."""
        return getattr(self, "_attn_implementation_internal", None) or "sdpa"

    @_attn_implementation.setter
    def _attn_implementation(self, value: str | None) -> None:
        if value not in (None, *ATTENTION_IMPLEMENTATIONS):
            choices = ", ".join(map(repr, ATTENTION_IMPLEMENTATIONS))
            raise ConfigError(field="attn_implementation", expected=f"one of {choices}", found=value)
        self._attn_implementation_internal = value

    @property
    def _flash_attn_2_enabled(self) -> bool:
        """Older name of the choice of flash attention."""
        return self._attn_implementation == "flash_attention_2"

    @_flash_attn_2_enabled.setter
    def _flash_attn_2_enabled(self, value: bool) -> None:
        if value:
            self._attn_implementation = "flash_attention_2"
        elif self._flash_attn_2_enabled:
            self._attn_implementation = None

    # Reading

    @classmethod
    def from_pretrained(
        cls: type[Config],
        pretrained_model_name_or_path: str | os.PathLike[str],
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        **kwargs: Any,
    ) -> Config:
        """Read a configuration from a folder, a file or a repository of the Hub.

        Args:
            pretrained_model_name_or_path: A folder with a `config.json`, a JSON file, or a Hub id.
            cache_dir: Folder of downloads, instead of the usual one.
            force_download: Download even what is in the cache.
            local_files_only: Only use files that are there already.
            token: Token of the Hub; True for the one stored by `huggingface-cli login`.
            revision: Branch, tag or commit of the repository.
            kwargs: `subfolder`, `proxies`, `return_unused_kwargs` (return a pair: the configuration, and the kwargs
                that are no attribute of it) and values that replace those of the file.

        Raises:
            OSError: there is no such file, or it is not JSON.
            ConfigError: a value has the wrong type or is out of range; the message names the file.
        """
        kwargs.update(
            cache_dir=cache_dir, force_download=force_download, local_files_only=local_files_only, revision=revision
        )
        cls._set_token_in_kwargs(kwargs, token)
        values, path, kwargs = _load(pretrained_model_name_or_path, kwargs)
        return cls._from_file(values, path, kwargs)

    @staticmethod
    def _set_token_in_kwargs(kwargs: dict[str, Any], token: str | bool | None = None) -> None:
        """Put the token into the kwargs under its one name; old code calls it `use_auth_token`."""
        token = kwargs.pop("token", None) if token is None else token
        old = kwargs.pop("use_auth_token", None)
        if old is not None:
            warnings.warn("`use_auth_token` is deprecated: use `token`.", FutureWarning, stacklevel=3)
            if token is not None:
                raise ValueError("`token` and `use_auth_token` are both given: give `token` only")
            token = old
        if token is not None:
            kwargs["token"] = token

    @classmethod
    def _from_file(cls: type[Config], values: dict[str, Any], path: str, kwargs: dict[str, Any]) -> Config:
        """`from_dict` for the contents of a file, which errors name."""
        key = cls.part_of.get(str(values.get("model_type")))
        if key is not None and isinstance(values.get(key), dict):
            values = values[key]
        found = values.get("model_type")
        if found and cls.model_type and found != cls.model_type and not _serves(cls, found):
            logger.warning(
                f"The checkpoint is of type {found}, the class {cls.__name__} is for type {cls.model_type}: only "
                "what both have in common will be right."
            )
        try:
            return cls.from_dict(values, **kwargs)
        except ConfigError as error:
            raise error.in_file(path) from None

    @classmethod
    def get_config_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The contents of a `config.json`, and those kwargs that did not serve to find it."""
        cls._set_token_in_kwargs(kwargs)
        values, _, kwargs = _load(pretrained_model_name_or_path, kwargs)
        return values, kwargs

    @classmethod
    def from_dict(cls: type[Config], config_dict: dict[str, Any], **kwargs: Any) -> Config:
        """Make a configuration from the contents of a `config.json`.

        Args:
            config_dict: Keys and values.
            kwargs: Values that replace those of the dictionary, where the configuration has an attribute of that name;
                `return_unused_kwargs=True` returns the others too, in a pair.
        """
        return_unused = kwargs.pop("return_unused_kwargs", False)
        for private in ("_from_auto", "_from_pipeline"):
            kwargs.pop(private, None)
        if "_commit_hash" in kwargs and "_commit_hash" in config_dict:
            kwargs["_commit_hash"] = config_dict["_commit_hash"]
        config_dict = {**config_dict, "attn_implementation": kwargs.pop("attn_implementation", None)}
        config = cls(**config_dict)
        pruned = getattr(config, "pruned_heads", None)
        if pruned:
            config.pruned_heads = {int(layer): heads for layer, heads in pruned.items()}
        unused = config._replace(kwargs)
        return cast(Config, (config, unused)) if return_unused else config

    def _replace(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Set those attributes that exist already, and return the other kwargs."""
        if "num_labels" in kwargs and "id2label" in kwargs:
            labels = kwargs["id2label"] if kwargs["id2label"] is not None else []
            if len(labels) != kwargs["num_labels"]:
                raise ConfigError(
                    f"num_labels={kwargs['num_labels']} and id2label={labels} were both given and disagree.",
                    field="num_labels",
                )
        known = {name: value for name, value in kwargs.items() if hasattr(self, name)}
        if known.get("torch_dtype") == "auto":  # "as the checkpoint has it", which is the model's business
            del known["torch_dtype"]
        for name, value in known.items():
            current = getattr(self, name)
            if isinstance(current, PretrainedConfig) and isinstance(value, dict):
                value = type(current)(**value)
            setattr(self, name, value)
        if known:
            self.check_fields()
        return {name: value for name, value in kwargs.items() if name not in known or name == "torch_dtype"}

    @classmethod
    def from_json_file(cls: type[Config], json_file: str | os.PathLike[str]) -> Config:
        """Read a configuration from a JSON file."""
        try:
            return cls(**cls._dict_from_json_file(json_file))
        except ConfigError as error:
            raise error.in_file(json_file) from None

    @classmethod
    def _dict_from_json_file(cls, json_file: str | os.PathLike[str]) -> dict[str, Any]:
        """The object in a JSON file.

        Raises:
            ConfigFileError: (an `OSError`) the file is not JSON, or something other than an object.
        """
        with open(json_file, encoding="utf-8") as stream:
            try:
                values = json.load(stream)
            except (ValueError, RecursionError) as error:
                raise ConfigFileError(f"not a valid JSON file ({error})", file=str(json_file)) from error
        if not isinstance(values, dict):
            raise ConfigFileError(f"expected a JSON object, found {type(values).__name__}", file=str(json_file))
        return values

    # Writing

    def save_pretrained(self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any) -> None:
        """Write `config.json` to a folder (made if missing). A crash leaves the old file or the new one.

        Args:
            save_directory: The folder.
            push_to_hub: Also upload it.
            kwargs: For `push_to_hub`: `repo_id` (by default the name of the folder), `commit_message`, `token`, …
        """
        self._set_token_in_kwargs(kwargs)
        if os.path.isfile(save_directory):
            raise AssertionError(
                f"{save_directory} is a file: the configuration needs a directory, so it should "
                "be a directory or absent"
            )
        os.makedirs(save_directory, exist_ok=True)
        if push_to_hub:
            message = kwargs.pop("commit_message", None)
            repo = kwargs.pop("repo_id", os.fspath(save_directory).rstrip(os.sep).split(os.sep)[-1])
            repo = self._create_repo(repo, **kwargs)
            before = self._get_files_timestamps(save_directory)
        if self._auto_class is not None:
            from .dynamic_module_utils import custom_object_save

            custom_object_save(self, save_directory, config=self)
        path = os.path.join(save_directory, CONFIG_NAME)
        self.to_json_file(path)
        logger.info(f"Configuration saved in {path}")
        if push_to_hub:
            self._upload_modified_files(save_directory, repo, before, commit_message=message, token=kwargs.get("token"))

    def to_dict(self) -> dict[str, Any]:
        """All attributes, ready for JSON: nested configurations as dictionaries, dtypes by name."""
        hidden = ("_auto_class", "_commit_hash", "_attn_implementation_internal", "_pre_quantization_dtype")
        values = {k: copy.deepcopy(v) for k, v in vars(self).items() if k not in hidden}
        values["transformers_version"] = API_VERSION
        values["model_type"] = type(self).model_type
        for name, value in values.items():
            if isinstance(value, PretrainedConfig):
                values[name] = value.to_dict()
                del values[name]["transformers_version"]
            elif name == "quantization_config" and hasattr(value, "to_dict"):
                values[name] = value.to_dict()
        self.dict_torch_dtype_to_str(values)
        return values

    def to_diff_dict(self) -> dict[str, Any]:
        """Those attributes that differ from the defaults of `PretrainedConfig`, or from those of the class."""
        common = PretrainedConfig().to_dict()
        default = {} if self.is_composition else type(self)().to_dict()
        different: dict[str, Any] = {}
        for name, value in self.to_dict().items():
            part = vars(self).get(name)
            if isinstance(part, PretrainedConfig) and isinstance(default.get(name), dict):
                different[name] = _difference(part, value, default[name])
            elif (
                name not in common
                or name == "transformers_version"
                or value != common[name]
                or (name in default and value != default[name])
            ):
                different[name] = value
        return different

    def to_json_string(self, use_diff: bool = True) -> str:
        """The configuration as JSON: what differs from the defaults, or everything."""
        values = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write the configuration as JSON, atomically."""
        text = self.to_json_string(use_diff=use_diff)
        with atomic_write(json_file_path) as stream:
            stream.write(text)

    def dict_torch_dtype_to_str(self, d: dict[str, Any]) -> None:
        """Replace each "torch_dtype" in a (nested) dictionary by its name, in place."""
        if d.get("torch_dtype") is not None:
            d["torch_dtype"] = _dtype_name(d["torch_dtype"])
        for value in d.values():
            if isinstance(value, dict):
                self.dict_torch_dtype_to_str(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PretrainedConfig) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"

    # Changing

    def update(self, config_dict: Mapping[str, Any]) -> None:
        """Set attributes from a dictionary."""
        for name, value in config_dict.items():
            setattr(self, name, value)

    def update_from_string(self, update_str: str) -> None:
        """Set existing attributes from text: "n_embd=10,resid_pdrop=0.2,use_cache=false,summary_type=cls_index".

        Raises:
            ValueError: an attribute does not exist, or is no bool, int, float or str, or its text does not fit.
        """
        for item in update_str.split(","):
            name, _, text = item.partition("=")
            if not hasattr(self, name):
                raise ConfigError(f"{name} is no field of this config", field=name)
            setattr(self, name, _parse_like(getattr(self, name), text, name))

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoConfig") -> None:
        """Make `save_pretrained` copy the source of this class too, so that `auto_class` can load it elsewhere."""
        from .models import auto

        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        if name not in auto.exports():
            raise ValueError(f"{name} is not a valid auto class.")
        cls._auto_class = name


def _generated_init(fields: Mapping[str, Field]) -> Callable[..., None]:
    """An `__init__` that shows the fields in its signature."""

    def __init__(self: PretrainedConfig, *args: Any, **kwargs: Any) -> None:
        PretrainedConfig.__init__(self, *args, **kwargs)

    __init__.__signature__ = init_signature(fields)  # type: ignore[attr-defined]
    __init__.is_generated = True  # type: ignore[attr-defined]
    return __init__


PretrainedConfig._fields = collect(PretrainedConfig, {})
PretrainedConfig.__init__.is_generated = True  # type: ignore[attr-defined]


def _bind(cls: type[PretrainedConfig], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Positional arguments by the names of their fields, joined with the keyword arguments."""
    names = [name for name, spec in cls._fields.items() if not spec.kw_only]
    if len(args) > len(names):
        raise TypeError(f"{cls.__name__} takes at most {len(names)} positional arguments, {len(args)} were given")
    given = dict(zip(names, args, strict=False))
    for name in given.keys() & kwargs.keys():
        raise TypeError(f"{cls.__name__} got multiple values for argument '{name}'")
    return given | kwargs


def _label_id(key: Any) -> int:
    try:
        return int(key)
    except (TypeError, ValueError):
        raise ConfigError(field="id2label", expected="a dictionary whose keys are ids (ints)", found=key) from None


def _dtype_name(value: Any) -> str | None:
    """ "float16" for `torch.float16`, "torch.float16", "float16" or "half"."""
    if value is None:
        return None
    name = str(value).removeprefix("torch.")
    name = _DTYPE_ALIASES.get(name, name)
    if not _DTYPE.fullmatch(name):
        raise ConfigError(field="torch_dtype", expected='the name of a torch dtype, such as "float16"', found=value)
    return name


def _difference(config: PretrainedConfig, values: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """What of the `values` of a nested configuration differs from those by default, or from the defaults of its class.

    Both count: a file is read with the defaults of the class, which need not be that of the default configuration.
    """
    own = {} if config.is_composition else type(config)().to_dict()
    different: dict[str, Any] = {}
    for name, value in values.items():
        part = vars(config).get(name)
        if isinstance(part, PretrainedConfig) and isinstance(default.get(name), dict):
            different[name] = _difference(part, value, default[name])
        elif any(name not in known or value != known[name] for known in (default, own)):
            different[name] = value
    return different | {"model_type": values["model_type"]}


def _parse_like(old: Any, text: str, name: str) -> bool | int | float | str:
    """Text as a value of the type of the old one."""
    if isinstance(old, bool):
        if text.lower() in ("true", "1", "y", "yes"):
            return True
        if text.lower() in ("false", "0", "n", "no"):
            return False
        raise ConfigError(f"{name}: expected true or false (or yes, no, 1, 0), found {text!r}", field=name)
    if isinstance(old, (int, float, str)):
        return type(old)(text)
    raise ConfigError(
        f"{name} cannot be set from text ({text!r}): only int, float, bool and str fields can", field=name
    )


def _load(name_or_path: str | os.PathLike[str], kwargs: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Contents and path of a `config.json`, and those kwargs that did not serve to find it.

    A file may name others, for later versions ("configuration_files"): the newest that we can read is taken.
    """
    kwargs = dict(kwargs)
    kwargs.pop("trust_remote_code", None)
    commit = kwargs.pop("_commit_hash", None)
    options = {name: kwargs.pop(name) for name in _HUB_OPTIONS if name in kwargs}
    options["subfolder"] = kwargs.pop("subfolder", "") or ""
    origin = {"file_type": "config", "from_auto_class": kwargs.pop("_from_auto", False)}
    if pipeline := kwargs.pop("_from_pipeline", None):
        origin["using_pipeline"] = pipeline
    wanted = kwargs.pop("_configuration_file", CONFIG_NAME)

    def read(filename: str) -> tuple[dict[str, Any], str, str | None]:
        path = _find(name_or_path, filename, options | {"user_agent": origin, "_commit_hash": commit})
        return PretrainedConfig._dict_from_json_file(path), path, extract_commit_hash(path, commit)

    values, path, commit = read(wanted)
    newer = _newest_readable(values.get("configuration_files", []))
    if newer != wanted and not os.path.isfile(name_or_path):
        values, path, commit = read(newer)
    values["_commit_hash"] = commit
    if not os.path.exists(name_or_path):
        _qualify_auto_map(values, os.fspath(name_or_path))
    logger.info(f"loading configuration file {path}")
    return values, path, kwargs


def _find(name_or_path: str | os.PathLike[str], filename: str, options: dict[str, Any]) -> str:
    """Path of a configuration file, downloaded if need be."""
    base = os.fspath(name_or_path)
    if os.path.isfile(os.path.join(options["subfolder"], base)):
        return os.path.join(options["subfolder"], base)
    path = cached_file(base, filename, **options)
    assert path is not None  # cached_file raises unless told otherwise
    return path


def _newest_readable(files: list[str]) -> str:
    """Of the names `config.4.0.0.json`, that of the greatest version up to ours; `config.json` if none."""
    versions = {}
    for name in files:
        found = re.fullmatch(r"config\.(\d+(?:\.\d+)*)\.json", str(name))
        if found:
            versions[tuple(map(int, found[1].split(".")))] = name
    ours = tuple(map(int, API_VERSION.split(".")))
    return max(((v, name) for v, name in versions.items() if v <= ours), default=((), CONFIG_NAME))[1]


def _qualify_auto_map(values: dict[str, Any], repository: str) -> None:
    """Note in "auto_map" which repository its code comes from: "repository--module.Class"."""

    def qualified(reference: Any) -> Any:
        if isinstance(reference, (list, tuple)):
            return [qualified(item) for item in reference]
        return reference if reference is None or "--" in reference else f"{repository}--{reference}"

    for section in (values, *(v for v in (values.get("custom_pipelines") or {}).values() if isinstance(v, dict))):
        if isinstance(section.get("auto_map"), dict):
            section["auto_map"] = {name: qualified(reference) for name, reference in section["auto_map"].items()}


def _serves(config: type[PretrainedConfig], model_type: str) -> bool:
    """Whether a model type without a configuration class of its own uses this one (GPT-Sw3: that of GPT-2)."""
    from .registry import architectures

    arch = architectures().get(model_type)
    return arch is not None and arch.config == config.__name__
