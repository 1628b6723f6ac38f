"""The registry: what follows from an architecture's one literal."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from isoform import registry
from isoform.errors import MissingExtraError
from isoform.models.auto.auto_factory import task_names
from isoform.registry import Arch, Export, architectures, exports, placeholder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of an architecture, as `models/<name>` holds one, with two modules."""
    folder = tmp_path / "zoo_toy"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from isoform.registry import Export, lazy_namespace\n"
        "cheap = lambda: {'Own': Export('errors')}\n"
        "def costly(): raise RuntimeError('asked')\n"
        "__getattr__, __dir__ = lazy_namespace(__name__, cheap, costly)\n"
    )
    (folder / "modeling_toy.py").write_text("LOADED = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "zoo_toy"
    for name in [name for name in sys.modules if name.startswith("zoo_toy")]:
        del sys.modules[name]


def test_names_follow_from_the_literal() -> None:
    arch = Arch(
        "some-thing",
        "SomeThing",
        torch="Model ForCausalLM",
        tokenizer=("SomeThingTokenizer", "OtherTokenizerFast"),
        image_processor="SomeThingImageProcessor",
        also={"modeling": "SomeThingLayer", "configuration": "SomeThingTextConfig"},
    )
    modules = {name: entry.module.removeprefix("models.some_thing.") for name, entry in arch.exports.items()}
    assert modules == {
        "SomeThingConfig": "configuration_some_thing",
        "SomeThingTextConfig": "configuration_some_thing",
        "SomeThingModel": "modeling_some_thing",
        "SomeThingForCausalLM": "modeling_some_thing",
        "SomeThingPreTrainedModel": "modeling_some_thing",
        "SomeThingLayer": "modeling_some_thing",
        "SomeThingTokenizer": "tokenization_some_thing",
        "SomeThingImageProcessor": "image_processing_some_thing",
    }
    assert arch.exports["SomeThingImageProcessor"].extra == "vision"
    assert arch.title == "SomeThing"
    with pytest.raises(AttributeError, match="SomeThing has no SomeThingForQA; it has: SomeThingConfig"):
        arch.load("SomeThingForQA")


def test_tokenizer_alone_has_no_configuration() -> None:
    arch = Arch("only", "Only", tokenizer=("OnlyTokenizer", None))
    assert list(arch.exports) == ["OnlyTokenizer"]
    assert arch.config is None


def test_several_architectures_in_one_folder() -> None:
    first, second = Arch("pair-a", "PairA", torch="Model"), Arch("pair-b", "PairB", torch="Model")
    first.attributes("isoform.models.pair", second)
    assert first.exports["PairAModel"].module == "models.pair.modeling_pair_a"
    assert second.exports["PairBModel"].module == "models.pair.modeling_pair_b"


def test_tasks_follow_from_suffixes_and_may_deviate(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "a": Arch("a", "A", torch="Model ForCausalLM LMHeadModel"),
        "b": Arch("b", "B", torch="Model LMHeadModel", auto={"TextEncoding": "Model", "CausalLM": None}),
        "c": Arch("c", "C", torch="Model LMHeadModel", auto={"CausalLM": ("One", "Two")}),
    }
    monkeypatch.setattr("isoform.models.auto.auto_factory.architectures", lambda: found)
    assert task_names("CausalLM", ["LMHeadModel", "ForCausalLM"]) == {"a": "ALMHeadModel", "c": ("COne", "CTwo")}
    assert task_names("TextEncoding", ["EncoderModel"]) == {"b": "BModel"}


def test_discovery_finds_each_folder() -> None:
    folder = Path(registry.__file__).parent / "models"
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - {"auto"}
    assert {arch.folder for arch in architectures().values()} == packages
    assert all(arch.model_type == key for key, arch in architectures().items())


def test_no_name_is_declared_twice() -> None:
    # The parts of CLIP are architectures of their own, in the same module: the same name may only mean the same thing.
    places: dict[str, set[Export]] = {}
    for arch in architectures().values():
        for name, entry in arch.exports.items():
            places.setdefault(name, set()).add(entry)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("model_type", sorted(architectures()))
def test_every_class_exists_and_lives_where_it_says(model_type: str) -> None:
    arch = architectures()[model_type]
    package = importlib.import_module(f"isoform.models.{arch.folder}")
    further = {name: kind for kind, names in arch.also.items() for name in names.split()}
    configs = {arch.config, *(name for name, kind in further.items() if kind == "configuration")}
    for name, entry in arch.exports.items():
        cls = arch.load(name)
        assert getattr(package, name) is cls
        assert name in dir(package)
        if name in further and getattr(cls, "__name__", None) != name:
            continue  # a constant, or a second name
        assert cls.__name__ == name
        assert cls.__module__ == f"isoform.{entry.module}"
        if name.removeprefix(arch.prefix) in arch.suffixes:
            assert cls.config_class.__name__ in configs
    for name in filter(None, arch.tokenizer):
        assert name in exports(), f"{arch.title} uses {name}, which no architecture declares"


def test_classes_can_be_pickled() -> None:
    for name in ("GPT2Config", "GPT2Model"):
        cls = exports()[name].load(name)
        assert pickle.loads(pickle.dumps(cls)) is cls


def test_cheap_tables_are_asked_first(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(AttributeError):  # found in the first table; isoform.errors has no such name
        _ = module.Own
    with pytest.raises(RuntimeError, match="asked"):
        _ = module.Unknown
    with pytest.raises(AttributeError):
        _ = module.__wrapped__  # probes ask no table


def test_submodules_are_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zoo_plain").mkdir()
    (tmp_path / "zoo_plain" / "__init__.py").write_text(
        "from isoform.registry import lazy_namespace\n__getattr__, __dir__ = lazy_namespace(__name__)\n"
    )
    (tmp_path / "zoo_plain" / "part.py").write_text("VALUE = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("zoo_plain")
    try:
        assert "part" in dir(module)
        assert module.part.VALUE == 3
        with pytest.raises(AttributeError, match="module 'zoo_plain' has no attribute 'other'"):
            _ = module.other
    finally:
        for name in ("zoo_plain", "zoo_plain.part"):
            sys.modules.pop(name, None)


def test_placeholder_can_be_imported_but_not_used() -> None:
    stand_in = placeholder("BeitImageProcessor", "vision")
    assert stand_in.__name__ == "BeitImageProcessor"
    assert isinstance(stand_in, type)
    for use in (stand_in, lambda: stand_in.from_pretrained("x")):
        with pytest.raises(MissingExtraError, match=r'^BeitImageProcessor needs .*pip install "isoform\[vision\]"$'):
            use()


def test_missing_extra_gives_a_placeholder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.EXTRAS, "zoo", ("zoo_package_that_is_not_there",))
    stand_in = Export("configuration_utils", "zoo").load("PretrainedConfig")
    with pytest.raises(ImportError, match=r'pip install "isoform\[zoo\]"'):
        stand_in()


def test_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ModuleNotFoundError("No module named 'sentencepiece'", name="sentencepiece")

    monkeypatch.setattr(registry.importlib, "import_module", fail)
    with pytest.raises(MissingExtraError, match=r'^LlamaTokenizer needs .*pip install "isoform\[sentencepiece\]"$'):
        Export("models.llama.tokenization_llama").load("LlamaTokenizer")


def test_other_missing_modules_are_reported_as_they_are() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        Export("no_such_module").load("Name")


def test_extras_are_those_of_the_project() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    section = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    declared = {line.split("=")[0].strip() for line in section.splitlines() if " = [" in line}
    assert set(registry.EXTRAS) == declared - {"dev", "all"}
