"""What the user is told about wrong input: the argument, what was expected and what was found."""

from __future__ import annotations

import warnings

import pytest
import torch

from isoform import AutoConfig, AutoTokenizer, GenerationConfig, GPT2Config, GPT2LMHeadModel, OPTConfig, OPTForCausalLM
from isoform.checkpoints import dispatch


@pytest.fixture(scope="module")
def model():
    return GPT2LMHeadModel(GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=1, n_head=2)).eval()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    model.save_pretrained(path)
    return path


def test_a_misspelt_argument_names_the_class_and_the_nearest_option(folder):
    with pytest.raises(TypeError, match=r"GPT2LMHeadModel.*'torch_dtyp'.*GPT2Config.*mean 'torch_dtype'"):
        GPT2LMHeadModel.from_pretrained(folder, torch_dtyp="auto")
    with pytest.raises(TypeError, match=r"'n_layers'.*mean 'n_layer'"):
        GPT2LMHeadModel.from_pretrained(folder, n_layers=2)


@pytest.mark.parametrize("path", ["./nothere", "../nothere", "/abs/none", "~/none", "C:\\none"])
@pytest.mark.parametrize("auto", [AutoConfig, AutoTokenizer, GPT2LMHeadModel, GenerationConfig])
def test_an_absent_folder_is_no_repository_name(auto, path):
    with pytest.raises(OSError, match="no such folder") as caught:
        auto.from_pretrained(path)
    assert path in str(caught.value)


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("num_beams", "two", "int"),
        ("num_beams", 2.5, "int"),
        ("temperature", "hot", "float"),
        ("do_sample", [True], "bool"),
        ("max_new_tokens", {}, "int"),
        ("num_assistant_tokens_schedule", 3, "str"),
    ],
)
def test_an_option_of_the_wrong_type_is_named(name, value, expected):
    with pytest.raises(ValueError, match=f"`{name}` must be of type {expected}, found .* of type"):
        GenerationConfig(**{name: value})


def test_numbers_of_all_kinds_are_options():
    GenerationConfig(max_length=torch.tensor(4), temperature=1, pad_token_id=torch.tensor(3), max_time=2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without CUDA")
@pytest.mark.parametrize("device_map", ["cuda", "cuda:1", {"": "cuda"}])
def test_a_device_map_without_cuda(folder, device_map):
    with pytest.raises(ValueError, match=r"device_map='cuda.*CUDA"):
        GPT2LMHeadModel.from_pretrained(folder, device_map=device_map)


def test_a_device_map_that_names_nothing():
    with pytest.raises(ValueError, match=r"device_map='somewhere'.*'auto'"):
        dispatch.normalized_device_map("somewhere")


@pytest.mark.parametrize("ids", [[[1, 2]], (1, 2), torch.tensor([[1, 2]]).numpy()])
def test_input_ids_that_are_no_tensor(model, ids):
    with pytest.raises(TypeError, match=r"input_ids must be a torch"):
        model(ids)
    with pytest.raises(TypeError, match=r"model\(\*\*inputs\)"):
        model({"input_ids": ids})


@pytest.mark.parametrize("wrong", [11, -1])
def test_ids_out_of_the_vocabulary(model, wrong):
    with pytest.raises(ValueError, match=f"contains {wrong}, .*11 ids.*resize_token_embeddings"):
        model.generate(torch.tensor([[1, wrong]]), max_new_tokens=1, pad_token_id=0)


def test_prompts_longer_than_the_learned_positions(model):
    opt = OPTForCausalLM(
        OPTConfig(
            vocab_size=11, max_position_embeddings=8, hidden_size=8, ffn_dim=8, num_hidden_layers=1,
            num_attention_heads=2, word_embed_proj_dim=8,
        )
    ).eval()  # fmt: skip
    ids = torch.full((1, 9), 3)
    for each in (model, opt):
        with pytest.raises(ValueError, match=r"9 tokens.*learned positions for 8"):
            each.generate(ids, max_new_tokens=1, pad_token_id=0)
        # Padding takes no position, and the last one may be used.
        mask = (torch.arange(9) > 0).long()[None]
        assert each.generate(ids, attention_mask=mask, max_new_tokens=1, pad_token_id=0).shape == (1, 10)


def test_an_offloaded_model_is_nowhere_but_takes_input_from_the_cpu(model, monkeypatch):
    monkeypatch.setattr(type(model), "device", property(lambda self: torch.device("meta")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.generate(torch.tensor([[1, 2]]), max_new_tokens=1, pad_token_id=0)
