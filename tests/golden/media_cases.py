"""Tiny pipelines over texts, images and sounds for the encoders, encoder-decoders, vision and audio models.

As in `pipeline_cases.py`, of which this is the continuation, builders take the package as their argument.
"""

from __future__ import annotations

import base64
import io
import json
import tempfile
import wave
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .fill_weights import fill_weights
from .pipeline_cases import LONG, NER_LABELS, NO_TYPES, TEXTS, _labels, word_tokenizer

TEXT_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 80,
}
BART_SIZES = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "decoder_start_token_id": 3,
    "forced_eos_token_id": 3,
}
T5_SIZES = {
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 37,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "pad_token_id": 0,
    "eos_token_id": 3,
    "decoder_start_token_id": 0,
}
VISION_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "image_size": 32,
    "patch_size": 8,
}
SOUND_SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "conv_dim": [16, 16, 16],
    "conv_kernel": [8, 4, 4],
    "conv_stride": [5, 4, 4],
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
TOKENIZERS = Path(__file__).parent / "tokenizers"
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJ"]
SQUARE = {"height": 32, "width": 32}


def built(lib: Any, name: str, **config: Any) -> Any:
    """A model of that class with deterministic weights."""
    model_class = getattr(lib, name)
    return fill_weights(model_class(model_class.config_class(**config))).eval()


def text_pipe(lib: Any, task: str, name: str, sizes: dict[str, Any], **config: Any) -> Any:
    """A text pipeline around a model of that class."""
    types = {} if name.startswith("Bert") else {"model_input_names": NO_TYPES}
    tokenizer = word_tokenizer(lib, mask_token="[MASK]", **types)
    model = built(lib, name, vocab_size=len(tokenizer), **{"pad_token_id": 0, **sizes, **config})
    return lib.pipeline(task, model=model, tokenizer=tokenizer)


def image_pipe(lib: Any, task: str, name: str, processor: Any, **config: Any) -> Any:
    """An image pipeline around a model of that class."""
    return lib.pipeline(task, model=built(lib, name, **{**VISION_SIZES, **config}), image_processor=processor)


def translation_tokenizer(lib: Any) -> Any:
    """A tokenizer of several languages in miniature: it builds the inputs of translations itself."""
    tokenizer = word_tokenizer(lib)

    def build(text: str, return_tensors: Any, src_lang: str, tgt_lang: str, **options: Any) -> Any:
        if src_lang is None or tgt_lang is None:
            raise ValueError("both languages are needed")
        inputs = tokenizer(f"{src_lang} {text}", return_tensors=return_tensors, **options)
        inputs.pop("token_type_ids", None)
        inputs["forced_bos_token_id"] = tokenizer.convert_tokens_to_ids(tgt_lang)
        return inputs

    tokenizer._build_translation_inputs = build
    return tokenizer


def translator(lib: Any, task: str) -> Any:
    """A translation pipeline whose tokenizer knows languages ("paris" and "london")."""
    tokenizer = translation_tokenizer(lib)
    model = built(lib, "BartForConditionalGeneration", vocab_size=len(tokenizer), **BART_SIZES)
    return lib.pipeline(task, model=model, tokenizer=tokenizer)


def multilingual(lib: Any, tokenizer: Any) -> Any:
    """A translation pipeline around M2M100 with a tokenizer of many languages."""
    sizes = {**BART_SIZES, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": 0, "eos_token_id": 2}
    sizes |= {"decoder_start_token_id": 2, "forced_eos_token_id": None}
    model = built(lib, "M2M100ForConditionalGeneration", vocab_size=len(tokenizer) + 128, **sizes)
    return lib.pipeline("translation", model=model, tokenizer=tokenizer)


def depth(lib: Any) -> Any:
    """DPT."""
    sizes = {"neck_hidden_sizes": [16, 16, 32, 32], "fusion_hidden_size": 32}
    layers = {"num_hidden_layers": 4, "backbone_out_indices": [0, 1, 2, 3]}
    model = built(lib, "DPTForDepthEstimation", **{**VISION_SIZES, **sizes, **layers})
    model.state_dict()["head.head.4.bias"].fill_(1.5)  # nothing is nearer than zero
    return lib.pipeline("depth-estimation", model=model, image_processor=lib.DPTImageProcessor(size=SQUARE))


def captioner(lib: Any) -> Any:
    """ViT and GPT-2."""
    tokenizer = word_tokenizer(lib)
    encoder = lib.ViTConfig(**VISION_SIZES)
    decoder = lib.GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=2, eos_token_id=3
    )
    config = lib.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 0, 3
    model = fill_weights(lib.VisionEncoderDecoderModel(config)).eval()
    processor = lib.ViTImageProcessor(size=SQUARE)
    parts = {"tokenizer": tokenizer, "image_processor": processor, "feature_extractor": processor}
    return lib.pipeline("image-to-text", model=model, **parts)


def clip(lib: Any) -> Any:
    """CLIP."""
    tokenizer = word_tokenizer(lib, model_input_names=NO_TYPES)
    config = {
        "text_config": {**TEXT_SIZES, "vocab_size": len(tokenizer), "eos_token_id": 3, "bos_token_id": 2},
        "vision_config": VISION_SIZES,
        "projection_dim": 24,
    }
    processor = lib.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SQUARE)
    model = built(lib, "CLIPModel", **config)
    return lib.pipeline("zero-shot-image-classification", model=model, tokenizer=tokenizer, image_processor=processor)


def clap(lib: Any) -> Any:
    """CLAP."""
    tokenizer = word_tokenizer(lib, model_input_names=NO_TYPES)
    audio = {
        "image_size": 60,
        "spec_size": 64,
        "num_mel_bins": 16,
        "hidden_size": 32,
        "patch_embeds_hidden_size": 16,
        "depths": [2, 2],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "patch_size": 2,
        "patch_stride": 2,
        "window_size": 4,
        "freq_ratio": 2,
        "projection_dim": 24,
    }
    text = {**TEXT_SIZES, "vocab_size": len(tokenizer), "projection_dim": 24}
    extractor = lib.ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=8000,
        hop_length=160,
        max_length_s=1,
        fft_window_size=256,
        frequency_max=4000,
        truncation="rand_trunc",
    )
    model = built(lib, "ClapModel", text_config=text, audio_config=audio, projection_dim=24)
    return lib.pipeline("zero-shot-audio-classification", model=model, tokenizer=tokenizer, feature_extractor=extractor)


def speech(lib: Any, task: str, name: str, norm: str = "group", **config: Any) -> Any:
    """Wav2Vec2, of 8000 samples a second and 100 frames a second."""
    extractor = lib.Wav2Vec2FeatureExtractor(
        sampling_rate=8000, do_normalize=True, return_attention_mask=norm == "layer"
    )
    more = {}
    if task == "automatic-speech-recognition":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "vocab.json")
            path.write_text(json.dumps({letter: index for index, letter in enumerate(LETTERS)}))
            more["tokenizer"] = lib.Wav2Vec2CTCTokenizer(str(path))
    sizes = {**SOUND_SIZES, "vocab_size": len(LETTERS), "feat_extract_norm": norm, **config}
    model = built(lib, name, **sizes)
    return lib.pipeline(task, model=model, feature_extractor=extractor, **more)


class StandIn(torch.nn.Module):
    """What a pipeline needs of a model, for tasks that only architectures to come serve."""

    device = torch.device("cpu")

    def __init__(self, config: Any, outputs: Callable[..., dict[str, torch.Tensor]], output_class: Any) -> None:
        super().__init__()
        self.config, self.outputs, self.output_class = config, outputs, output_class

    def can_generate(self) -> bool:
        return False

    def forward(self, pixel_values: torch.Tensor, **inputs: torch.Tensor) -> Any:
        """Outputs that depend on all inputs."""
        tone = pixel_values.mean((1, 2, 3))
        if "input_ids" in inputs:
            mask = inputs["attention_mask"]
            tone = tone + (inputs["input_ids"] * mask).sum(1) / mask.sum(1)
        return self.output_class(self.outputs(tone, pixel_values))


def stand_in(lib: Any, name: str, outputs: Callable[..., dict[str, torch.Tensor]], **config: Any) -> Any:
    """A pipeline of that class around a stand-in."""
    tokenizer = word_tokenizer(lib)
    processor = lib.YolosImageProcessor(size={"shortest_edge": 40, "longest_edge": 48})
    model = StandIn(lib.PretrainedConfig(**config), outputs, lib.utils.ModelOutput)
    return getattr(lib, name)(model=model, tokenizer=tokenizer, image_processor=processor, framework="pt")


def _answers(tone: torch.Tensor, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"logits": torch.sin(tone[:, None] * torch.arange(1, 4))}


def _boxes(tone: torch.Tensor, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    spread = tone[:, None, None] * torch.arange(1, 7)[:, None] * torch.arange(1, 5) / 7
    return {"logits": 3 * spread.cos()[..., :2], "pred_boxes": spread.sin().abs() / 2 + 0.2}


def _changed(tone: torch.Tensor, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"reconstruction": (pixels * 0.6 + tone[:, None, None, None]).repeat_interleave(2, 3)}


PIPELINES: dict[str, Callable[[Any], Any]] = {
    "fill": lambda lib: text_pipe(lib, "fill-mask", "BertForMaskedLM", TEXT_SIZES),
    "fill_roberta": lambda lib: text_pipe(lib, "fill-mask", "RobertaForMaskedLM", TEXT_SIZES),
    "bert_classify": lambda lib: text_pipe(
        lib, "text-classification", "BertForSequenceClassification", TEXT_SIZES, **_labels("bad", "so", "good")
    ),
    "bert_ner": lambda lib: text_pipe(lib, "ner", "BertForTokenClassification", TEXT_SIZES, **_labels(*NER_LABELS)),
    "bert_qa": lambda lib: text_pipe(lib, "question-answering", "BertForQuestionAnswering", TEXT_SIZES),
    "bert_features": lambda lib: text_pipe(lib, "feature-extraction", "BertModel", TEXT_SIZES),
    "bart_zero_shot": lambda lib: text_pipe(
        lib,
        "zero-shot-classification",
        "BartForSequenceClassification",
        BART_SIZES,
        **_labels("contradiction", "neutral", "entailment"),
    ),
    "rewrite": lambda lib: text_pipe(lib, "text2text-generation", "T5ForConditionalGeneration", T5_SIZES),
    "rewrite_prefix": lambda lib: text_pipe(
        lib,
        "text2text-generation",
        "T5ForConditionalGeneration",
        T5_SIZES,
        prefix="the old ",
        task_specific_params={"text2text-generation": {"max_length": 7}},
    ),
    "summarize": lambda lib: text_pipe(lib, "summarization", "BartForConditionalGeneration", BART_SIZES),
    "translate_t5": lambda lib: text_pipe(
        lib,
        "translation_en_to_fr",
        "T5ForConditionalGeneration",
        T5_SIZES,
        task_specific_params={"translation_en_to_fr": {"prefix": "where is ", "max_length": 12}},
    ),
    "translate": lambda lib: translator(lib, "translation"),
    "translate_task": lambda lib: translator(lib, "translation_paris_to_london"),
    "translate_m2m": lambda lib: multilingual(
        lib, lib.M2M100Tokenizer(str(TOKENIZERS / "m2m_100" / "vocab.json"), str(TOKENIZERS / "unigram.model"))
    ),
    "translate_nllb": lambda lib: multilingual(lib, lib.NllbTokenizer(str(TOKENIZERS / "unigram.model"))),
    "see": lambda lib: image_pipe(
        lib,
        "image-classification",
        "ViTForImageClassification",
        lib.ViTImageProcessor(size=SQUARE),
        **_labels("cat", "dog", "cow"),
    ),
    "segment": lambda lib: image_pipe(
        lib,
        "image-segmentation",
        "BeitForSemanticSegmentation",
        lib.BeitImageProcessor(size=SQUARE, do_center_crop=False),
        num_hidden_layers=4,
        out_indices=[1, 2, 3, 4],
        pool_scales=[1, 2],
        use_mask_token=False,
        auxiliary_channels=16,
        **_labels("sky", "sea", "land"),
    ),
    "detect": lambda lib: image_pipe(
        lib,
        "object-detection",
        "YolosForObjectDetection",
        lib.YolosImageProcessor(size={"shortest_edge": 40, "longest_edge": 48}),
        image_size=[40, 48],
        num_detection_tokens=10,
        **_labels("cat", "dog", "cow"),
    ),
    "depth": depth,
    "caption": captioner,
    "clip": clip,
    "clap": clap,
    "ask": lambda lib: stand_in(lib, "VisualQuestionAnsweringPipeline", _answers, **_labels("yes", "no", "two")),
    "find": lambda lib: stand_in(lib, "ZeroShotObjectDetectionPipeline", _boxes),
    "change": lambda lib: stand_in(lib, "ImageToImagePipeline", _changed),
    "hear": lambda lib: speech(
        lib,
        "audio-classification",
        "Wav2Vec2ForSequenceClassification",
        classifier_proj_size=12,
        **_labels("yes", "no", "stop"),
    ),
    "write": lambda lib: speech(lib, "automatic-speech-recognition", "Wav2Vec2ForCTC"),
    "write_layer": lambda lib: speech(
        lib, "automatic-speech-recognition", "Wav2Vec2ForCTC", "layer", do_stable_layer_norm=True
    ),
}


def picture(width: int = 48, height: int = 36, seed: int = 0) -> np.ndarray:
    """A drawn image, (height, width, 3): a gradient with a disc, a square and some noise."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([255 * x / width, 255 * y / height, 128 + 0 * x], -1)
    image[(x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (220, 30, 40)
    image[height // 8 : height // 3, width // 2 : width * 3 // 4] = (20, 200, 90)
    noise = np.random.default_rng(seed).integers(-12, 12, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def photo(width: int = 48, height: int = 36, seed: int = 0) -> Any:
    """The same as a PIL image."""
    from PIL import Image

    return Image.fromarray(picture(width, height, seed))


def sound(seconds: float = 0.4, rate: int = 8000, seed: int = 0) -> np.ndarray:
    """A sound whose pitch changes, (samples,)."""
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    pitch = 200 + 150 * np.floor(time * 10) + 40 * seed
    return (0.5 * np.sin(2 * np.pi * pitch * time) + 0.02 * noise).astype(np.float32)


def wav(samples: np.ndarray, rate: int = 8000) -> bytes:
    """A WAV file of 16-bit samples."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


MASK = "the [MASK] sat on the mat"
TWO_MASKS = "the [MASK] sat on the [MASK]"
ZOO = ["cat", "dog", "river"]
ASK = {"question": "where did john run ?", "context": "the cat sat on the mat . john smith ran to london"}
Call = tuple[str, Callable[[], tuple[Any, ...]], dict[str, Any]]


def _call(pipe: str, *args: Any, **kwargs: Any) -> Call:
    return pipe, lambda: args, kwargs


# Sizes that the image processor of a pipeline leaves as they are: resizing may differ in the last bit of a pixel. The
# others are resized.
KEPT_SIZES = {"see": [(32, 32)], "caption": [(32, 32)], "clip": [(32, 32)], "detect": [(48, 40), (40, 40), (48, 40)]}
OTHER_SIZES = [(48, 36), (30, 40), (48, 36), (40, 40)]


def _photos(pipe: str, count: int = 1, **kwargs: Any) -> Call:
    """A call with one image, or with a list of several."""
    sizes = KEPT_SIZES.get(pipe, OTHER_SIZES)
    photos = lambda: [photo(*sizes[index % len(sizes)], seed=index) for index in range(count)]
    return pipe, lambda: (photos() if count > 1 else photos()[0],), kwargs


def _sounds(pipe: str, *seconds: float, **kwargs: Any) -> Call:
    """A call with one sound, or with a list of several lengths."""
    if len(seconds) == 1:
        return pipe, lambda: (sound(seconds[0]),), kwargs
    return pipe, lambda: ([sound(length, seed=i) for i, length in enumerate(seconds)],), kwargs


CALLS: dict[str, Call] = {
    "fill": _call("fill", MASK),
    "fill list": _call("fill", [MASK]),
    "fill many": _call("fill", [MASK, TWO_MASKS, "[MASK] ran"]),
    "fill top 2": _call("fill", MASK, top_k=2),
    "fill targets": _call("fill", MASK, targets=["cat", "dog", "river"]),
    "fill one target": _call("fill", MASK, targets="cat"),
    "fill strange targets": _call("fill", [MASK, MASK], targets=["dogs", "cat", "cat", "johnoh"], top_k=2),
    "fill empty targets": _call("fill", MASK, targets=[]),
    "fill empty target": _call("fill", MASK, targets=""),
    "fill two masks": _call("fill", TWO_MASKS, top_k=2),
    "fill two masks targets": _call("fill", TWO_MASKS, targets=["cat", "dog"]),
    "fill batch": _call("fill", [MASK, TEXTS[2] + " [MASK]", "[MASK] ran"], batch_size=2, top_k=3),
    "fill without mask": _call("fill", TEXTS[0]),
    "fill truncated": _call("fill", "[MASK] " + LONG, tokenizer_kwargs={"truncation": True, "max_length": 9}),
    "fill roberta": _call("fill_roberta", TWO_MASKS, top_k=3),
    "bert classify": _call("bert_classify", TEXTS, top_k=None),
    "bert ner": _call("bert_ner", TEXTS, aggregation_strategy="simple"),
    "bert qa": _call("bert_qa", ASK, top_k=2),
    "bert features": _call("bert_features", ["a dog", "the cat sat"]),
    "bart zero shot": _call("bart_zero_shot", TEXTS[0], candidate_labels=["sports", "science"]),
    "rewrite": _call("rewrite", TEXTS[0], max_new_tokens=6),
    "rewrite many": _call("rewrite", TEXTS, max_new_tokens=6),
    "rewrite batch": _call("rewrite", TEXTS, max_new_tokens=6, batch_size=2),
    "rewrite two": _call("rewrite", TEXTS[:2], max_new_tokens=5, num_beams=3, num_return_sequences=2),
    "rewrite ids": _call("rewrite", TEXTS[1], max_new_tokens=5, return_tensors=True),
    "rewrite stop": _call("rewrite", TEXTS[1], max_new_tokens=9, stop_sequence="is"),
    "rewrite truncated": _call("rewrite", LONG, max_new_tokens=4, truncation=True),
    "rewrite clean": _call("rewrite", TEXTS[2], max_new_tokens=4, clean_up_tokenization_spaces=True),
    "rewrite number": _call("rewrite", 4),
    "rewrite prefix": _call("rewrite_prefix", TEXTS[:2]),
    "summarize": _call("summarize", LONG, max_length=9, min_length=3, num_beams=2),
    "summarize many": _call("summarize", [LONG, TEXTS[0]], max_length=9, min_length=3),
    "summarize batch": _call("summarize", [LONG, TEXTS[0], TEXTS[1]], max_length=9, batch_size=3),
    "translate t5": _call("translate_t5", TEXTS[:2]),
    "translate": _call("translate", TEXTS[0], src_lang="paris", tgt_lang="london", max_length=9),
    "translate many": _call("translate", TEXTS, src_lang="paris", tgt_lang="london", max_length=9),
    "translate batch": _call("translate", TEXTS, src_lang="paris", tgt_lang="london", max_length=9, batch_size=2),
    "translate nowhere": _call("translate", TEXTS[0]),
    "translate task": _call("translate_task", TEXTS[:2], max_length=9),
    "translate m2m": _call("translate_m2m", TEXTS[:2], src_lang="en", tgt_lang="fr", max_length=8),
    "translate m2m batch": _call("translate_m2m", TEXTS, src_lang="en", tgt_lang="de", max_length=8, batch_size=2),
    "translate m2m from nowhere": _call("translate_m2m", TEXTS[0], tgt_lang="fr", max_length=8),
    "translate nllb": _call("translate_nllb", TEXTS, src_lang="eng_Latn", tgt_lang="fra_Latn", max_length=8),
    "translate nllb ids": _call(
        "translate_nllb", TEXTS[0], src_lang="eng_Latn", tgt_lang="fra_Latn", max_length=8, return_tensors=True
    ),
    "see": _photos("see"),
    "see many": _photos("see", 4),
    "see top 1": _photos("see", 4, top_k=1),
    "see top 9": _photos("see", top_k=9),
    "see resized": ("see", lambda: ([photo(48, 36), photo(30, 40)],), {}),
    "see batch": _photos("see", 5, batch_size=2),
    "see number": _call("see", 4),
    "see nothing": _call("see", "no such file.png"),
    "segment": _photos("segment"),
    "segment many": _photos("segment", 3, subtask="semantic"),
    "segment panoptic": _photos("segment", subtask="panoptic"),
    "detect": _photos("detect", threshold=0.3),
    "detect many": _photos("detect", 4, threshold=0.3),
    "detect certain": _photos("detect"),
    "depth": _photos("depth"),
    "depth many": _photos("depth", 3),
    "caption": _photos("caption", max_new_tokens=6),
    "caption many": _photos("caption", 3, generate_kwargs={"max_new_tokens": 5, "num_beams": 2}),
    "caption twice": _photos("caption", max_new_tokens=5, generate_kwargs={"max_new_tokens": 5}),
    "caption prompt": _photos("caption", prompt="a dog"),
    "clip": _photos("clip", candidate_labels=ZOO),
    "clip many": _photos("clip", 3, candidate_labels=ZOO, hypothesis_template="is this {} ?"),
    "clip batch": _photos("clip", 3, candidate_labels=ZOO, batch_size=2),
    "clap": _sounds("clap", 0.9, candidate_labels=ZOO),
    "clap many": _sounds("clap", 0.9, 0.5, candidate_labels=ZOO, hypothesis_template="is this {} ?"),
    "clap batch": _sounds("clap", 0.9, 0.5, 0.7, candidate_labels=ZOO, batch_size=2),
    "clap number": _call("clap", 4, candidate_labels=ZOO),
    "ask": ("ask", lambda: (photo(48, 40), "where is the cat ?"), {}),
    "ask one": ("ask", lambda: ({"image": photo(48, 40), "question": "a dog"},), {"top_k": 1}),
    "ask many": ("ask", lambda: ([{"image": photo(48, 40), "question": text} for text in TEXTS],), {"top_k": 2}),
    "find": ("find", lambda: (photo(48, 40),), {"candidate_labels": ["cat", "the old dog"], "threshold": 0.5}),
    "find text": ("find", lambda: (photo(48, 40),), {"candidate_labels": "cat,dog", "top_k": 3}),
    "find many": (
        "find",
        lambda: ([{"image": photo(*size), "candidate_labels": ["cat", "to"]} for size in ((48, 40), (40, 40))],),
        {},
    ),
    "change": ("change", lambda: (photo(48, 40),), {}),
    "change many": ("change", lambda: ([photo(48, 40), photo(40, 40, seed=1)],), {}),
    "hear": _sounds("hear", 0.4),
    "hear many": _sounds("hear", 0.4, 0.7, 0.3, top_k=2),
    "hear dictionary": ("hear", lambda: ({"array": sound(), "sampling_rate": 8000},), {}),
    "hear raw": ("hear", lambda: ({"raw": sound(), "sampling_rate": 8000, "path": "a.wav"},), {}),
    "hear no rate": ("hear", lambda: ({"array": sound()},), {}),
    "hear stereo": ("hear", lambda: (np.zeros((2, 800), np.float32),), {}),
    "hear list": ("hear", lambda: ([[0.0] * 800],), {}),
    "write": _sounds("write", 0.8),
    "write many": _sounds("write", 0.4, 0.8, 0.6),
    "write chars": _sounds("write", 0.8, return_timestamps="char"),
    "write words": _sounds("write", 0.8, 0.7, return_timestamps="word"),
    "write sentences": _sounds("write", 0.8, return_timestamps=True),
    "write language": _sounds("write", 0.8, return_language=True),
    "write chunks": _sounds("write", 1.7, chunk_length_s=0.6),
    "write chunks stride": _sounds("write", 1.7, 0.5, chunk_length_s=0.6, stride_length_s=(0.1, 0.2)),
    "write chunks whole": _sounds("write", 1.7, chunk_length_s=0.5, stride_length_s=0),
    "write chunks words": _sounds("write", 1.7, chunk_length_s=0.6, return_timestamps="word"),
    "write bad stride": _sounds("write", 1.7, chunk_length_s=0.6, stride_length_s=0.4),
    "write dictionary": ("write", lambda: ({"raw": sound(), "sampling_rate": 8000, "id": 7},), {}),
    "write stride": ("write", lambda: ({"raw": sound(0.8), "sampling_rate": 8000, "stride": (800, 1600)},), {}),
    "write long stride": ("write", lambda: ({"raw": sound(), "sampling_rate": 8000, "stride": (3000, 1600)},), {}),
    "write stereo": ("write", lambda: (np.zeros((2, 800), np.float32),), {}),
    "write number": _call("write", 4),
    "write layer": _sounds("write_layer", 0.4, 0.8, 0.6),
    "write layer chars": _sounds("write_layer", 0.4, 0.8, 0.6, 0.7, return_timestamps="char"),
    "write layer chunks": _sounds("write_layer", 1.7, 0.5, chunk_length_s=0.6),
}


def plain(value: Any) -> Any:
    """Results as JSON: images as their compressed pixels, of large tensors every seventh number."""
    if hasattr(value, "getpixel"):
        pixels = base64.b64encode(zlib.compress(np.asarray(value).tobytes())).decode()
        return {"mode": value.mode, "size": list(value.size), "pixels": pixels}
    if hasattr(value, "tolist"):
        large = getattr(value, "ndim", 0) and value.shape[0] and value.reshape(-1).shape[0] > 500
        return {"shape": list(value.shape), "some": value.reshape(-1)[::7].tolist()} if large else value.tolist()
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def run(lib: Any, names: list[str] | None = None) -> dict[str, Any]:
    """The results of all calls, or of those named; for a call that fails the class of its error."""
    results: dict[str, Any] = {}
    pipes: dict[str, Any] = {}
    for name in names or CALLS:
        pipe, args, kwargs = CALLS[name]
        if pipe not in pipes:
            pipes[pipe] = PIPELINES[pipe](lib)
        try:
            results[name] = plain(pipes[pipe](*args(), **kwargs))
        except Exception as error:
            results[name] = {"error": type(error).__name__}
    return results
