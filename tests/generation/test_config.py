"""GenerationConfig: defaults and messages of the reference, files, origins, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest

from isoform.errors import ConfigError
from isoform.generation.configuration_utils import GenerationConfig

# As the reference, version 4.36.2, has them.
DEFAULTS = {
    "max_length": 20, "max_new_tokens": None, "min_length": 0, "min_new_tokens": None, "early_stopping": False,
    "max_time": None, "do_sample": False, "num_beams": 1, "num_beam_groups": 1, "penalty_alpha": None,
    "use_cache": True, "temperature": 1.0, "top_k": 50, "top_p": 1.0, "typical_p": 1.0, "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0, "diversity_penalty": 0.0, "repetition_penalty": 1.0, "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0, "no_repeat_ngram_size": 0, "bad_words_ids": None, "force_words_ids": None,
    "renormalize_logits": False, "constraints": None, "forced_bos_token_id": None, "forced_eos_token_id": None,
    "remove_invalid_values": False, "exponential_decay_length_penalty": None, "suppress_tokens": None,
    "begin_suppress_tokens": None, "forced_decoder_ids": None, "sequence_bias": None, "guidance_scale": None,
    "low_memory": None, "num_return_sequences": 1, "output_attentions": False, "output_hidden_states": False,
    "output_scores": False, "return_dict_in_generate": False, "pad_token_id": None, "bos_token_id": None,
    "eos_token_id": None, "encoder_no_repeat_ngram_size": 0, "decoder_start_token_id": None,
    "num_assistant_tokens": 5, "num_assistant_tokens_schedule": "heuristic", "generation_kwargs": {},
    "_from_model_config": False, "transformers_version": "4.36.2",
}  # fmt: skip


def test_defaults_are_those_of_the_reference():
    assert GenerationConfig().to_dict() == DEFAULTS


def test_needs_no_torch():
    code = (
        "import sys; from isoform.generation import GenerationConfig; GenerationConfig(); print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_instances_do_not_share_values():
    GenerationConfig().generation_kwargs["a"] = 1
    assert GenerationConfig().generation_kwargs == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[({name: 0.5}, f"`{name}=0.5` has no effect")
          for name in ("temperature", "top_p", "typical_p", "epsilon_cutoff", "eta_cutoff")],
        ({"top_k": 3}, "`top_k=3` has no effect"),
        ({"temperature": None}, "`temperature=None` has no effect"),
        ({"early_stopping": True}, "`early_stopping=True` has no effect"),
        ({"early_stopping": "never"}, "`early_stopping=never` has no effect"),
        ({"num_beam_groups": 2}, "`num_beam_groups=2` has no effect"),
        ({"diversity_penalty": 1.0}, "`diversity_penalty=1.0` has no effect"),
        ({"length_penalty": 2.0}, "`length_penalty=2.0` has no effect"),
        ({"constraints": []}, "`constraints=[]` has no effect"),
        ({"num_beams": None}, "`num_beams` is None: taken as 1."),
    ],
)  # fmt: skip
def test_options_without_effect_are_reported(options, message):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        GenerationConfig(**options)
    assert len(caught) == 1
    assert message in str(caught[0].message)
    assert "taken as" in message or "most likely by a generation_config.json" in str(caught[0].message)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"do_sample": True, "temperature": 0.5, "top_k": 0, "num_return_sequences": 3},
        {"penalty_alpha": 0.6, "top_k": 4},
        {"num_beams": 4, "early_stopping": "never", "length_penalty": 2.0, "num_return_sequences": 4},
        {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
        {"foo": 1},
    ],
)
def test_sensible_options_are_silent(options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = GenerationConfig(**options)
    assert {name: getattr(config, name) for name in options} == options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"early_stopping": "x"}, "`early_stopping` must be True, False or 'never', found 'x'."),
        ({"early_stopping": None}, "`early_stopping` must be True, False or 'never', found None."),
        (
            {"num_beams": 4, "constraints": [1], "do_sample": True},
            "does not go with `do_sample=True`",
        ),
        (
            {"num_beams": 4, "constraints": [1], "num_beam_groups": 2},
            "does not go with `num_beam_groups=2`",
        ),
        ({"num_beams": 4, "num_beam_groups": 2}, "`diversity_penalty` must be above 0.0"),
        (
            {"num_beams": 4, "num_beam_groups": 2, "do_sample": True, "diversity_penalty": 1.0},
            "`do_sample` must be set to `False`",
        ),
        (
            {"num_beams": 4, "num_beam_groups": 3, "diversity_penalty": 1.0},
            "`num_beams` should be divisible by `num_beam_groups`",
        ),
        ({"num_return_sequences": 2}, "`num_return_sequences` must be 1, found 2."),
        ({"num_return_sequences": 5, "num_beams": 4}, "`num_return_sequences` (5) must not exceed"),
        ({"streamer": 1}, "`streamer` is an argument of `generate()`"),
        ({"logits_processor": None}, "`logits_processor` is an argument of `generate()`"),
    ],
)
def test_contradictions_are_refused(options, message):
    with pytest.raises(ValueError) as caught:
        GenerationConfig(**options)
    assert message in str(caught.value)


def test_file_holds_what_differs(tmp_path):
    config = GenerationConfig(do_sample=True, top_k=3, foo={"b": [1, None]}, eos_token_id=[1, 2])
    config.save_pretrained(tmp_path / "new")
    assert os.listdir(tmp_path / "new") == ["generation_config.json"]
    content = json.loads((tmp_path / "new/generation_config.json").read_text())
    assert content == {
        "do_sample": True,
        "eos_token_id": [1, 2],
        "foo": {"b": [1, None]},
        "top_k": 3,
        "transformers_version": "4.36.2",
    }
    assert GenerationConfig.from_pretrained(tmp_path / "new") == config
    assert GenerationConfig.from_json_file(tmp_path / "new/generation_config.json") == config
    config.save_pretrained(tmp_path, "other.json")
    assert GenerationConfig.from_pretrained(tmp_path, "other.json") == config
    assert GenerationConfig.from_pretrained(str(tmp_path), subfolder="new") == config


def test_arguments_override_the_file(tmp_path):
    GenerationConfig(max_length=7, foo=1).save_pretrained(tmp_path)
    config, unused = GenerationConfig.from_pretrained(tmp_path, max_length=9, bar=2, return_unused_kwargs=True)
    assert (config.max_length, config.foo, config.bar, unused) == (9, 1, 2, {})


def test_sequence_bias_survives_the_file(tmp_path):
    config = GenerationConfig(sequence_bias={(1, 2): -1.5, (3,): 2.0})
    config.save_pretrained(tmp_path)
    assert GenerationConfig.from_pretrained(tmp_path).sequence_bias == {(1, 2): -1.5, (3,): 2.0}


def test_invalid_options_are_not_saved(tmp_path):
    config = GenerationConfig(do_sample=True, top_k=3)
    config.do_sample = False
    with pytest.warns(UserWarning, match="generation config instance is invalid"):
        config.save_pretrained(tmp_path)
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match="is a file"):
        (tmp_path / "file").touch()
        GenerationConfig().save_pretrained(tmp_path / "file")


def test_objects_are_not_written(tmp_path):
    config = GenerationConfig(num_beams=2, constraints=[SimpleNamespace(ids=1)])
    with pytest.raises(TypeError, match="SimpleNamespace cannot be written to JSON"):
        config.save_pretrained(tmp_path)
    assert os.listdir(tmp_path) == []
    assert "SimpleNamespace" in repr(config)
    assert config == config
    assert config != GenerationConfig(num_beams=2, constraints=[SimpleNamespace(ids=2)])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('{"max_length": "20"}', ["'max_length'", "int", "'20'"]),
        ('{"do_sample": 1}', ["'do_sample'", "bool", "1"]),
        ('{"max_length": true}', ["'max_length'", "int", "True"]),
        ('{"temperature": "hot"}', ["'temperature'", "float", "'hot'"]),
        ('{"eos_token_id": [1, "a"]}', ["'eos_token_id'", "int | list[int]"]),
        ('{"bad_words_ids": [1]}', ["'bad_words_ids'", "list[list[int]]"]),
        ('{"sequence_bias": {"a b": 1.0}}', ["'sequence_bias'", "'a b'"]),
        ("[1]", ["JSON object", "list"]),
    ],
)
def test_wrong_types_name_file_and_field(tmp_path, content, parts):
    path = tmp_path / "generation_config.json"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        GenerationConfig.from_pretrained(tmp_path)
    assert all(part in str(caught.value) for part in [str(path), *parts])


@pytest.mark.parametrize(
    "content",
    [
        '{"max_length": null, "temperature": 1, "eos_token_id": 3, "unknown": {"x": "y"}}',
        '{"eos_token_id": [1], "forced_decoder_ids": [[1, null], [2, 5]], "length_penalty": 1}',
        '{"force_words_ids": [[1, 2], [[3], [4]]], "exponential_decay_length_penalty": [5, 1.1]}',
        '{"early_stopping": "never", "num_beams": 2, "max_time": 3}',
    ],
)
def test_right_types_are_taken(tmp_path, content):
    (tmp_path / "generation_config.json").write_text(content)
    config = GenerationConfig.from_pretrained(tmp_path)
    assert json.loads(content).items() <= config.to_dict().items()


@pytest.mark.parametrize("content", ['{"a":', "", "\udcff"])
def test_broken_file_is_named(tmp_path, content):
    path = tmp_path / "generation_config.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(OSError, match="is not a valid JSON file") as caught:
        GenerationConfig.from_pretrained(tmp_path)
    assert str(path) in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(OSError, match=r"generation_config\.json"):
        GenerationConfig.from_pretrained(tmp_path)


class ModelConfig(SimpleNamespace):
    def to_dict(self):
        return dict(vars(self))


def test_model_configuration_is_read():
    config = GenerationConfig.from_model_config(ModelConfig(max_length=50, bos_token_id=3, hidden_size=8))
    assert (config.max_length, config.bos_token_id, config._from_model_config) == (50, 3, True)
    assert not hasattr(config, "hidden_size")
    assert config._original_object_hash == hash(config)
    config.max_length = 51
    assert config._original_object_hash != hash(config)
    assert "_original_object_hash" not in config.to_dict()


def test_nested_decoder_fills_what_the_outer_one_leaves_open():
    outer = ModelConfig(max_length=30, decoder={"max_length": 9, "bos_token_id": 77, "vocab_size": 5})
    config = GenerationConfig.from_model_config(outer)
    assert (config.max_length, config.bos_token_id) == (30, 77)


def test_from_dict_and_update():
    config, unused = GenerationConfig.from_dict({"max_length": 4, "q": 3}, return_unused_kwargs=True, max_time=2.0)
    assert (config.max_length, config.q, config.max_time, unused) == (4, 3, 2.0, {})
    assert config.update(max_length=5, zz=3) == {"zz": 3}
    assert config.max_length == 5
    assert not hasattr(config, "zz")


def test_equality_ignores_the_origin():
    config = GenerationConfig(max_length=7)
    same = GenerationConfig(max_length=7, _commit_hash="a", transformers_version="1")
    assert config == same
    assert hash(config) == hash(same)
    assert config != GenerationConfig(max_length=8)
    assert config != 7


def test_json_text():
    config = GenerationConfig(max_length=3, torch_dtype=type("dtype", (), {"__str__": lambda self: "torch.float16"})())
    assert config.to_json_string(ignore_metadata=True) == '{\n  "max_length": 3,\n  "torch_dtype": "float16"\n}\n'
    assert repr(GenerationConfig()) == "GenerationConfig {}\n"
    assert json.loads(GenerationConfig().to_json_string(use_diff=False)) == DEFAULTS
    assert GenerationConfig(max_length=3, q=1).to_diff_dict() == {
        "max_length": 3,
        "q": 1,
        "transformers_version": "4.36.2",
    }


def test_own_options_are_written_only_where_set(tmp_path):
    GenerationConfig(compile_decoding=True).save_pretrained(tmp_path)
    config = GenerationConfig.from_pretrained(tmp_path)
    assert config.compile_decoding is True
    assert "compile_decoding" not in GenerationConfig().to_dict()


def test_push_uploads_what_was_written(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        GenerationConfig, "_create_repo", lambda self, repo, **kw: calls.append((repo, kw)) or "me/repo"
    )
    monkeypatch.setattr(GenerationConfig, "_upload_modified_files", lambda self, *a, **kw: calls.append((a, kw)))
    config = GenerationConfig(max_length=3)
    config.save_pretrained(tmp_path / "repo", push_to_hub=True, commit_message="new", token="t", private=True)
    (name, created), ((folder, repo, before), uploaded) = calls
    assert (name, created) == ("repo", {"token": "t", "private": True})
    assert (folder, repo, before, uploaded) == (
        tmp_path / "repo",
        "me/repo",
        {},
        {"commit_message": "new", "token": "t"},
    )
    assert (tmp_path / "repo/generation_config.json").exists()
