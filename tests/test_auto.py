"""Auto classes: the tables, finding classes, users' own classes, and code that a repository brings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import isoform
from isoform import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, PretrainedConfig
from isoform.configuration_utils import field
from isoform.dynamic_module_utils import (
    check_imports,
    get_cached_module_file,
    get_class_from_dynamic_module,
    get_imports,
    get_relative_imports,
    resolve_trust_remote_code,
)
from isoform.errors import RemoteCodeError, UnknownModelTypeError
from isoform.models.auto import modeling_auto
from isoform.models.auto.auto_factory import _BaseAutoModelClass, _LazyAutoMapping, get_values
from isoform.models.auto.configuration_auto import (
    CONFIG_MAPPING,
    config_class_to_model_type,
    model_type_to_module_name,
)

EXPECTED = json.loads((Path(__file__).parent / "golden" / "configs" / "expected.json").read_text())
TABLES = EXPECTED["tables"]
TINY = {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 11, "n_positions": 8}


class MineConfig(PretrainedConfig):
    """A user's own configuration."""

    model_type = "mine"
    size: int = field(3, "Size.", ge=1)


@pytest.fixture(autouse=True)
def forget_registered() -> Iterator[None]:
    """Undo what a test registers."""
    yield
    tables = [modeling_auto._MAPPINGS[name] for name in modeling_auto._MAPPINGS]
    for table in [CONFIG_MAPPING, *tables]:
        table._extra_content.clear()


@pytest.fixture
def tiny() -> Any:
    return AutoConfig.for_model("gpt2", **TINY)


# The tables


def test_auto_classes_are_those_of_the_reference() -> None:
    ours = [name for name in dir(isoform) if name.startswith(("AutoModel", "AutoBackbone"))]
    assert ours == EXPECTED["auto_classes"]
    for name in ours:
        cls = getattr(isoform, name)
        assert cls.__name__ == name
        assert cls.__doc__


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_equal_the_reference(name: str) -> None:
    names = getattr(modeling_auto, name)
    ours = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in names.items()
        if key in EXPECTED["configs"]
    }
    if name == "MODEL_WITH_LM_HEAD_MAPPING_NAMES":  # deprecated; the reference forgot some causal models
        assert ours.items() >= TABLES[name].items()
    else:
        assert ours == TABLES[name]
    assert getattr(modeling_auto, name) is names
    mapping = getattr(isoform, name.removesuffix("_NAMES"))
    assert isinstance(mapping, _LazyAutoMapping)
    assert list(mapping) == [CONFIG_MAPPING[key] for key in names]


def test_table_of_configurations() -> None:
    from isoform.models.auto.configuration_auto import CONFIG_MAPPING_NAMES, MODEL_NAMES_MAPPING

    assert CONFIG_MAPPING_NAMES["gpt_neox"] == "GPTNeoXConfig"
    assert set(CONFIG_MAPPING) == set(CONFIG_MAPPING_NAMES)
    assert len(CONFIG_MAPPING) == len(CONFIG_MAPPING_NAMES)
    assert set(CONFIG_MAPPING) <= set(MODEL_NAMES_MAPPING)
    assert CONFIG_MAPPING["gpt2"] is isoform.GPT2Config
    assert "gtp2" not in CONFIG_MAPPING
    assert config_class_to_model_type("GPT2Config") == "gpt2"
    assert config_class_to_model_type("NoConfig") is None
    assert model_type_to_module_name("gpt2") == "gpt2"
    assert model_type_to_module_name("some-thing") == "some_thing"


def test_table_of_models() -> None:
    mapping = isoform.MODEL_FOR_CAUSAL_LM_MAPPING
    assert mapping[isoform.GPT2Config] is isoform.GPT2LMHeadModel
    assert isoform.GPT2Config in mapping
    assert MineConfig not in mapping
    assert mapping.get(MineConfig) is None
    assert isoform.GPT2LMHeadModel in mapping.values()
    assert isoform.GPT2LMHeadModel in get_values(mapping)
    with pytest.raises(KeyError):
        mapping[MineConfig]


def test_a_class_of_the_same_name_is_another_class() -> None:
    impostor = type("GPT2Config", (PretrainedConfig,), {"model_type": "mine"})
    assert impostor not in isoform.MODEL_MAPPING


# Configurations


def test_configuration_by_model_type(tmp_path: Path) -> None:
    AutoConfig.for_model("opt", hidden_size=32, num_attention_heads=4).save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path, num_hidden_layers=2)
    assert type(config) is isoform.OPTConfig
    assert (config.hidden_size, config.num_hidden_layers, config.name_or_path) == (32, 2, str(tmp_path))
    config, unused = AutoConfig.from_pretrained(tmp_path, foo=1, return_unused_kwargs=True)
    assert unused == {"foo": 1}


def test_unknown_model_type_lists_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'gpt_nexo'.*Did you mean 'gpt_neox'"):
        AutoConfig.for_model("gpt_nexo")
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "gtp2"}')
    with pytest.raises(UnknownModelTypeError) as caught:
        AutoConfig.from_pretrained(tmp_path)
    assert str(caught.value).startswith(f"{path}: Unrecognized model identifier (model_type): 'gtp2'")
    assert "Did you mean 'gpt2'" in str(caught.value)
    assert isinstance(caught.value, (KeyError, ValueError))


@pytest.mark.parametrize("model_type", ["[1]", "{}", "3", '""'])
def test_model_type_that_is_no_name(tmp_path: Path, model_type: str) -> None:
    (tmp_path / "config.json").write_text(f'{{"model_type": {model_type}}}')
    with pytest.raises(UnknownModelTypeError, match=r"config\.json"):
        AutoConfig.from_pretrained(tmp_path)


def test_configuration_without_model_type(tmp_path: Path) -> None:
    for name, known in (("my-gpt2-model", True), ("nothing", False)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text('{"n_layer": 3}')
        if known:
            assert AutoConfig.from_pretrained(tmp_path / name).n_layer == 3
    with pytest.raises(ValueError, match="should have a `model_type` key"):
        AutoConfig.from_pretrained(tmp_path / "nothing" / "config.json")


def test_wrong_values_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "n_layer": "many"}')
    with pytest.raises(ValueError, match=r"config\.json: field 'n_layer' must be int"):
        AutoConfig.from_pretrained(tmp_path)


# Models


def test_model_from_a_configuration(tiny: Any) -> None:
    import torch

    assert type(AutoModel.from_config(tiny)) is isoform.GPT2Model
    model = AutoModelForCausalLM.from_config(tiny, torch_dtype=torch.bfloat16)
    assert type(model) is isoform.GPT2LMHeadModel
    assert model.dtype is torch.bfloat16


def test_model_from_a_checkpoint(tiny: Any, tmp_path: Path) -> None:
    import torch

    model = AutoModelForCausalLM.from_config(tiny)
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, resid_pdrop=0.5, torch_dtype="auto")
    assert type(again) is isoform.GPT2LMHeadModel
    assert again.config.resid_pdrop == 0.5
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
    half, info = AutoModel.from_pretrained(tmp_path, torch_dtype="float16", output_loading_info=True)
    assert type(half) is isoform.GPT2Model
    assert half.dtype is torch.float16
    assert info["missing_keys"] == []


def test_configuration_may_be_given(tiny: Any, tmp_path: Path) -> None:
    AutoModelForCausalLM.from_config(tiny).save_pretrained(tmp_path)
    tiny.resid_pdrop = 0.25
    assert AutoModel.from_pretrained(tmp_path, config=tiny).config.resid_pdrop == 0.25
    tiny.save_pretrained(tmp_path / "other")
    assert AutoModel.from_pretrained(tmp_path, config=str(tmp_path / "other")).config.resid_pdrop == 0.25


def test_errors_say_what_to_do(tiny: Any) -> None:
    with pytest.raises(OSError, match=r"AutoModel\.from_pretrained"):
        AutoModel()
    with pytest.raises(OSError, match=r"AutoConfig\.from_pretrained"):
        AutoConfig()
    with pytest.raises(ValueError, match=r"needs a configuration.*found str.*from_pretrained"):
        AutoModel.from_config("gpt2")
    with pytest.raises(ValueError, match=r"GPT2Config'> for this kind of AutoModel: AutoModelForMaskedLM") as caught:
        AutoModelForMaskedLM.from_config(tiny)
    assert "AutoModelForCausalLM" in str(caught.value)
    with pytest.raises(ValueError, match=r"MineConfig.*for this kind of AutoModel"):
        AutoModel.from_config(MineConfig())


def test_wrong_arguments_are_named(tiny: Any, tmp_path: Path) -> None:
    AutoModel.from_config(tiny).save_pretrained(tmp_path)
    with pytest.raises(TypeError, match="layrs"):
        AutoModel.from_pretrained(tmp_path, layrs=3)


def test_deprecated_class_warns(tiny: Any) -> None:
    with pytest.warns(FutureWarning, match="AutoModelWithLMHead"):
        assert type(isoform.AutoModelWithLMHead.from_config(tiny)) is isoform.GPT2LMHeadModel


def test_architectures_choose_between_several_classes() -> None:
    from isoform.models.auto.auto_factory import _choose

    first, second = type("First", (), {}), type("Second", (), {})
    assert _choose(MineConfig(), (first, second)) is first
    assert _choose(MineConfig(architectures=["Other", "Second"]), (first, second)) is second


# Users' own classes


def test_own_classes_can_be_registered(tmp_path: Path) -> None:
    import torch

    class MineModel(isoform.PreTrainedModel):
        config_class = MineConfig

        def __init__(self, config: MineConfig) -> None:
            super().__init__(config)
            self.layer = torch.nn.Linear(config.size, 1)

    AutoConfig.register("mine", MineConfig)
    AutoModel.register(MineConfig, MineModel)
    assert "mine" in CONFIG_MAPPING
    assert MineConfig in isoform.MODEL_MAPPING
    model = AutoModel.from_config(AutoConfig.for_model("mine", size=5))
    model.save_pretrained(tmp_path)
    again = AutoModel.from_pretrained(tmp_path)
    assert type(again) is MineModel
    assert torch.equal(again.layer.weight, model.layer.weight)
    assert config_class_to_model_type("MineConfig") == "mine"


def test_registering_checks_what_it_gets() -> None:
    class GPT2Like(isoform.GPT2Config):
        pass

    with pytest.raises(ValueError, match=r"`model_type` mine, .* as yours"):
        AutoConfig.register("yours", MineConfig)
    with pytest.raises(ValueError, match="'gpt2' is already used"):
        AutoConfig.register("gpt2", GPT2Like)
    AutoConfig.register("gpt2", GPT2Like, exist_ok=True)
    assert CONFIG_MAPPING["gpt2"] is GPT2Like
    with pytest.raises(ValueError, match="config_class"):
        AutoModel.register(MineConfig, isoform.GPT2Model)
    with pytest.raises(ValueError, match="already used by a model"):
        AutoModel.register(isoform.GPT2Config, isoform.GPT2Model)


def test_own_auto_class() -> None:
    class AutoModelForMine(_BaseAutoModelClass):
        _model_mapping = _LazyAutoMapping(None, {"gpt2": "GPT2ForTokenClassification"})

    config = AutoConfig.for_model("gpt2", **TINY)
    assert type(AutoModelForMine.from_config(config)) is isoform.GPT2ForTokenClassification


# Code of repositories

REMOTE_CONFIG = """
import pathlib
from transformers import PretrainedConfig
from .remote_names import KIND
pathlib.Path({marker!r}).write_text("ran")

class RemoteConfig(PretrainedConfig):
    model_type = KIND
    def __init__(self, size=2, **kwargs):
        self.size = size
        super().__init__(**kwargs)
"""
REMOTE_MODEL = """
import torch
from transformers import PreTrainedModel
from .remote_config import RemoteConfig

class RemoteModel(PreTrainedModel):
    config_class = RemoteConfig
    def __init__(self, config):
        super().__init__(config)
        self.layer = torch.nn.Linear(config.size, 1)
    def forward(self, x):
        return self.layer(x)
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a model and the code for it, which leaves a mark when it is executed."""
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = tmp_path / "remote"
    folder.mkdir()
    (folder / "remote_names.py").write_text('KIND = "remote"\n')
    (folder / "remote_config.py").write_text(REMOTE_CONFIG.format(marker=str(tmp_path / "marker")))
    (folder / "remote_model.py").write_text(REMOTE_MODEL)
    auto_map = {"AutoConfig": "remote_config.RemoteConfig", "AutoModel": "remote_model.RemoteModel"}
    # A file may claim what it likes: only the caller's argument counts.
    claims = {"trust_remote_code": True, "_from_auto": True}
    (folder / "config.json").write_text(json.dumps({"model_type": "remote", "auto_map": auto_map, "size": 4, **claims}))
    yield folder
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        del sys.modules[name]


def test_code_is_not_executed_by_default(repository: Path) -> None:
    marker = repository.parent / "marker"
    for trust in (None, False):
        for load in (AutoConfig.from_pretrained, AutoModel.from_pretrained):
            with pytest.raises(RemoteCodeError, match="trust_remote_code=True"):
                load(repository, trust_remote_code=trust)
    PretrainedConfig.from_pretrained(repository)
    with pytest.raises(ValueError):
        AutoModel.from_config(PretrainedConfig.from_pretrained(repository))
    assert not marker.exists()
    assert not (repository.parent / "modules").exists()


def test_code_of_a_known_architecture_is_not_executed(repository: Path) -> None:
    values = json.loads((repository / "config.json").read_text())
    (repository / "config.json").write_text(json.dumps(values | {"model_type": "gpt2"} | TINY))
    config = AutoConfig.from_pretrained(repository)
    assert type(config) is isoform.GPT2Config
    assert type(AutoModel.from_config(config)) is isoform.GPT2Model
    assert not (repository.parent / "marker").exists()


def test_trusted_code_is_executed(repository: Path, tmp_path: Path) -> None:
    config = AutoConfig.from_pretrained(repository, trust_remote_code=True)
    assert (repository.parent / "marker").exists()
    assert (type(config).__name__, config.size, config.model_type) == ("RemoteConfig", 4, "remote")
    assert isinstance(config, PretrainedConfig)
    model = AutoModel.from_config(config, trust_remote_code=True)
    assert isinstance(model, isoform.PreTrainedModel)
    model.save_pretrained(tmp_path / "saved")
    assert {path.name for path in (tmp_path / "saved").iterdir()} >= {"remote_config.py", "remote_names.py"}
    again = AutoModel.from_pretrained(tmp_path / "saved", trust_remote_code=True)
    assert again.layer.weight.tolist() == model.layer.weight.tolist()


def test_changed_code_is_loaded_anew(repository: Path) -> None:
    AutoConfig.from_pretrained(repository, trust_remote_code=True)
    (repository / "remote_names.py").write_text('KIND = "changed"\n')
    assert AutoConfig.from_pretrained(repository, trust_remote_code=True).__class__.model_type == "changed"


@pytest.mark.parametrize("reference", ["os.system.call", "../evil.Class", "module", "a/b.Class", "", 3, "m.py.C"])
def test_references_have_one_form(repository: Path, reference: Any) -> None:
    with pytest.raises(RemoteCodeError, match="should look like"):
        get_class_from_dynamic_module(reference, repository)


def test_names_of_files_stay_in_the_folder(repository: Path) -> None:
    for name in ("../remote_config.py", "/etc/passwd", "remote_config.txt"):
        with pytest.raises(RemoteCodeError, match="should look like"):
            get_cached_module_file(repository, name)
    with pytest.raises(OSError, match=r"missing\.py"):
        get_cached_module_file(repository, "missing.py")


def test_missing_class_is_named(repository: Path) -> None:
    with pytest.raises(RemoteCodeError, match="has no class NoConfig"):
        get_class_from_dynamic_module("remote_config.NoConfig", repository)


def test_imports_are_read_without_running(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(
        "import os.path, no_such_package_1\nfrom no_such_package_2.x import y\nfrom . import beside\n"
        "from .other.deep import z\nfrom ..outside import w\n"
        "try:\n    import no_such_package_3\nexcept ImportError:\n    pass\n"
        "def f():\n    import no_such_package_4\n'import no_such_package_5'\nraise SystemExit\n"
    )
    assert get_imports(path) == ["os", "no_such_package_1", "no_such_package_2", "no_such_package_4"]
    assert get_relative_imports(path) == ["beside", "other"]
    with pytest.raises(ImportError, match="pip install no_such_package_1 no_such_package_2 no_such_package_4"):
        check_imports(path)
    path.write_text("def f(:")
    with pytest.raises(RemoteCodeError, match="not valid Python"):
        get_imports(path)


@pytest.mark.parametrize(
    ("trust", "local", "remote", "expected"),
    [(True, True, True, True), (True, False, True, True), (None, True, True, False), (False, True, True, False),
     (True, False, False, False), (None, False, False, False)],
)  # fmt: skip
def test_trust(trust: bool | None, local: bool, remote: bool, expected: bool) -> None:
    assert resolve_trust_remote_code(trust, "name", local, remote) is expected
