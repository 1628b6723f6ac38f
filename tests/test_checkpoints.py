"""Loading and saving: files, dtypes, devices, memory, sharing, the Hub."""

from __future__ import annotations

import json
import logging
import os
import threading

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from isoform import GPT2Config, GPT2LMHeadModel, GPTNeoXForCausalLM, GPTNeoXModel
from isoform.checkpoints.shards import load_sharded_checkpoint, shard_checkpoint
from isoform.modeling_utils import PreTrainedModel, load_state_dict, no_init_weights, unwrap_model
from isoform.utils import logging as library_logging
from tests.checkpoint_models import IDS, ToyConfig, ToyModel, ToyWithHead, same_weights, tiny
from tests.hub_server import HubServer

CLEAN = {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": [], "error_msgs": []}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """Keeps the settings and the cache of the person who runs the tests out of them."""
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setenv("TRANSFORMERS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def hub(monkeypatch):
    with HubServer() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def told():
    """Warnings of the library."""
    messages = []
    handler = logging.Handler(level=logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    library_logging.add_handler(handler)
    yield messages
    library_logging.remove_handler(handler)


def files_of(folder):
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


# -- Round trips --


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("size", ["5GB", 6000])
@pytest.mark.parametrize("variant", [None, "fp16"])
def test_round_trip(tmp_path, safe, size, variant):
    model = tiny()
    model.save_pretrained(tmp_path, safe_serialization=safe, max_shard_size=size, variant=variant)
    loaded, info = GPTNeoXForCausalLM.from_pretrained(tmp_path, variant=variant, output_loading_info=True)
    assert info == CLEAN and same_weights(model, loaded) and not loaded.training
    assert torch.equal(model(IDS).logits, loaded(IDS).logits)
    shards = [name for name in os.listdir(tmp_path) if "-of-" in name]
    assert bool(shards) == (size == 6000)
    assert all((".safetensors" in name) == safe for name in shards)


def test_names_of_files(tmp_path):
    tiny().save_pretrained(tmp_path / "a", max_shard_size=6000, variant="v")
    tiny().save_pretrained(tmp_path / "b", variant="v", safe_serialization=False)
    assert "model.safetensors.index.v.json" in os.listdir(tmp_path / "a")
    assert any(name.startswith("model.v-00001-of-") for name in os.listdir(tmp_path / "a"))
    assert sorted(os.listdir(tmp_path / "b")) == ["config.json", "generation_config.json", "pytorch_model.v.bin"]


def test_config_records_architecture_and_dtype(tmp_path):
    tiny().half().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["GPTNeoXForCausalLM"] and config["torch_dtype"] == "float16"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"max_shard_size": 6000}, {}),
        ({}, {"max_shard_size": 6000}),
        ({"max_shard_size": 4000}, {"max_shard_size": 9000}),
        ({}, {"safe_serialization": False}),
        ({"max_shard_size": 6000}, {"safe_serialization": False, "max_shard_size": 6000}),
    ],
)
def test_what_was_saved_last_is_what_loads(tmp_path, old, new):
    tiny(seed=1).save_pretrained(tmp_path, **old)
    model = tiny(seed=2)
    model.save_pretrained(tmp_path, **new)
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained(tmp_path))
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_saving_leaves_other_files(tmp_path):
    (tmp_path / "notes-00001-of-00002.safetensors").write_text("mine")
    (tmp_path / "model.fp16.safetensors").write_text("another variant")
    tiny().save_pretrained(tmp_path)
    tiny().save_pretrained(tmp_path, max_shard_size=6000)
    assert {"notes-00001-of-00002.safetensors", "model.fp16.safetensors"} <= set(os.listdir(tmp_path))


def test_only_the_main_process_writes(tmp_path):
    tiny().save_pretrained(tmp_path / "x", is_main_process=False)
    assert not (tmp_path / "x").exists()


def test_state_dict_and_save_function(tmp_path):
    calls = []

    def save(tensors, path):
        calls.append(path)
        torch.save(tensors, path)

    state = {name: torch.ones_like(value) for name, value in tiny().state_dict().items()}
    tiny().save_pretrained(tmp_path, state_dict=state, save_function=save, safe_serialization=False)
    loaded = GPTNeoXForCausalLM.from_pretrained(tmp_path)
    assert len(calls) == 1 and all((value == 1).all() for value in loaded.state_dict().values())


def test_target_is_a_file(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(OSError, match=r"x: it is a file; expected a folder"):
        tiny().save_pretrained(tmp_path / "x")


def test_wrapped_model_saves_what_it_wraps(tmp_path):
    wrapped = nn.DataParallel(tiny())
    assert unwrap_model(wrapped) is wrapped.module
    wrapped.module.save_pretrained(tmp_path)
    assert same_weights(wrapped.module, GPTNeoXForCausalLM.from_pretrained(tmp_path))


# -- Shared tensors --


def gpt2(**settings):
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=11, n_positions=16, **settings)).eval()


def test_tied_weights_are_stored_once(tmp_path):
    gpt2().save_pretrained(tmp_path)
    assert "lm_head.weight" not in load_file(tmp_path / "model.safetensors")
    loaded, info = GPT2LMHeadModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == CLEAN and loaded.lm_head.weight is loaded.transformer.wte.weight


@pytest.mark.parametrize("safe", [True, False])
def test_weights_no_longer_tied_have_memory_of_their_own(tmp_path, safe):
    model = gpt2()
    model.save_pretrained(tmp_path, safe_serialization=safe)
    loaded, info = GPT2LMHeadModel.from_pretrained(tmp_path, tie_word_embeddings=False, output_loading_info=True)
    with torch.no_grad():
        loaded.lm_head.weight.zero_()
    assert torch.equal(loaded.transformer.wte.weight, model.transformer.wte.weight)
    assert info["missing_keys"] == (["lm_head.weight"] if safe else [])


def test_sharing_that_no_class_declares_is_written_in_full(tmp_path):
    model = tiny()
    layers = model.gpt_neox.layers
    layers[0].mlp.dense_h_to_4h.weight = layers[1].mlp.dense_h_to_4h.weight
    model.save_pretrained(tmp_path)
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained(tmp_path))


def test_views_of_one_tensor(tmp_path):
    model = tiny()
    both = torch.randn(2, 32, 16)
    for layer, weight in zip(model.gpt_neox.layers, both):
        layer.mlp.dense_h_to_4h.weight = nn.Parameter(weight)
    model.gpt_neox.layers[0].mlp.dense_4h_to_h.weight = nn.Parameter(both[1].T)
    model.save_pretrained(tmp_path)
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained(tmp_path))


def test_tensors_that_share_memory_go_to_one_shard():
    shared = torch.zeros(10)
    shards, _ = shard_checkpoint({"a": shared, "b": torch.zeros(10), "c": shared}, 40, "model.safetensors")
    assert list(map(sorted, shards.values())) == [["a", "c"], ["b"]]


# -- Memory --


def test_training_does_not_change_the_file(tmp_path):
    tiny().save_pretrained(tmp_path)
    before = files_of(tmp_path)
    model = GPTNeoXForCausalLM.from_pretrained(tmp_path).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(IDS, labels=IDS).loss.backward()
    optimizer.step()
    assert not same_weights(model, GPTNeoXForCausalLM.from_pretrained(tmp_path))
    assert files_of(tmp_path) == before


def test_models_of_one_file_do_not_share_changes(tmp_path):
    tiny().save_pretrained(tmp_path)
    first, second = (GPTNeoXForCausalLM.from_pretrained(tmp_path) for _ in range(2))
    with torch.no_grad():
        first.embed_out.weight.add_(1)
    assert same_weights(second, tiny())


@pytest.mark.parametrize("what", ["replace", "delete", "save into"])
def test_the_file_may_go_while_the_model_lives(tmp_path, what):
    tiny().save_pretrained(tmp_path)
    model = GPTNeoXForCausalLM.from_pretrained(tmp_path)
    if what == "replace":
        tiny(seed=3).save_pretrained(tmp_path)
    elif what == "delete":
        (tmp_path / "model.safetensors").unlink()
    else:
        model.save_pretrained(tmp_path)
    assert same_weights(model, tiny())


def test_nothing_is_copied(tmp_path):
    tiny().save_pretrained(tmp_path)
    model = GPTNeoXForCausalLM.from_pretrained(tmp_path)
    path = os.path.realpath(tmp_path / "model.safetensors")
    with open("/proc/self/maps") as maps:
        spans = [line.split()[0].split("-") for line in maps if line.rstrip().endswith(path)]
    mapped = [(int(a, 16), int(b, 16)) for a, b in spans]
    assert all(any(a <= p.data_ptr() < b for a, b in mapped) for p in model.parameters())


def test_given_state_dict_stays_the_callers(tmp_path):
    state = tiny().state_dict()
    kept = {name: value.clone() for name, value in state.items()}
    model = GPTNeoXForCausalLM.from_pretrained(None, config=tiny().config, state_dict=state)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert all(torch.equal(state[name], kept[name]) for name in kept)


# -- What is not in the checkpoint --


def test_computed_values_are_real(tmp_path):
    torch.manual_seed(0)
    toy = ToyModel(ToyConfig())
    with torch.no_grad():
        toy.norm.running_mean.fill_(2)
        toy.scale.fill_(5)
    toy.save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state["sinusoids"]
    save_file(state, tmp_path / "model.safetensors")  # without metadata, as some tools write it
    loaded, info = ToyModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == CLEAN
    for name, value in [*toy.named_parameters(), *toy.named_buffers()]:
        assert torch.equal(
            loaded.get_parameter(name) if name in dict(loaded.named_parameters()) else loaded.get_buffer(name), value
        ), name
    assert (loaded.norm.running_mean == 2).all() and loaded.sinusoids.requires_grad is False


def test_absent_weights_are_initialised_by_the_model_and_by_their_constructor(tmp_path):
    ToyModel(ToyConfig()).save_pretrained(tmp_path)
    kept = {
        "toy.embed.weight": torch.zeros(10, 6),
        "optional.x": torch.zeros(1),
        "a.old_buffer": torch.zeros(1),
        "odd": torch.zeros(1),
    }
    save_file(kept, tmp_path / "model.safetensors")
    loaded, info = ToyWithHead.from_pretrained(tmp_path, output_loading_info=True)
    assert (loaded.head.weight == 7).all() and (loaded.toy.linear.weight == 7).all()  # by _init_weights
    assert (loaded.toy.norm.weight == 1).all() and loaded.toy.scale == 3  # by constructors
    assert (loaded.toy.embed.weight == 0).all()
    assert "head.weight" in info["missing_keys"] and not any("sinusoids" in key for key in info["missing_keys"])
    assert info["unexpected_keys"] == ["odd"]


def test_loading_draws_random_numbers_for_absent_weights_only(tmp_path):
    tiny().save_pretrained(tmp_path)
    torch.manual_seed(5)
    GPTNeoXForCausalLM.from_pretrained(tmp_path)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))


def test_reports_once(tmp_path, told):
    tiny().base_model.save_pretrained(tmp_path)
    GPTNeoXForCausalLM.from_pretrained(tmp_path)
    assert len(told) == 1 and "newly initialised: embed_out.weight" in told[0] and str(tmp_path) in told[0]


def test_outer_constructor_initialises_each_module_once():
    seen = []

    class Counting(ToyWithHead):
        def _init_weights(self, module):
            seen.append(module)

    model = Counting(ToyConfig())
    outside = [module for module in model.modules() if not any(module is m for m in model.toy.modules())]
    assert sorted(map(id, seen)) == sorted(map(id, outside))  # the toy inside initialises its own
    assert (model.toy.linear.weight == 7).all()


def test_a_loaded_part_keeps_its_weights(tmp_path):
    ToyModel(ToyConfig()).save_pretrained(tmp_path)
    state = {k: torch.full_like(v, 9) for k, v in load_file(tmp_path / "model.safetensors").items()}
    save_file(state, tmp_path / "model.safetensors")

    class Composite(PreTrainedModel):
        config_class = ToyConfig

        def __init__(self, config):
            super().__init__(config)
            self.part = ToyModel.from_pretrained(tmp_path)
            self.own = nn.Linear(3, 3)

    model = Composite(ToyConfig())
    assert (model.part.linear.weight == 9).all()
    assert model.own.bias.abs().sum() == 0 and model.own.weight.std() < 0.1


def test_no_init_weights():
    with no_init_weights():
        model = ToyModel(ToyConfig())
    assert not (model.linear.weight == 7).all()
    assert (ToyModel(ToyConfig()).linear.weight == 7).all()


def test_abstract_classes_may_be_mixed_in():
    from abc import ABC

    class Mixed(ToyModel, ABC): ...

    assert (Mixed(ToyConfig()).linear.weight == 7).all()


# -- dtypes --


@pytest.mark.parametrize("given", ["float16", torch.float16, "auto"])
def test_dtypes(tmp_path, given):
    ToyModel(ToyConfig()).half().save_pretrained(tmp_path)
    model = ToyModel.from_pretrained(tmp_path, torch_dtype=given)
    dtypes = {name: value.dtype for name, value in [*model.named_parameters(), *model.named_buffers()]}
    assert dtypes.pop("precise.weight") is dtypes.pop("precise.bias") is torch.float32
    assert dtypes.pop("inverse") is torch.float32  # a division of integers, in full precision
    assert dtypes.pop("steps") is dtypes.pop("norm.num_batches_tracked") is torch.int64
    assert set(dtypes.values()) == {torch.float16}
    assert torch.get_default_dtype() is torch.float32 and ToyModel.from_pretrained(tmp_path).dtype is torch.float32


def test_auto_dtype_without_a_config_entry(tmp_path):
    tiny().to(torch.bfloat16).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["torch_dtype"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert GPTNeoXForCausalLM.from_pretrained(tmp_path, torch_dtype="auto").dtype is torch.bfloat16


@pytest.mark.parametrize("given", ["float17", "nn", 3, "int8"])
def test_bad_dtypes(tmp_path, given):
    tiny().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"torch_dtype"):
        GPTNeoXForCausalLM.from_pretrained(tmp_path, torch_dtype=given)


def test_threads_load_in_different_dtypes(tmp_path):
    ToyModel(ToyConfig()).save_pretrained(tmp_path)
    wrong = []

    def load(dtype):
        for _ in range(10):
            model = ToyModel.from_pretrained(tmp_path, torch_dtype=dtype)
            if (
                model.linear.weight.dtype is not dtype
                or model.shift.dtype is not dtype
                or torch.zeros(1).dtype is not torch.float32
            ):
                wrong.append(dtype)

    threads = [threading.Thread(target=load, args=(dtype,)) for dtype in (torch.float32, torch.bfloat16, torch.float64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_from_config_dtype_and_copy():
    config = ToyConfig()
    model = ToyModel._from_config(config, torch_dtype=torch.bfloat16, attn_implementation="eager")
    assert model.dtype is torch.bfloat16 and model.config is not config
    assert model.config._attn_implementation == "eager" and config._attn_implementation == "sdpa"


# -- Devices --

SPLIT = {
    "gpt_neox.embed_in": "cpu",
    "gpt_neox.layers.0": "disk",
    "gpt_neox.layers.1": "cpu",
    "gpt_neox.final_layer_norm": "cpu",
    "embed_out": "disk",
}


@pytest.mark.parametrize("safe", [True, False])
def test_disk_offload(tmp_path, safe):
    model = tiny()
    model.save_pretrained(tmp_path / "m", safe_serialization=safe, max_shard_size=9000)
    folder = None if safe else tmp_path / "offload"
    loaded = GPTNeoXForCausalLM.from_pretrained(tmp_path / "m", device_map=SPLIT, offload_folder=folder)
    assert loaded.embed_out.weight.is_meta and loaded.hf_device_map == SPLIT
    assert torch.equal(loaded(IDS).logits, model(IDS).logits)
    loaded.save_pretrained(tmp_path / "again")
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained(tmp_path / "again"))


def test_disk_offload_of_new_weights(tmp_path):
    tiny().base_model.save_pretrained(tmp_path / "m")
    loaded = GPTNeoXForCausalLM.from_pretrained(tmp_path / "m", device_map=SPLIT, offload_folder=tmp_path / "o")
    assert torch.isfinite(loaded(IDS).logits).all()


def test_disk_offload_of_bin_needs_a_folder(tmp_path):
    tiny().save_pretrained(tmp_path, safe_serialization=False)
    with pytest.raises(ValueError, match="offload_folder"):
        GPTNeoXForCausalLM.from_pretrained(tmp_path, device_map=SPLIT)


@pytest.mark.parametrize("given", ["auto", "balanced", "sequential", "cpu", torch.device("cpu"), {"": "cpu"}])
def test_device_maps(tmp_path, given):
    model = tiny()
    model.save_pretrained(tmp_path)
    loaded = GPTNeoXForCausalLM.from_pretrained(tmp_path, device_map=given)
    assert {str(device) for device in loaded.hf_device_map.values()} == {"cpu"}
    assert torch.equal(loaded(IDS).logits, model(IDS).logits)


def test_max_memory_sends_layers_to_the_disk(tmp_path):
    model = tiny(num_hidden_layers=4)
    model.save_pretrained(tmp_path)
    # accelerate puts at least the largest layer in memory.
    loaded = GPTNeoXForCausalLM.from_pretrained(
        tmp_path, device_map="auto", max_memory={"cpu": 20_000}, offload_folder=tmp_path / "offload"
    )
    assert "disk" in loaded.hf_device_map.values() and "cpu" in loaded.hf_device_map.values()
    assert torch.equal(loaded(IDS).logits, model(IDS).logits)


def test_incomplete_device_map(tmp_path):
    tiny().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="embed_out"):
        GPTNeoXForCausalLM.from_pretrained(tmp_path, device_map={"gpt_neox": "cpu"})
    with pytest.raises(ValueError, match="negative"):
        GPTNeoXForCausalLM.from_pretrained(tmp_path, device_map=-1)


def test_loading_under_another_default_device(tmp_path):
    tiny().save_pretrained(tmp_path)
    with torch.device("meta"):
        assert GPTNeoXForCausalLM.from_pretrained(tmp_path).embed_out.weight.is_meta


# -- Older ways to load --


def test_load_sharded_checkpoint(tmp_path):
    model = tiny()
    model.save_pretrained(tmp_path, max_shard_size=6000)
    other = tiny(seed=1)
    assert load_sharded_checkpoint(other, tmp_path).missing_keys == [] and same_weights(model, other)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'embed_out.weight'"):
        load_sharded_checkpoint(other.base_model, tmp_path)
    with pytest.raises(ValueError, match="Can't find a checkpoint index"):
        load_sharded_checkpoint(other, tmp_path / "nowhere")


def test_load_state_dict(tmp_path):
    tiny().save_pretrained(tmp_path / "a")
    tiny().save_pretrained(tmp_path / "b", safe_serialization=False)
    first, second = (
        load_state_dict(tmp_path / "a" / "model.safetensors"),
        load_state_dict(tmp_path / "b" / "pytorch_model.bin"),
    )
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_old_bin_files(tmp_path):
    tiny().save_pretrained(tmp_path, safe_serialization=False)
    state = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    torch.save(state, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    assert same_weights(tiny(), GPTNeoXForCausalLM.from_pretrained(tmp_path))


def test_a_weight_file_as_path(tmp_path):
    tiny().save_pretrained(tmp_path)
    loaded = GPTNeoXForCausalLM.from_pretrained(tmp_path / "model.safetensors", config=tiny().config)
    assert same_weights(tiny(), loaded)


# -- The Hub --


@pytest.mark.parametrize("size", ["5GB", 9000])
def test_from_the_hub(hub, tmp_path, size):
    model = tiny()
    model.save_pretrained(tmp_path / "m", max_shard_size=size)
    files = files_of(tmp_path / "m")
    hub.add("user/model", files)
    hub.add("user/below", {f"sub/{name}": content for name, content in files.items()}, token="hf_right")
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained("user/model"))
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained("user/below", subfolder="sub", token="hf_right"))
    asked = len(hub.requests)
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained("user/model", local_files_only=True))
    assert len(hub.requests) == asked
    with pytest.raises(OSError, match="user/model"):
        GPTNeoXForCausalLM.from_pretrained("user/model", revision="no-such")


def test_weights_are_of_the_commit_of_the_config(hub, tmp_path):
    tiny().save_pretrained(tmp_path / "m")
    repository = hub.add("user/model", files_of(tmp_path / "m"))
    GPTNeoXForCausalLM.from_pretrained("user/model")
    wanted = [path for _, path, _ in hub.asked("resolve") if path.endswith("model.safetensors")]
    assert wanted and all(f"/resolve/{repository.commit}/" in path for path in wanted)


def test_hub_without_weights_says_what_there_is(hub, tmp_path):
    tiny().save_pretrained(tmp_path / "m", variant="fp16")
    files = files_of(tmp_path / "m")
    hub.add("user/variant", files)
    hub.add("user/tf", {"config.json": files["config.json"], "tf_model.h5": b"x"})
    with pytest.raises(OSError, match=r"user/variant.*expected model.safetensors or pytorch_model.bin"):
        GPTNeoXForCausalLM.from_pretrained("user/variant")
    with pytest.raises(OSError, match=r"weights for TensorFlow"):
        GPTNeoXForCausalLM.from_pretrained("user/tf")


def test_push_to_hub(hub, tmp_path):
    model = tiny()
    model.save_pretrained(tmp_path / "model-x", push_to_hub=True, repo_id="user/pushed", token="hf_x")
    assert set(hub.repositories["user/pushed"].files) == {"config.json", "generation_config.json", "model.safetensors"}
    model.push_to_hub("pushed-too", token="hf_x", max_shard_size=9000)
    assert "model.safetensors.index.json" in hub.repositories["user/pushed-too"].files
    assert same_weights(model, GPTNeoXForCausalLM.from_pretrained("user/pushed"))


# -- Behaviour of the class --


def test_gradient_checkpointing_changes_nothing_but_memory():
    plain, checkpointed = tiny().train(), tiny().train()
    checkpointed.gradient_checkpointing_enable()
    assert checkpointed.is_gradient_checkpointing
    for model in (plain, checkpointed):
        model(IDS, labels=IDS).loss.backward()
    for a, b in zip(plain.parameters(), checkpointed.parameters()):
        assert torch.allclose(a.grad, b.grad, atol=1e-6)
    checkpointed.gradient_checkpointing_disable()
    assert not checkpointed.is_gradient_checkpointing


def test_gradient_checkpointing_arguments_reach_torch():
    seen = {}
    model = tiny().train()
    model.gradient_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": False})
    function = model.base_model._gradient_checkpointing_func
    assert function.keywords == {"use_reentrant": False, "preserve_rng_state": False} and not seen
    model.supports_gradient_checkpointing = False
    with pytest.raises(ValueError, match="does not support gradient checkpointing"):
        model.gradient_checkpointing_enable()


def test_input_gradients_with_frozen_embeddings():
    model = tiny()
    model.requires_grad_(False)
    assert not model(IDS).logits.requires_grad
    model.enable_input_require_grads()
    assert model(IDS).logits.requires_grad
    model.disable_input_require_grads()
    assert not model(IDS).logits.requires_grad


def test_memory_hooks():
    model = tiny()
    model.add_memory_hooks()
    model(IDS)
    assert model.mem_rss_post_forward >= model.mem_rss_pre_forward > 0
    model.reset_memory_hooks_state()
    assert model.mem_rss_diff == 0


def test_quantized_models_refuse_to_move():
    model = tiny()
    model.is_quantized = True
    for move in (lambda: model.to("cpu"), model.half, model.float, model.cuda):
        with pytest.raises(ValueError, match="quantized"):
            move()


def test_padding_without_mask_is_warned_of_once(told):
    model = tiny(pad_token_id=0)
    model.warn_if_padding_and_no_attention_mask(torch.tensor([[1, 2]]), None)
    model.warn_if_padding_and_no_attention_mask(torch.tensor([[1, 0]]), torch.ones(1, 2))
    assert told == []
    for _ in range(2):
        model.warn_if_padding_and_no_attention_mask(torch.tensor([[1, 0]]), None)
    assert len(told) == 1 and "attention_mask" in told[0]


def test_constructor_wants_a_config():
    with pytest.raises(ValueError, match=r"GPTNeoXModel expects a configuration.*found dict"):
        GPTNeoXModel({})


def test_quantized_checkpoints_are_refused(tmp_path):
    tiny().save_pretrained(tmp_path)
    with pytest.raises(NotImplementedError, match="Quantized"):
        GPTNeoXForCausalLM.from_pretrained(tmp_path, load_in_8bit=True)


def test_register_for_auto_class():
    class Mine(ToyModel): ...

    Mine.register_for_auto_class("AutoModelForCausalLM")
    assert Mine._auto_class == "AutoModelForCausalLM" and ToyModel._auto_class is None
    with pytest.raises(ValueError, match="AutoNothing"):
        Mine.register_for_auto_class("AutoNothing")


@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_bad_multiples(value):
    with pytest.raises(ValueError, match="pad_to_multiple_of"):
        tiny().resize_token_embeddings(12, pad_to_multiple_of=value)
