"""Configurations: agreement with the reference, files, checks and what callers may do with them."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isoform import CONFIG_MAPPING, PretrainedConfig, configuration_utils
from isoform.config_fields import SIZE_LIMIT, matches
from isoform.configuration_utils import field
from isoform.errors import ConfigError, ConfigFileError

EXPECTED = json.loads((Path(__file__).parent / "golden" / "configs" / "expected.json").read_text())


class TinyConfig(PretrainedConfig):
    """A configuration for these tests."""

    model_type = "tiny"
    attribute_map = {"num_hidden_layers": "depth", "hidden_size": "width"}

    width: int = field(8, "Width.", ge=1)
    depth: int = field(2, "Layers.", ge=0)
    heads: int = field(2, "Heads.", ge=1)
    rate: float = field(0.1, "Dropout.", ge=0, le=1)
    kind: str = field("a", "Kind.", choices=("a", "b"))
    widths: list[int] | None = field(None, "Widths of stages.", ge=1)
    sizes: list[int] = field([1, 2], "Some sizes.")
    pad_token_id: int | None = field(0, "Padding.")

    def validate(self) -> None:
        if self.width % self.heads:
            raise ConfigError(f"width ({self.width}) must be a multiple of heads ({self.heads})")


class OwnInitConfig(PretrainedConfig):
    """How users of the reference write their own."""

    model_type = "own-init"

    def __init__(self, size: int = 4, **kwargs: Any) -> None:
        self.size = size
        super().__init__(**kwargs)


class PairConfig(PretrainedConfig):
    """A configuration with another one inside."""

    model_type = "pair"
    is_composition = True

    def __init__(self, inner: Any = None, **kwargs: Any) -> None:
        self.inner = TinyConfig(**inner) if isinstance(inner, dict) else inner or TinyConfig()
        super().__init__(**kwargs)


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def contents(values: dict[str, Any]) -> dict[str, Any]:
    """What a file holds, without versions and private entries: some classes of the reference forget or add these."""
    kept = {key: value for key, value in as_json(values).items() if key != "transformers_version" and key[0] != "_"}
    return {key: contents(value) if isinstance(value, dict) and value else value for key, value in kept.items()}


# The reference


def test_common_attributes_equal_the_reference() -> None:
    assert as_json(PretrainedConfig().to_dict()) == EXPECTED["base"]


@pytest.mark.parametrize("model_type", sorted(EXPECTED["configs"]))
def test_class_equals_the_reference(model_type: str) -> None:
    expected, cls = EXPECTED["configs"][model_type], CONFIG_MAPPING[model_type]
    assert cls.__name__ == expected["class"]
    assert cls.model_type == model_type
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    assert as_json([[p.name, p.default] for p in parameters[:-1]]) == expected["parameters"]
    assert parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    assert list(inspect.signature(cls).parameters)[:-1] == [name for name, _ in expected["parameters"]]
    assert cls.attribute_map == expected["attribute_map"]
    assert cls.keys_to_ignore_at_inference == expected["keys_to_ignore_at_inference"]
    for name, default in expected["parameters"]:
        assert name in (cls.__doc__ or ""), f"{name} (default {default}) is not documented"


@pytest.mark.parametrize("model_type", sorted(EXPECTED["configs"]))
def test_contents_equal_the_reference(model_type: str) -> None:
    expected, cls = EXPECTED["configs"][model_type], CONFIG_MAPPING[model_type]
    changed = cls(**expected["changes"])
    assert contents(cls().to_dict()) == contents(expected["default"])
    assert contents(cls().to_diff_dict()) == contents(expected["default_diff"])
    assert contents(changed.to_dict()) == contents(expected["changed"])
    assert contents(changed.to_diff_dict()) == contents(expected["changed_diff"])
    assert changed.to_dict()["transformers_version"] == "4.36.2"


@pytest.mark.parametrize("model_type", sorted(EXPECTED["configs"]))
def test_files_of_the_reference_round_trip(model_type: str, tmp_path: Path) -> None:
    expected, cls = EXPECTED["configs"][model_type], CONFIG_MAPPING[model_type]
    (tmp_path / "config.json").write_text(json.dumps(expected["changed_diff"]))
    config = cls.from_pretrained(tmp_path)
    config.save_pretrained(tmp_path / "again")
    again = json.loads((tmp_path / "again" / "config.json").read_text())
    assert contents(again) == contents(expected["changed_diff"])


# Construction


def test_positional_arguments_follow_the_fields() -> None:
    config = TinyConfig(16, 3, rate=0)
    assert (config.width, config.depth, config.rate, config.heads) == (16, 3, 0, 2)
    with pytest.raises(TypeError, match="multiple values for argument 'width'"):
        TinyConfig(16, width=8)
    with pytest.raises(TypeError, match="at most 8 positional arguments, 9 were given"):
        TinyConfig(*range(9))


def test_mutable_defaults_are_not_shared() -> None:
    TinyConfig().sizes.append(3)
    TinyConfig().pruned_heads[0] = [1]
    assert TinyConfig().sizes == [1, 2]
    assert TinyConfig().pruned_heads == {}


def test_other_names_work_both_ways() -> None:
    config = TinyConfig(hidden_size=12, depth=5)
    assert (config.width, config.hidden_size, config.num_hidden_layers) == (12, 12, 5)
    config.num_hidden_layers = 7
    assert config.depth == 7
    assert "num_hidden_layers" not in config.to_dict()


def test_unknown_keys_are_kept() -> None:
    config = TinyConfig(colour={"red": 1})
    assert config.colour == {"red": 1}
    assert TinyConfig.from_dict(config.to_dict()).colour == {"red": 1}
    with pytest.raises(AttributeError, match="'TinyConfig' object has no attribute 'flavour'"):
        _ = config.flavour


@pytest.mark.parametrize("key", ["to_dict", "validate", "__class__", "__init__"])
def test_keys_cannot_replace_methods(key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        TinyConfig.from_dict({key: "x"})


def test_subclass_changes_a_default_and_adds_a_field() -> None:
    class WiderConfig(TinyConfig):
        model_type = "wider"
        width: int = field(32, "Width.", ge=1)
        extra: int = field(1, "More.")

    assert WiderConfig().width == 32
    assert TinyConfig().width == 8
    names = list(inspect.signature(WiderConfig).parameters)
    assert names == [*list(inspect.signature(TinyConfig).parameters)[:-1], "extra", "kwargs"]
    assert "width" in WiderConfig(width=64).to_diff_dict()


def test_own_init_works_as_in_the_reference(tmp_path: Path) -> None:
    config = OwnInitConfig(5, pad_token_id=3, other=1)
    assert (config.size, config.pad_token_id, config.other) == (5, 3, 1)
    assert config.to_diff_dict() == {
        "size": 5, "pad_token_id": 3, "other": 1, "model_type": "own-init", "transformers_version": "4.36.2"
    }  # fmt: skip
    config.save_pretrained(tmp_path)
    assert OwnInitConfig.from_pretrained(tmp_path).size == 5
    assert list(inspect.signature(OwnInitConfig).parameters) == ["size", "kwargs"]


def test_subclass_of_own_init_keeps_that_init() -> None:
    class Child(OwnInitConfig):
        model_type = "child"
        more: int = field(3, "More.")

    assert (Child(size=9).size, Child(more=4).more, Child().more) == (9, 4, 3)


# Checks


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": "64"}, r"field 'width' must be int, at least 1, at most \d+, found '64' \(str\)"),
        ({"width": None}, r"'width' must be int.*found None \(NoneType\)"),
        ({"width": True}, "'width' must be int"),
        ({"width": 8.0}, "'width' must be int"),
        ({"width": 0}, r"'width' must be int, at least 1.*found 0 \(int\)"),
        ({"width": -8}, "'width' must be int, at least 1"),
        ({"width": SIZE_LIMIT + 2}, f"at most {SIZE_LIMIT}"),
        ({"hidden_size": -8}, "'width' must be int, at least 1"),
        ({"depth": 10**6}, "'depth' must be int, at most 10000"),
        ({"rate": 1.5}, "'rate' must be float, at least 0, at most 1"),
        ({"rate": float("nan")}, "'rate' must be float"),
        ({"rate": "0.1"}, "'rate' must be float"),
        ({"kind": "c"}, "'kind' must be one of 'a', 'b', found 'c'"),
        ({"widths": [4, 0]}, "'widths' must be"),
        ({"widths": [4, "5"]}, r"'widths' must be list\[int\] \| None"),
        ({"sizes": 3}, r"'sizes' must be list\[int\], found 3"),
        ({"heads": 3}, r"width \(8\) must be a multiple of heads \(3\)"),
        ({"use_bfloat16": "yes"}, "'use_bfloat16' must be bool"),
        ({"architectures": "Tiny"}, r"'architectures' must be list\[str\] \| None"),
        ({"num_labels": -1}, "'num_labels' must be int"),
        ({"num_labels": 10**12}, "'num_labels' must be int"),
        ({"id2label": [1]}, "id2label should be a dictionary"),
        ({"id2label": {"x": "a"}}, "'id2label' must be a dictionary whose keys are ids"),
        ({"label2id": "a"}, "label2id should be a dictionary"),
        ({"problem_type": "guess"}, "'problem_type' must be one of 'regression'"),
        ({"torch_dtype": "auto"}, "'torch_dtype' must be the name of a torch dtype"),
        ({"torch_dtype": "nn"}, "'torch_dtype' must be the name of a torch dtype"),
        ({"attn_implementation": "quick"}, "'attn_implementation' must be one of 'eager', 'sdpa'"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TinyConfig(**values)


@pytest.mark.parametrize(
    "values",
    [{"rate": 1}, {"widths": (1, 2)}, {"widths": None}, {"eos_token_id": [1, 2]}, {"depth": 0}, {"pad_token_id": None}],
)
def test_fitting_values_are_taken(values: dict[str, Any]) -> None:
    config = TinyConfig(**values)
    assert {name: getattr(config, name) for name in values} == values


def test_numbers_of_numpy_are_numbers() -> None:
    np = pytest.importorskip("numpy")
    assert TinyConfig(width=np.int64(4), rate=np.float32(0.5)).width == 4


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ([1, 2], tuple[int, int], True),
        ([1, 2, 3], tuple[int, int], False),
        ([1, 2, 3], tuple[int, ...], True),
        ({"a": 1}, dict[str, int], True),
        ({"a": "b"}, dict[str, int], False),
        ([[1], ["a"]], list[list[int]], False),
        (1, bool, False),
        ("x", int | str, True),
    ],
)
def test_matching_of_types(value: Any, hint: Any, expected: bool) -> None:
    assert matches(value, hint) is expected


def test_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"width": "wide"}')
    for read in (TinyConfig.from_pretrained, TinyConfig.from_json_file):
        with pytest.raises(ConfigError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: field 'width' must be int")
        assert (caught.value.field, caught.value.found, caught.value.file) == ("width", "wide", str(path))
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("text", ['{"a":', "", "[1]", "null", "\udcff", "[" * 100_000])
def test_broken_files_are_os_errors_that_name_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigFileError, match=r"config\.json") as caught:
        TinyConfig.from_pretrained(tmp_path)
    assert isinstance(caught.value, OSError)


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"config\.json"):
        TinyConfig.from_pretrained(tmp_path)


def test_replaced_values_are_checked_too(tmp_path: Path) -> None:
    TinyConfig().save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"config\.json: field 'width' must be int"):
        TinyConfig.from_pretrained(tmp_path, width=-1)


# Labels, dtypes and other special attributes


def test_labels() -> None:
    config = TinyConfig(num_labels=3)
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    assert config.label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}
    config.num_labels = 1
    assert config.id2label == {0: "LABEL_0"}
    named = TinyConfig(id2label={"0": "no", "1": "yes"}, num_labels=5)
    assert (named.num_labels, named.id2label) == (2, {0: "no", 1: "yes"})
    named.num_labels = 2
    assert named.id2label == {0: "no", 1: "yes"}


def test_labels_that_contradict_each_other(tmp_path: Path) -> None:
    TinyConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="num_labels=3"):
        TinyConfig.from_pretrained(tmp_path, num_labels=3, id2label={0: "a"})


@pytest.mark.parametrize("given", ["float16", "torch.float16", "half"])
def test_torch_dtype(given: str) -> None:
    import torch

    config = TinyConfig(torch_dtype=given)
    assert config.torch_dtype is torch.float16
    assert config.to_dict()["torch_dtype"] == "float16"
    config.torch_dtype = torch.bfloat16
    assert json.loads(config.to_json_string())["torch_dtype"] == "bfloat16"
    assert TinyConfig().torch_dtype is None


def test_dtypes_in_nested_dictionaries() -> None:
    import torch

    values = {"torch_dtype": torch.float32, "inner": {"torch_dtype": torch.int8}}
    TinyConfig().dict_torch_dtype_to_str(values)
    assert values == {"torch_dtype": "float32", "inner": {"torch_dtype": "int8"}}


def test_attention_implementation_is_not_saved() -> None:
    config = TinyConfig(attn_implementation="eager")
    assert config._attn_implementation == "eager"
    assert not [name for name in config.to_dict() if "attn" in name]
    config._flash_attn_2_enabled = True
    assert config._attn_implementation == "flash_attention_2"
    config._flash_attn_2_enabled = False
    assert config._attn_implementation == TinyConfig()._attn_implementation == "sdpa"
    assert TinyConfig.from_dict({}, attn_implementation="eager")._attn_implementation == "eager"


def test_other_properties() -> None:
    config = TinyConfig(name_or_path="some/where", torchscript=True)
    assert config.name_or_path == config._name_or_path == "some/where"
    assert config.use_return_dict is False
    assert TinyConfig().use_return_dict is True
    assert TinyConfig().name_or_path == ""


# Dictionaries and files


def test_equality_copies_and_pickles() -> None:
    config = TinyConfig(width=4, colour="red")
    for twin in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert twin == config
        assert twin.hidden_size == 4
    assert config != TinyConfig(width=6)
    assert config != config.to_dict()


def test_nested_configurations(tmp_path: Path) -> None:
    config = PairConfig(inner={"width": 4})
    values = config.to_dict()
    assert values["inner"]["width"] == 4
    assert "transformers_version" not in values["inner"]
    config.save_pretrained(tmp_path)
    again = PairConfig.from_pretrained(tmp_path, inner={"width": 6, "depth": 1})
    assert isinstance(again.inner, TinyConfig)
    assert (again.inner.width, again.inner.depth) == (6, 1)


def test_nested_differences() -> None:
    class Holder(PairConfig):
        model_type = "holder"
        is_composition = False

    assert Holder().to_diff_dict()["inner"] == {"model_type": "tiny"}
    assert Holder(inner={"width": 4}).to_diff_dict()["inner"] == {"model_type": "tiny", "width": 4}


def test_unused_arguments_are_returned(tmp_path: Path) -> None:
    TinyConfig().save_pretrained(tmp_path)
    config, unused = TinyConfig.from_pretrained(
        tmp_path, width=4, foo=1, torch_dtype="float32", revision="x", return_unused_kwargs=True
    )
    assert config.width == 4
    assert unused == {"foo": 1, "torch_dtype": "float32"}
    values, rest = TinyConfig.get_config_dict(tmp_path, foo=1, cache_dir=None)
    assert values["model_type"] == "tiny"
    assert rest == {"foo": 1}


def test_pruned_heads_have_int_keys() -> None:
    assert TinyConfig.from_dict({"pruned_heads": {"1": [0, 2]}}).pruned_heads == {1: [0, 2]}


def test_model_type_of_another_architecture_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(configuration_utils.logger, "warning", messages.append)
    OwnInitConfig().save_pretrained(tmp_path)
    TinyConfig.from_pretrained(tmp_path)
    assert len(messages) == 1
    assert "own-init" in messages[0] and "tiny" in messages[0]


def test_newest_readable_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["config.4.0.0.json", "config.4.36.0.json", "config.5.0.0.json", "config.json"]
    for number, name in enumerate(names):
        content = {"width": 2 * (number + 1), "configuration_files": names}
        (tmp_path / name).write_text(json.dumps(content))
    monkeypatch.setattr(configuration_utils, "cached_file", lambda base, name, **options: str(tmp_path / name))
    assert TinyConfig.from_pretrained("user/model").width == 4


def test_options_of_the_hub_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text('{"auto_map": {"AutoModel": "a.B"}}')
    seen: dict[str, Any] = {}

    def cached_file(base: str, name: str, **options: Any) -> str:
        seen.update(options, base=base, name=name)
        return str(tmp_path / name)

    monkeypatch.setattr(configuration_utils, "cached_file", cached_file)
    options = {"revision": "v1", "subfolder": "sub", "cache_dir": "c", "local_files_only": True, "force_download": True}
    with pytest.warns(FutureWarning, match="use_auth_token"):
        config = TinyConfig.from_pretrained("user/model", use_auth_token="secret", **options)
    assert seen.items() >= (options | {"token": "secret", "base": "user/model", "name": "config.json"}).items()
    assert config.auto_map == {"AutoModel": "user/model--a.B"}
    assert "secret" not in config.to_json_string(use_diff=False)


def test_saving_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TinyConfig(width=4).save_pretrained(tmp_path)
    before = (tmp_path / "config.json").read_bytes()

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("isoform.utils.files.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        TinyConfig(width=6).save_pretrained(tmp_path)
    assert (tmp_path / "config.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_saving_over_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(AssertionError, match="should be a directory"):
        TinyConfig().save_pretrained(path)


def test_push_to_hub_when_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(TinyConfig, "_create_repo", lambda self, repo, **kw: f"user/{repo}", raising=False)
    monkeypatch.setattr(TinyConfig, "_get_files_timestamps", lambda self, folder: {}, raising=False)
    monkeypatch.setattr(TinyConfig, "_upload_modified_files", lambda self, *a, **kw: calls.append((a, kw)))
    TinyConfig().save_pretrained(tmp_path / "mine", push_to_hub=True, commit_message="hello", token="t")
    ((folder, repo, before), options) = calls[0]
    assert (folder, repo, before) == (tmp_path / "mine", "user/mine", {})
    assert options == {"commit_message": "hello", "token": "t"}


# Changing


def test_update() -> None:
    config = TinyConfig()
    config.update({"hidden_size": 4, "new": 1})
    assert (config.width, config.new) == (4, 1)


def test_update_from_string() -> None:
    config = TinyConfig()
    config.update_from_string("width=4,rate=0.5,kind=b,use_bfloat16=true,num_hidden_layers=1")
    assert (config.width, config.rate, config.kind, config.use_bfloat16, config.depth) == (4, 0.5, "b", True, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo=1", "foo is no field of this config"),
        ("use_bfloat16=maybe", "use_bfloat16: expected true or false"),
        ("widths=3", "int, float, bool"),
    ],
)
def test_update_from_string_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TinyConfig().update_from_string(text)


def test_register_for_auto_class(tmp_path: Path) -> None:
    class Mine(TinyConfig):
        model_type = "mine"

    Mine.register_for_auto_class()
    assert Mine._auto_class == "AutoConfig"
    assert TinyConfig._auto_class is None
    with pytest.raises(ValueError, match="AutoNothing is not a valid auto class"):
        Mine.register_for_auto_class("AutoNothing")
    Mine().save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["auto_map"] == {"AutoConfig": "test_configuration.Mine"}
    assert (tmp_path / "test_configuration.py").read_bytes() == Path(__file__).read_bytes()


def test_configurations_load_no_framework() -> None:
    code = (
        "import sys, isoform\n"
        "for cls in isoform.CONFIG_MAPPING.values():\n"
        "    try: cls(torch_dtype='float16').to_json_string()\n"
        "    except isoform.errors.ConfigError as error: assert 'for ' in str(error)  # made of other configurations\n"
        "print(sorted({'torch', 'tensorflow', 'jax', 'tokenizers', 'huggingface_hub'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
