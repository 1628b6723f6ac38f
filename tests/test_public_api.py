"""The public names: lazy, documented, complete, and equal to the type stub."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import isoform

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "tensorflow", "jax", "numpy", "tokenizers", "huggingface_hub", "tqdm", "requests", "httpx", "jinja2")
# Paths that the documentation names, or that code written for 4.36 imports from.
MODULES = [
    "activations",
    "cache_utils",
    "configuration_utils",
    "convert_slow_tokenizer",
    "dynamic_module_utils",
    "file_utils",
    "generation",
    "generation.configuration_utils",
    "generation.logits_process",
    "generation.stopping_criteria",
    "generation.streamers",
    "generation.beam_search",
    "generation.beam_constraints",
    "generation.utils",
    "modelcard",
    "modeling_attn_mask_utils",
    "modeling_outputs",
    "modeling_utils",
    "models",
    "models.auto",
    "models.auto.auto_factory",
    "models.auto.configuration_auto",
    "models.auto.modeling_auto",
    "models.auto.tokenization_auto",
    "pipelines",
    "pipelines.pt_utils",
    "pipelines.base",
    "pytorch_utils",
    "tokenization_utils",
    "tokenization_utils_base",
    "tokenization_utils_fast",
    "trainer_utils",
    "utils",
    "utils.logging",
    "utils.hub",
    "utils.generic",
    "utils.import_utils",
    "utils.versions",
]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_loads_little() -> None:
    loaded = set(run("import isoform, sys; print(*sys.modules)").split())
    assert loaded.isdisjoint(HEAVY)
    assert {name for name in loaded if name.startswith("isoform")} == {"isoform", "isoform.errors", "isoform.registry"}


@pytest.mark.parametrize(
    "statement",
    [
        "from isoform import AutoConfig, AutoModelForCausalLM, PretrainedConfig",
        "from isoform import GPT2Config, LlamaConfig; GPT2Config(); LlamaConfig()",
        "import isoform; dir(isoform); isoform.models.gpt2; isoform.CONFIG_MAPPING['opt']",
        "from isoform import AutoTokenizer, GPT2TokenizerFast, PreTrainedTokenizer",
        "from isoform import GenerationConfig",
        "from isoform.utils import logging",
    ],
)
def test_no_framework_is_loaded(statement: str) -> None:
    assert run(f"{statement}\nimport sys; print([n for n in {HEAVY[:3]} if n in sys.modules])") == "[]"


@pytest.mark.parametrize("name", sorted(isoform.public_names()))
def test_every_public_name_exists(name: str) -> None:
    value = getattr(isoform, name)
    assert name in dir(isoform)
    if isinstance(value, type):
        assert inspect.getdoc(value), f"{name} has no docstring"


@pytest.mark.parametrize("path", MODULES)
def test_documented_modules_exist(path: str) -> None:
    importlib.import_module(f"isoform.{path}")


def test_stub_equals_the_tables() -> None:
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / "tools" / "make_stubs.py")
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert (ROOT / "isoform" / "__init__.pyi").read_text(encoding="utf-8") == tool.stub_text(), (
        "run python tools/make_stubs.py"
    )


def test_unknown_names_and_submodules() -> None:
    with pytest.raises(AttributeError, match="module 'isoform' has no attribute 'NoSuchModel'"):
        _ = isoform.NoSuchModel
    with pytest.raises(ImportError, match="NoSuchModel"):
        exec("from isoform import NoSuchModel")
    assert isoform.models.gpt2.configuration_gpt2.GPT2Config is isoform.GPT2Config
    assert isoform.models.auto.AutoModel is isoform.AutoModel
    assert "models" in dir(isoform)
    assert "__version__" in dir(isoform)
