"""The options of text generation, their file format and the checks on their combinations."""

from __future__ import annotations

import copy
import functools
import json
import os
import types
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from ..errors import ConfigError
from ..utils import logging
from ..utils.constants import GENERATION_CONFIG_NAME
from ..utils.files import atomic_write
from ..utils.hub import PushToHubMixin, cached_file, extract_commit_hash

logger = logging.get_logger(__name__)

#: The release of the reference API whose options and file format these are.
FORMAT_VERSION = "4.36.2"

METADATA_FIELDS = ("_from_model_config", "_commit_hash", "_original_object_hash", "transformers_version")

# What each mode ignores: option -> value under which it is silent.
_SAMPLING_ONLY = {
    "temperature": 1.0,
    "top_p": 1.0,
    "typical_p": 1.0,
    "top_k": 50,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
}
_BEAMS_ONLY = {
    "early_stopping": False,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "length_penalty": 1.0,
    "constraints": None,
}
# Arguments of `generate` that are objects and do not belong into a file.
_GENERATE_ARGUMENTS = (
    "logits_processor",
    "stopping_criteria",
    "prefix_allowed_tokens_fn",
    "synced_gpus",
    "assistant_model",
    "streamer",
    "negative_prompt_ids",
    "negative_prompt_attention_mask",
)
_FROM_FILE_HINT = (
    " These values were given at construction, most likely by a generation_config.json: correct that file."
)


class GenerationConfig(PushToHubMixin):
    """Options of `generate`.

    Any option can be given by keyword, at construction or as an argument of `generate`. Names that are not listed
    here are kept as attributes and written to the file, as models with options of their own need. The annotations
    below are the types that a value from a file must have; `null` is accepted for each of them.

    Args:
        **kwargs: values of the options.

    Raises:
        ValueError: the combination of options cannot work.
    """

    # --- length -----------------------------------------------------------------------------------------------
    max_length: int = 20
    """Greatest number of tokens, prompt included; `max_new_tokens` wins where both are set."""
    max_new_tokens: int | None = None
    """Greatest number of tokens, prompt not included."""
    min_length: int = 0
    """Smallest number of tokens, prompt included; `min_new_tokens` wins where both are set."""
    min_new_tokens: int | None = None
    """Smallest number of tokens, prompt not included."""
    early_stopping: bool | str = False
    """When beam search ends. True: as soon as `num_beams` hypotheses are complete. False: when a better one is
    unlikely, judged at the present length. "never": when a better one is impossible."""
    max_time: float | None = None
    """Seconds after which no further step is started."""

    # --- strategy ---------------------------------------------------------------------------------------------
    do_sample: bool = False
    """Draw the next token instead of taking the most likely one."""
    num_beams: int = 1
    """Number of hypotheses followed at once; 1 is no beam search."""
    num_beam_groups: int = 1
    """Number of groups among the beams, which are kept different by `diversity_penalty`."""
    penalty_alpha: float | None = None
    """Weight of the degeneration penalty in contrastive search."""
    use_cache: bool = True
    """Keep keys and values of past tokens instead of computing them again."""

    # --- manipulation of the scores ---------------------------------------------------------------------------
    temperature: float = 1.0
    """Divisor of the scores before sampling."""
    top_k: int = 50
    """Sample from this many most likely tokens; 0 is all. Candidates per step in contrastive search."""
    top_p: float = 1.0
    """Sample from the smallest set of most likely tokens that has at least this probability."""
    typical_p: float = 1.0
    """Sample from the set of this probability whose information content is nearest to the entropy."""
    epsilon_cutoff: float = 0.0
    """Sample only from tokens of at least this probability."""
    eta_cutoff: float = 0.0
    """As `epsilon_cutoff`, but lowered where the entropy is high."""
    diversity_penalty: float = 0.0
    """Subtracted from the score of a token per beam of an earlier group that chose it in the same step."""
    repetition_penalty: float = 1.0
    """Divides positive and multiplies negative scores of tokens that occurred; 1.0 is none."""
    encoder_repetition_penalty: float = 1.0
    """Rewards (above 1.0) tokens of the encoder's input; 1.0 is none."""
    length_penalty: float = 1.0
    """Exponent of the length that divides a hypothesis's score: above 0 favours long ones."""
    no_repeat_ngram_size: int = 0
    """No n-gram of this size occurs twice; 0 is no limit."""
    bad_words_ids: list[list[int]] | None = None
    """Sequences of token ids that must not be generated."""
    force_words_ids: list[list[int | list[int]]] | None = None
    """Sequences of token ids that must be generated; a list of sequences in place of one asks for any of them."""
    renormalize_logits: bool = False
    """Normalise the scores after all processors."""
    constraints: list[Any] | None = None
    """`Constraint` objects that the output must fulfil."""
    forced_bos_token_id: int | None = None
    """First token after the decoder's start token."""
    forced_eos_token_id: int | list[int] | None = None
    """Last token when `max_length` is reached."""
    remove_invalid_values: bool = False
    """Replace nan and infinite scores."""
    exponential_decay_length_penalty: list[int | float] | tuple[int | float, ...] | None = None
    """(start, factor): raise the score of the end token exponentially after `start` new tokens."""
    suppress_tokens: list[int] | None = None
    """Token ids that are never generated."""
    begin_suppress_tokens: list[int] | None = None
    """Token ids that are not generated first."""
    forced_decoder_ids: list[list[int | None]] | None = None
    """Pairs (position, token id) that are forced."""
    sequence_bias: dict[Any, float] | list[Any] | None = None
    """Tuple of token ids -> number added to the score of its completion."""
    guidance_scale: float | None = None
    """Scale of classifier-free guidance; above 1 follows the prompt more closely."""
    low_memory: bool | None = None
    """Contrastive search candidates one after the other instead of in one batch."""

    # --- output -----------------------------------------------------------------------------------------------
    num_return_sequences: int = 1
    """Sequences returned per prompt."""
    output_attentions: bool = False
    """Return attention weights."""
    output_hidden_states: bool = False
    """Return hidden states."""
    output_scores: bool = False
    """Return the scores of each step."""
    return_dict_in_generate: bool = False
    """Return a `ModelOutput` in place of the bare tensor of token ids."""

    # --- special tokens ---------------------------------------------------------------------------------------
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    """Token, or tokens, that end a sequence."""

    # --- encoder-decoder models -------------------------------------------------------------------------------
    encoder_no_repeat_ngram_size: int = 0
    """No n-gram of this size of the encoder's input occurs in the output; 0 is no limit."""
    decoder_start_token_id: int | list[int] | None = None
    """First token of the decoder where it is not `bos_token_id`."""

    # --- assisted decoding ------------------------------------------------------------------------------------
    num_assistant_tokens: int = 5
    """Tokens that the assistant proposes per step at first."""
    num_assistant_tokens_schedule: str = "heuristic"
    """"heuristic": propose more after full acceptance, fewer otherwise. "constant": do not change."""

    # --- isoform's own extensions: written to files only where set --------------------------------------------
    compile_decoding: bool | None = None
    """Compile the decoding step: faster, above all in bfloat16 and for small models, after some seconds of compilation
    per batch size and power of two of the length, once per machine. The tokens stay the same."""

    # --- other ------------------------------------------------------------------------------------------------
    generation_kwargs: dict[str, Any] = {}
    """Further arguments of `generate`."""

    _own_options: ClassVar[tuple[str, ...]] = ("compile_decoding",)

    def __init__(self, **kwargs: Any) -> None:
        for name, default in _defaults().items():
            setattr(self, name, kwargs.pop(name) if name in kwargs else copy.copy(default))
        self._from_model_config = kwargs.pop("_from_model_config", False)
        self._commit_hash = kwargs.pop("_commit_hash", None)
        self.transformers_version = kwargs.pop("transformers_version", FORMAT_VERSION)
        # A model's configuration holds much that is no option of generation.
        if not self._from_model_config:
            for name, value in kwargs.items():
                setattr(self, name, value)
        self.validate(is_init=True)

    def __hash__(self) -> int:
        return hash(self._comparable(self.to_diff_dict()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GenerationConfig):
            return False
        same_objects = self.constraints == other.constraints  # which JSON cannot tell apart
        return same_objects and self._comparable(self.to_dict()) == other._comparable(other.to_dict())

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self._comparable(self.to_diff_dict())}"

    @staticmethod
    def _comparable(values: dict[str, Any]) -> str:
        """JSON without origin and version; objects that JSON cannot hold appear with their class."""
        return _to_json(
            {n: v for n, v in values.items() if n not in METADATA_FIELDS},
            default=lambda value: f"<{type(value).__name__}>",
        )

    # --- checks -----------------------------------------------------------------------------------------------

    def validate(self, is_init: bool = False) -> None:
        """Check that the options make sense together.

        Options that have no effect are reported by `UserWarning`; the pad token and lengths are checked by `generate`,
        which knows the prompt.

        Args:
            is_init: tells in messages that the values come from a constructor, probably from a file.

        Raises:
            ValueError: the combination cannot work.
        """
        hint = _FROM_FILE_HINT if is_init else ""
        if not isinstance(self.early_stopping, (bool, int)) and self.early_stopping != "never":
            raise ValueError(f"`early_stopping` must be True, False or 'never', found {self.early_stopping!r}.")
        if not self._from_model_config:  # whose fields are the model's, and were checked with it
            self._check_types(hint)
        self._warn_unused_sampling(hint)
        if self.num_beams is None:
            warnings.warn("`num_beams` is None: taken as 1.", UserWarning, stacklevel=3)
            self.num_beams = 1
        if self.num_beams == 1:
            self._warn_unused_beams(hint)
        else:
            self._check_beams(hint)
        self._check_num_return_sequences()
        for name in _GENERATE_ARGUMENTS:
            if hasattr(self, name):
                raise ValueError(
                    f"`{name}` is an argument of `generate()` (or a pipeline), not an option that a "
                    "`GenerationConfig` holds."
                )

    def _check_types(self, hint: str) -> None:
        """Numbers, flags and words must be that. Options that hold lists are checked where they are used."""
        for name, expected in _scalar_options().items():
            value = getattr(self, name, None)
            if value is not None and not _is_scalar(value, expected):
                words = " or ".join(kind.__name__ for kind in expected)
                raise ValueError(
                    f"`{name}` must be of type {words}, found {value!r} of type {type(value).__name__}.{hint}"
                )

    def _warn_unused_sampling(self, hint: str) -> None:
        if self.do_sample is not False:
            return
        for name, silent in _SAMPLING_ONLY.items():
            value = getattr(self, name)
            if value == silent or (name == "top_k" and self.penalty_alpha is not None):  # contrastive search has top_k
                continue
            warnings.warn(
                f"`{name}={value}` has no effect without sampling: set `do_sample=True` or leave `{name}` out.{hint}",
                UserWarning,
                stacklevel=4,
            )

    def _warn_unused_beams(self, hint: str) -> None:
        for name, silent in _BEAMS_ONLY.items():
            value = getattr(self, name)
            if value is silent or (silent is not False and value == silent):
                continue
            warnings.warn(
                f"`{name}={value}` has no effect without beams: set `num_beams` above 1 or leave `{name}` out.{hint}",
                UserWarning,
                stacklevel=4,
            )

    def _check_beams(self, hint: str) -> None:
        if self.constraints is not None:
            for name, needed in (("do_sample", False), ("num_beam_groups", 1)):
                value = getattr(self, name)
                if value != needed:
                    raise ValueError(
                        f"`constraints` are fulfilled by beam search, which does not go with `{name}={value}`: "
                        f"leave out one of them.{hint}"
                    )
        if self.diversity_penalty == 0.0 and self.num_beam_groups == 1:
            return
        mode = "Beams in groups (`num_beam_groups` above 1 or a `diversity_penalty`) are asked for: "
        if self.do_sample is True:
            raise ValueError(mode + "`do_sample` must be set to `False`")
        if not self.num_beam_groups or self.num_beams % self.num_beam_groups != 0:
            raise ValueError(mode + "`num_beams` should be divisible by `num_beam_groups`")
        if self.diversity_penalty == 0.0:
            raise ValueError(mode + "`diversity_penalty` must be above 0.0, or all groups find the same.")

    def _check_num_return_sequences(self) -> None:
        wanted = self.num_return_sequences
        if wanted == 1:
            return
        if self.num_beams == 1:
            if self.do_sample is False:
                raise ValueError(
                    f"Greedy search has one result per prompt: `num_return_sequences` must be 1, found {wanted}. "
                    "Use beams or `do_sample=True`."
                )
        elif wanted > self.num_beams:
            raise ValueError(f"`num_return_sequences` ({wanted}) must not exceed `num_beams` ({self.num_beams}).")

    # --- reading ----------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name: str | os.PathLike[str],
        config_file_name: str | os.PathLike[str] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        **kwargs: Any,
    ) -> GenerationConfig:
        """Read the options from a folder or a repository of the Hub.

        Args:
            pretrained_model_name: folder, or id of a repository.
            config_file_name: name of the file, `generation_config.json` by default.
            cache_dir: folder of downloaded files.
            force_download: download even if the file is in the cache.
            local_files_only: do not use the network.
            token: access token of the Hub; True takes the stored one.
            revision: branch, tag or commit.
            **kwargs: options that override the file's; also `subfolder`, `proxies`, `resume_download`, and
                `return_unused_kwargs` to get the pair (config, unused keyword arguments).

        Raises:
            OSError: the file does not exist, cannot be fetched or is not JSON.
            ConfigError: a field has the wrong type (a ValueError).
        """
        commit_hash = kwargs.pop("_commit_hash", None)
        origin = {"file_type": "config", "from_auto_class": kwargs.pop("_from_auto", False)}
        if (pipeline := kwargs.pop("_from_pipeline", None)) is not None:
            origin["using_pipeline"] = pipeline
        hub_options = {
            name: kwargs.pop(name)
            for name in ("proxies", "resume_download", "subfolder", "use_auth_token")
            if name in kwargs
        }
        path = cached_file(
            str(pretrained_model_name),
            str(config_file_name or GENERATION_CONFIG_NAME),
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
            token=token,
            revision=revision,
            user_agent=origin,
            _commit_hash=commit_hash,
            **hub_options,
        )
        assert path is not None  # a missing file is an error, as nothing else was asked for
        values = cls._dict_from_json_file(path)
        commit_hash = extract_commit_hash(path, commit_hash)
        if commit_hash is not None:
            values["_commit_hash"] = commit_hash
        loaded = cls.from_dict(values, **kwargs)
        config = loaded[0] if isinstance(loaded, tuple) else loaded
        # Tells `generate` whether somebody changed the instance by hand since.
        config._original_object_hash = hash(config)
        return loaded

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> GenerationConfig:
        """Read the options from one file. Errors as in `from_pretrained`."""
        return cls.from_dict(cls._dict_from_json_file(json_file))

    @classmethod
    def _dict_from_json_file(cls, json_file: str | os.PathLike[str]) -> dict[str, Any]:
        """Checked content of a file, with the keys of `sequence_bias` as tuples."""
        try:
            with open(json_file, encoding="utf-8") as file:
                values = json.load(file)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise OSError(f"{json_file} is not a valid JSON file with options of generation: {error}") from error
        if not isinstance(values, dict):
            raise ConfigError(f"must hold a JSON object, found a {type(values).__name__}", file=str(json_file))
        for name, hint in _hints().items():
            if values.get(name) is not None and not _matches(values[name], hint):
                expected = getattr(cls, "__annotations__", {}).get(name) or GenerationConfig.__annotations__[name]
                raise ConfigError(
                    "Correct the file or remove the field to get its default.",
                    field=name,
                    expected=expected,
                    found=values[name],
                    file=str(json_file),
                )
        if isinstance(values.get("sequence_bias"), dict):
            values["sequence_bias"] = {_ids_of(json_file, k): v for k, v in values["sequence_bias"].items()}
        return values

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Options from a dictionary.

        Args:
            config_dict: names and values.
            **kwargs: override the dictionary's values; `return_unused_kwargs=True` returns the pair
                (config, unused keyword arguments).
        """
        return_unused = kwargs.pop("return_unused_kwargs", False)
        for internal in ("_from_auto", "_from_pipeline"):
            kwargs.pop(internal, None)
        if "_commit_hash" in kwargs and "_commit_hash" in config_dict:
            kwargs["_commit_hash"] = config_dict["_commit_hash"]
        config = cls(**{**config_dict, **kwargs})
        unused = config.update(**kwargs)
        return (config, unused) if return_unused else config

    @classmethod
    def from_model_config(cls, model_config: Any) -> GenerationConfig:
        """Options that old checkpoints keep in the configuration of the model.

        Args:
            model_config: a `PretrainedConfig`. Of nested ones, those of the decoder count where the outer one has
                the default value.
        """
        values = model_config.to_dict()
        values.pop("_from_model_config", None)
        config = cls.from_dict(values, return_unused_kwargs=False, _from_model_config=True)
        for nested in ("decoder", "generator", "text_config"):
            inner = values.get(nested)
            if not isinstance(inner, dict):
                continue
            default = cls()
            for name in config.to_dict():
                if name in inner and getattr(config, name) == getattr(default, name, None):
                    setattr(config, name, inner[name])
        config._original_object_hash = hash(config)  # as in `from_pretrained`
        return config

    def update(self, **kwargs: Any) -> dict[str, Any]:
        """Set the options that exist; no check of the result.

        Returns:
            The arguments that are no attributes of this object.
        """
        unused = {}
        for name, value in kwargs.items():
            if hasattr(self, name):
                setattr(self, name, value)
            else:
                unused[name] = value
        return unused

    # --- writing ----------------------------------------------------------------------------------------------

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        config_file_name: str | os.PathLike[str] | None = None,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> None:
        """Write the options to a folder, where `from_pretrained` finds them. The write is atomic.

        Options that `validate` objects to are not written: a warning says why, as in the reference.

        Args:
            save_directory: folder, created if missing.
            config_file_name: name of the file, `generation_config.json` by default.
            push_to_hub: also upload the folder's new files.
            **kwargs: arguments of `push_to_hub`, for instance `repo_id`, `token`, `commit_message`.

        Raises:
            NotADirectoryError: `save_directory` is a file.
        """
        problem = self._problem()
        if problem is not None:
            warnings.warn(
                "The generation config instance is invalid and was NOT saved. Correct what `validate()` "
                f"says:\n{problem}",
                UserWarning,
                stacklevel=2,
            )
            return
        if os.path.isfile(save_directory):
            raise NotADirectoryError(f"'{save_directory}' is a file; `save_pretrained` needs a folder.")
        os.makedirs(save_directory, exist_ok=True)
        if (use_auth_token := kwargs.pop("use_auth_token", None)) is not None:
            warnings.warn("`use_auth_token` is deprecated: pass `token` instead.", FutureWarning, stacklevel=2)
            kwargs["token"] = use_auth_token
        if push_to_hub:
            message = kwargs.pop("commit_message", None)
            repo_id = kwargs.pop("repo_id", os.path.basename(os.path.normpath(save_directory)))
            repo_id = self._create_repo(repo_id, **kwargs)
            before = self._get_files_timestamps(save_directory)
        path = os.path.join(save_directory, config_file_name or GENERATION_CONFIG_NAME)
        self.to_json_file(path, use_diff=True)
        logger.info(f"Configuration saved in {path}")
        if push_to_hub:
            self._upload_modified_files(
                save_directory, repo_id, before, commit_message=message, token=kwargs.get("token")
            )

    def _problem(self) -> str | None:
        """First warning or error of `validate`, as text."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.validate()
            except ValueError as error:
                return str(error)
        return str(caught[0].message) if caught else None

    def to_dict(self) -> dict[str, Any]:
        """All attributes, `transformers_version` included."""
        output = copy.deepcopy(self.__dict__)
        for name in ("_commit_hash", "_original_object_hash"):
            output.pop(name, None)
        for name in self._own_options:
            if output.get(name) is None:
                output.pop(name, None)
        output["transformers_version"] = FORMAT_VERSION
        self.dict_torch_dtype_to_str(output)
        return output

    def to_diff_dict(self) -> dict[str, Any]:
        """The attributes that differ from the defaults, and `transformers_version`."""
        default = GenerationConfig().to_dict()
        missing = object()
        return {
            name: value
            for name, value in self.to_dict().items()
            if name == "transformers_version" or default.get(name, missing) != value
        }

    def dict_torch_dtype_to_str(self, d: dict[str, Any]) -> None:
        """Replace, in place and in nested dictionaries, a `torch_dtype` such as `torch.float16` by "float16"."""
        if d.get("torch_dtype") is not None and not isinstance(d["torch_dtype"], str):
            d["torch_dtype"] = str(d["torch_dtype"]).rsplit(".", 1)[-1]
        for value in d.values():
            if isinstance(value, dict):
                self.dict_torch_dtype_to_str(value)

    def to_json_string(self, use_diff: bool = True, ignore_metadata: bool = False) -> str:
        """The options as JSON.

        Args:
            use_diff: only those that differ from the defaults.
            ignore_metadata: without origin and version.
        """
        output = self.to_diff_dict() if use_diff else self.to_dict()
        if ignore_metadata:
            for name in METADATA_FIELDS:
                output.pop(name, None)
        return _to_json(output, default=_refuse)

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write `to_json_string` to a file, atomically."""
        text = self.to_json_string(use_diff=use_diff)
        with atomic_write(json_file_path) as file:
            file.write(text)


# --- types of the options --------------------------------------------------------------------------------------


def _hints() -> dict[str, Any]:
    """Option -> type, read from the annotations once."""
    global _HINTS
    if _HINTS is None:
        _HINTS = {
            name: hint for name, hint in get_type_hints(GenerationConfig).items() if get_origin(hint) is not ClassVar
        }
    return _HINTS


def _defaults() -> dict[str, Any]:
    return {name: getattr(GenerationConfig, name) for name in _hints()}


_HINTS: dict[str, Any] | None = None


@functools.cache
def _scalar_options() -> dict[str, tuple[type, ...]]:
    """The types of the options that hold one number, flag or word, without None."""
    found = {}
    for name, hint in _hints().items():
        kinds = tuple(kind for kind in get_args(hint) or (hint,) if kind is not types.NoneType)
        if name != "early_stopping" and all(kind in (bool, int, float, str) for kind in kinds):
            found[name] = kinds
    return found


def _is_scalar(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value from Python will do for one of the types: flags and all kinds of numbers may stand in."""
    if isinstance(value, str):
        return str in kinds
    if kinds == (int,) and isinstance(value, float):
        return value.is_integer()
    return kinds != (str,) and (hasattr(value, "__float__") or hasattr(value, "__index__"))


def _matches(value: Any, hint: Any) -> bool:
    """Whether a value from JSON has a type. An int is fine for a float, a bool is no number."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_matches(value, arg) for arg in args)
    if origin in (list, tuple):
        return isinstance(value, (list, tuple)) and all(_matches(item, args[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_matches(item, args[1]) for item in value.values())
    if isinstance(value, bool) and hint is not bool:
        return False
    return isinstance(value, (int, float) if hint is float else hint)


def _ids_of(json_file: Any, key: str) -> tuple[int, ...]:
    """Token ids from the text of a tuple, "(1, 2)", in which form JSON keeps the keys of `sequence_bias`."""
    try:
        return tuple(int(part) for part in key.strip("()[] ").split(",") if part.strip())
    except ValueError:
        raise ConfigError(
            field="sequence_bias", expected='keyed by token ids like "(5, 12)"', found=key, file=str(json_file)
        ) from None


def _to_json(values: dict[str, Any], default: Callable[[Any], Any]) -> str:
    """JSON of options; tuples as keys are written out, since JSON knows only text."""
    if isinstance(values.get("sequence_bias"), dict):
        values["sequence_bias"] = {str(ids): bias for ids, bias in values["sequence_bias"].items()}
    return json.dumps(values, indent=2, sort_keys=True, default=default) + "\n"


def _refuse(value: Any) -> Any:
    raise TypeError(
        f"{type(value).__name__} cannot be written to JSON: pass objects such as constraints to `generate` rather than "
        "keep them in a GenerationConfig that is to be saved."
    )
