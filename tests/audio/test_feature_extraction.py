"""`BatchFeature`, loading and saving of feature extractors, CLAP's preparation of sounds, and its fusion."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch

import isoform
from isoform import AutoFeatureExtractor, BatchFeature, ClapFeatureExtractor, Wav2Vec2FeatureExtractor
from isoform.errors import ConfigError


def test_batch_feature_is_a_dictionary():
    batch = BatchFeature({"input_values": [np.ones(3, np.float32)] * 2, "ids": [[1], [2]]}, tensor_type="pt")
    assert batch.input_values.shape == (2, 3) and batch["ids"].dtype == torch.int64
    assert dict(**batch).keys() == batch.keys() == pickle.loads(pickle.dumps(batch)).keys()
    half = batch.to("cpu", torch.float16)
    assert half.input_values.dtype == torch.float16 and half.ids.dtype == torch.int64
    assert batch.to(torch.float64).input_values.dtype == torch.float64
    with pytest.raises(KeyError, match="input_values"):
        batch[0]
    with pytest.raises(AttributeError, match="nothing"):
        _ = batch.nothing
    with pytest.raises(ValueError, match="padding=True"):
        BatchFeature({"x": [[1.0], [1.0, 2.0]]}, tensor_type="pt")
    with pytest.raises(ValueError, match="device"):
        batch.to(3.5)


def test_saving_and_loading(tmp_path):
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=8000, do_normalize=False, my_own=[1, 2])
    (path,) = extractor.save_pretrained(tmp_path)
    loaded, unused = Wav2Vec2FeatureExtractor.from_pretrained(
        tmp_path, padding_side="left", unknown=3, return_unused_kwargs=True
    )
    assert loaded.to_dict() == {**extractor.to_dict(), "padding_side": "left"} and unused == {"unknown": 3}
    found = AutoFeatureExtractor.from_pretrained(path)
    assert type(found) is Wav2Vec2FeatureExtractor and found.my_own == [1, 2]


def test_class_follows_from_the_configuration(tmp_path):
    ClapFeatureExtractor(max_length_s=1).save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    settings = json.loads(file.read_text())
    assert "mel_filters" not in settings
    del settings["feature_extractor_type"]
    file.write_text(json.dumps(settings))
    isoform.ClapConfig().save_pretrained(tmp_path)
    assert type(AutoFeatureExtractor.from_pretrained(tmp_path)) is ClapFeatureExtractor
    isoform.GPT2Config().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="feature_extractor_type"):
        AutoFeatureExtractor.from_pretrained(tmp_path)


def test_broken_files_are_named(tmp_path):
    file = tmp_path / "preprocessor_config.json"
    with pytest.raises(OSError, match=r"preprocessor_config\.json"):
        Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)
    for text, error in (("{", OSError), ("[1]", OSError), ('{"pad": 1}', ConfigError)):
        file.write_text(text)
        with pytest.raises(error, match=r"preprocessor_config\.json"):
            Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)
    with pytest.raises(AssertionError, match="directory"):
        Wav2Vec2FeatureExtractor().save_pretrained(file)


@pytest.mark.parametrize("make", [Wav2Vec2FeatureExtractor, ClapFeatureExtractor])
def test_wrong_sounds(make):
    with pytest.raises(ValueError, match="sampling rate"):
        make()(np.zeros(10), sampling_rate=11025)
    with pytest.raises(ValueError, match="mono"):
        make()(np.zeros((2, 3, 10)), sampling_rate=make().sampling_rate)


@torch.no_grad()
def test_fusion_leaves_short_sounds_as_they_are():
    torch.manual_seed(0)
    config = isoform.ClapAudioConfig(
        spec_size=32, num_mel_bins=16, patch_size=4, patch_embeds_hidden_size=8, depths=[1, 1], hidden_size=16,
        num_attention_heads=[1, 2], window_size=4, enable_fusion=True, aff_block_r=2,
    )  # fmt: skip
    model = isoform.ClapAudioModel(config).eval()
    sounds = torch.randn(3, 4, 64, 16)
    short = model(sounds, is_longer=torch.tensor([[False]] * 3)).pooler_output
    mixed = model(sounds, is_longer=torch.tensor([[False], [True], [False]])).pooler_output
    assert torch.equal(short[[0, 2]], mixed[[0, 2]]) and not torch.allclose(short[1], mixed[1])
    with pytest.raises(ValueError, match="is_longer"):
        model(sounds)
    with pytest.raises(ValueError, match="frames"):
        model(torch.randn(1, 4, 65, 16), is_longer=torch.tensor([True]))
