"""`isoform inspect` and `isoform download`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isoform import AutoModelForCausalLM
from isoform.cli.download import wanted_files
from tests.hub_server import HubServer


def test_inspect(isoform_cli: Callable[..., Any], models: Callable[[str], str]) -> None:
    folder = models("generate")
    facts = json.loads(isoform_cli("inspect", folder, "--json", "--tensors").out)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert facts["architecture"] == "GPTNeoXForCausalLM"
    assert (facts["model_type"], facts["tasks"]) == ("gpt_neox", ["text-generation"])
    assert facts["parameters"] == model.num_parameters()
    assert facts["dtypes"] == {"F32": model.num_parameters()}
    assert facts["weight_bytes"] == 4 * model.num_parameters()
    assert facts["cache_bytes_per_token"] == 2 * 2 * 16 * 4  # keys and values, 2 layers, 16 wide, float32
    assert facts["tokenizer"]["tokens"] == model.config.vocab_size
    assert facts["files"]["config.json"] == os.path.getsize(Path(folder) / "config.json")
    assert {tensor["name"] for tensor in facts["tensors"]} == set(model.state_dict())
    shown = isoform_cli("inspect", folder).out
    assert "GPTNeoXForCausalLM (gpt_neox)" in shown
    assert f"{model.num_parameters():,} F32" in shown


def test_inspect_loads_no_torch(models: Callable[[str], str]) -> None:
    code = "import sys; from isoform.cli import main; sys.exit(main(sys.argv[1:]) or 'torch' in sys.modules)"
    command = [sys.executable, "-c", code, "inspect", models("classify")]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_inspect_shards_and_half_precision(
    isoform_cli: Callable[..., Any], models: Callable[[str], str], tmp_path: Path
) -> None:
    import torch

    model = AutoModelForCausalLM.from_pretrained(models("generate"), torch_dtype=torch.bfloat16)
    model.save_pretrained(tmp_path, max_shard_size="6KB")
    facts = json.loads(isoform_cli("inspect", tmp_path, "--json").out)
    assert sum(name.endswith(".safetensors") for name in facts["files"]) > 1
    assert facts["dtypes"] == {"BF16": model.num_parameters()}
    assert facts["tokenizer"] is None
    assert "none found" in isoform_cli("inspect", tmp_path).out


def test_inspect_without_safetensors(
    isoform_cli: Callable[..., Any], models: Callable[[str], str], tmp_path: Path
) -> None:
    AutoModelForCausalLM.from_pretrained(models("generate")).save_pretrained(tmp_path, safe_serialization=False)
    facts = json.loads(isoform_cli("inspect", tmp_path, "--json").out)
    assert facts["parameters"] is None
    assert facts["weight_bytes"] == os.path.getsize(tmp_path / "pytorch_model.bin")
    assert "parameters    unknown" in isoform_cli("inspect", tmp_path).out


def test_inspect_broken_weights(isoform_cli: Callable[..., Any], models: Callable[[str], str], tmp_path: Path) -> None:
    AutoModelForCausalLM.from_pretrained(models("generate")).save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    result = isoform_cli("inspect", tmp_path)
    assert result.code == 1
    assert "model.safetensors" in result.err


@pytest.fixture
def hub(models: Callable[[str], str]) -> Iterator[HubServer]:
    folder = Path(models("generate"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with HubServer() as server:
        server.add(
            "user/model", {**files, "pytorch_model.bin": b"pickle", "tf_model.h5": b"x", "README.md": b"# hello"}
        )
        yield server


def _cli(hub: HubServer, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    environment = {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "isoform", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_download_and_inspect_from_the_hub(hub: HubServer, tmp_path: Path) -> None:
    looked = _cli(hub, tmp_path, "inspect", "user/model", "--json")
    assert looked.returncode == 0, looked.stderr
    facts = json.loads(looked.stdout)
    assert (facts["dtypes"], facts["architecture"]) == ({"F32": facts["parameters"]}, "GPTNeoXForCausalLM")
    assert not list(tmp_path.rglob("*.safetensors"))  # only the header was fetched
    result = _cli(hub, tmp_path, "download", "user/model")
    assert result.returncode == 0, result.stderr
    folder = Path(result.stdout.strip())
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert not {"pytorch_model.bin", "tf_model.h5"} & names
    absent = _cli(hub, tmp_path, "download", "user/absent")
    assert (absent.returncode, absent.stdout) == (1, "")
    assert absent.stderr.startswith("isoform download: ")


def test_local_folders_are_not_downloaded(isoform_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = isoform_cli("download", tmp_path)
    assert result.code == 2
    assert "local folder already" in result.err


def test_wanted_files() -> None:
    common = ["config.json", "tokenizer.json", "vocab.txt", "code.py"]
    others = ["tf_model.h5", "flax_model.msgpack", "model.onnx", ".gitattributes", "onnx/model.onnx", "runs/log.json"]
    safe = ["model-00001-of-00002.safetensors", "model.safetensors.index.json"]
    pickled = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
    assert wanted_files([*common, *others, *safe, *pickled]) == [*common, *safe]
    assert wanted_files([*common, *others, *pickled]) == [*common, *pickled]
