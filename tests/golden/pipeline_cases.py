"""Tiny pipelines and calls to them, run by `make_pipelines.py` with the reference and by the tests with isoform.

Nothing here names either library: each builder takes the package as its argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from .fill_weights import fill_weights

_TEXT = """
    the cat sat on mat a dog ran in paris and london with john smith . , ? who where when is this example about
    sports politics science ##s ##ing ##ed j ##oh ##n ##o to he she saw it river bank near old town what did see
"""
WORDS = _TEXT.split()
MERGES = ["h e", "Ġ t", "Ġt he", "i n", "Ġ a", "r e", "o n", "Ġ s", "a t", "e r", "a n", "Ġ w", "Ġ in", "Ġa n", "Ġan d"]
NER_LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
NO_TYPES = ["input_ids", "attention_mask"]
LONG = "the old cat sat on the mat near the river bank . john smith ran to london and saw a dog in the old town . " * 3


def word_tokenizer(lib: Any, **options: Any) -> Any:
    """WordPiece with [CLS] and [SEP]."""
    vocab = {word: index for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    backend = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.decoder = decoders.WordPiece()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return lib.PreTrainedTokenizerFast(tokenizer_object=backend, **{"model_max_length": 64, **special, **options})


def byte_tokenizer(lib: Any, **options: Any) -> Any:
    """Byte-level BPE without special tokens around the text."""
    vocab = {symbol: index for index, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    for merge in MERGES:
        vocab.setdefault(merge.replace(" ", ""), len(vocab))
    vocab["<end>"] = len(vocab)
    backend = Tokenizer(models.BPE(vocab, [tuple(merge.split()) for merge in MERGES]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.ByteLevel(trim_offsets=True)
    special = {"pad_token": "<end>", "eos_token": "<end>", "bos_token": "<end>", "unk_token": "<end>"}
    options = {"model_max_length": 96, "model_input_names": NO_TYPES, **special, **options}
    return lib.PreTrainedTokenizerFast(tokenizer_object=backend, **options)


def _build(
    lib: Any, task: str, model: str, tokenizer: Any, options: dict[str, Any] | None = None, **config: Any
) -> Any:
    """A pipeline around a model of deterministic weights."""
    model_class = getattr(lib, model)
    sizes = _SIZES[model_class.config_class.__name__]
    config = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, **sizes, **config}
    built = fill_weights(model_class(model_class.config_class(**config))).eval()
    return lib.pipeline(task, model=built, tokenizer=tokenizer, **(options or {}))


_GPT2 = {"n_positions": 128, "n_embd": 16, "n_layer": 2, "n_head": 2, "bos_token_id": 2, "eos_token_id": 3}
_NEOX = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 128,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
_OPT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "ffn_dim": 32,
    "max_position_embeddings": 128,
    "word_embed_proj_dim": 16,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
_SIZES = {"GPT2Config": _GPT2, "GPTNeoXConfig": _NEOX, "OPTConfig": _OPT}


def _labels(*names: str) -> dict[str, Any]:
    return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}


PIPELINES: dict[str, Callable[[Any], Any]] = {
    "classify": lambda lib: _build(
        lib, "text-classification", "GPT2ForSequenceClassification", word_tokenizer(lib), **_labels("bad", "so", "good")
    ),
    "classify_multi": lambda lib: _build(
        lib,
        "sentiment-analysis",
        "GPTNeoXForSequenceClassification",
        byte_tokenizer(lib),
        problem_type="multi_label_classification",
        **_labels("x", "y", "z"),
    ),
    "grade": lambda lib: _build(
        lib, "text-classification", "OPTForSequenceClassification", byte_tokenizer(lib), **_labels("grade")
    ),
    "ner": lambda lib: _build(
        lib, "ner", "GPT2ForTokenClassification", word_tokenizer(lib, model_max_length=24), **_labels(*NER_LABELS)
    ),
    "ner_bytes": lambda lib: _build(
        lib, "token-classification", "GPTNeoXForTokenClassification", byte_tokenizer(lib), **_labels(*NER_LABELS)
    ),
    "qa": lambda lib: _build(lib, "question-answering", "GPT2ForQuestionAnswering", word_tokenizer(lib)),
    "qa_bytes": lambda lib: _build(lib, "question-answering", "GPTNeoXForQuestionAnswering", byte_tokenizer(lib)),
    "zero_shot": lambda lib: _build(
        lib,
        "zero-shot-classification",
        "GPT2ForSequenceClassification",
        word_tokenizer(lib, model_max_length=24),
        **_labels("contradiction", "neutral", "entailment"),
    ),
    "zero_shot_first": lambda lib: _build(
        lib,
        "zero-shot-classification",
        "OPTForSequenceClassification",
        byte_tokenizer(lib),
        **_labels("ENTAILMENT", "contradiction"),
    ),
    "features": lambda lib: _build(
        lib, "feature-extraction", "OPTModel", word_tokenizer(lib, model_input_names=NO_TYPES)
    ),
    "generate": lambda lib: _build(
        lib,
        "text-generation",
        "GPTNeoXForCausalLM",
        word_tokenizer(lib, padding_side="left", model_input_names=NO_TYPES),
        {"do_sample": False},
    ),
    "generate_bytes": lambda lib: _build(
        lib, "text-generation", "GPT2LMHeadModel", byte_tokenizer(lib, padding_side="left")
    ),
    "generate_task_options": lambda lib: _build(
        lib,
        "text-generation",
        "GPTNeoXForCausalLM",
        byte_tokenizer(lib, padding_side="left"),
        task_specific_params={"text-generation": {"max_length": 14}},
    ),
}

TEXTS = ["the cat sat on the mat", "john smith ran", "where is the old river bank near london ?", "a dog"]
ENTITIES = "john smith saw the cats running in london , johnoh ran to the old town"
ZOO = ["sports", "politics", "science"]
CONTEXT = "the old cat sat on the mat near the river bank . john smith ran to london"
ASK = {"question": "where did john run ?", "context": CONTEXT}


def _call(pipe: str, *args: Any, **kwargs: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return pipe, args, kwargs


CALLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    # text classification
    "classify one": _call("classify", TEXTS[0]),
    "classify many": _call("classify", TEXTS),
    "classify batch": _call("classify", TEXTS, batch_size=3),
    "classify top 2": _call("classify", TEXTS[0], top_k=2),
    "classify top 1 many": _call("classify", TEXTS, top_k=1),
    "classify top all": _call("classify", TEXTS, top_k=None),
    "classify all scores": _call("classify", TEXTS[0], return_all_scores=True),
    "classify all scores many": _call("classify", TEXTS, return_all_scores=True),
    "classify not all scores": _call("classify", TEXTS[0], return_all_scores=False),
    "classify sigmoid": _call("classify", TEXTS[0], function_to_apply="sigmoid", top_k=None),
    "classify raw": _call("classify", TEXTS[0], function_to_apply="none", top_k=None),
    "classify unknown function": _call("classify", TEXTS[0], function_to_apply="cosine"),
    "classify pair": _call("classify", {"text": TEXTS[0], "text_pair": TEXTS[1]}),
    "classify pairs": _call("classify", [{"text": TEXTS[0], "text_pair": TEXTS[1]}]),
    "classify old pair": _call("classify", [[[TEXTS[0], TEXTS[1]]]], top_k=None),
    "classify bad pair": _call("classify", [[TEXTS[0], TEXTS[1]]]),
    "classify truncated": _call("classify", LONG, truncation=True, max_length=9, top_k=None),
    "classify none": _call("classify", []),
    "classify zero batch": _call("classify", TEXTS, batch_size=0),
    "classify multi": _call("classify_multi", TEXTS, top_k=None),
    "classify multi best": _call("classify_multi", TEXTS[0]),
    "grade": _call("grade", TEXTS),
    # token classification
    **{
        f"ner {strategy}": _call("ner", ENTITIES, aggregation_strategy=strategy)
        for strategy in ("none", "simple", "first", "average", "max")
    },
    **{
        f"ner bytes {strategy}": _call("ner_bytes", ENTITIES, aggregation_strategy=strategy, ignore_labels=[])
        for strategy in ("none", "simple", "first", "average", "max")
    },
    "ner many": _call("ner", TEXTS),
    "ner batch": _call("ner", TEXTS, batch_size=2, ignore_labels=["B-PER"]),
    "ner grouped": _call("ner", ENTITIES, grouped_entities=True),
    "ner grouped words": _call("ner", ENTITIES, grouped_entities=True, ignore_subwords=True),
    "ner stride": _call("ner", LONG, aggregation_strategy="simple", stride=6),
    "ner stride first": _call("ner", [LONG, ENTITIES], aggregation_strategy="first", stride=4),
    "ner stride none": _call("ner", LONG, aggregation_strategy="none", stride=6),
    "ner stride wide": _call("ner", LONG, aggregation_strategy="simple", stride=24),
    "ner offsets": _call("ner", "the cat", offset_mapping=[(0, 0), (0, 3), (4, 7), (0, 0)], ignore_labels=[]),
    "ner unknown word": _call("ner", "the zebra ran", ignore_labels=[], aggregation_strategy="first"),
    "ner unknown strategy": _call("ner", ENTITIES, aggregation_strategy="best"),
    "ner nothing": _call("ner", []),
    "ner number": _call("ner", 3),
    "ner empty": _call("ner", ""),
    # question answering
    "qa": _call("qa", **ASK),
    "qa positional": _call("qa", ASK["question"], ASK["context"]),
    "qa dictionary": _call("qa", ASK),
    "qa list": _call("qa", [ASK, {"question": "what did the cat see ?", "context": "the cat saw a dog"}]),
    "qa many questions": _call("qa", question=["who ran ?", "where is it ?"], context=CONTEXT),
    "qa top 4": _call("qa", ASK, top_k=4),
    "qa short answers": _call("qa", ASK, top_k=3, max_answer_len=2),
    "qa impossible": _call("qa", ASK, handle_impossible_answer=True, top_k=3),
    "qa not aligned": _call("qa_bytes", ASK, align_to_words=False, top_k=3),
    "qa long": _call("qa", ASK["question"], LONG),
    "qa long top 5": _call("qa", ASK["question"], LONG, top_k=5, doc_stride=8, max_seq_len=24),
    "qa long batch": _call("qa", ASK["question"], LONG, top_k=5, doc_stride=8, max_seq_len=24, batch_size=2),
    "qa long impossible": _call("qa_bytes", ASK["question"], LONG, top_k=2, handle_impossible_answer=True),
    "qa bytes": _call("qa_bytes", ASK, top_k=2),
    "qa padded": _call("qa", ASK, padding="max_length", max_seq_len=48),
    "qa bad stride": _call("qa", ASK, doc_stride=40, max_seq_len=30),
    "qa top 0": _call("qa", ASK, top_k=0),
    "qa no length": _call("qa", ASK, max_answer_len=0),
    "qa no question": _call("qa", context=CONTEXT),
    "qa empty question": _call("qa", question="", context=CONTEXT),
    "qa missing context": _call("qa", {"question": "who ran ?"}),
    "qa text": _call("qa", "who ran ?"),
    # zero-shot classification
    "zero shot": _call("zero_shot", TEXTS[0], ZOO),
    "zero shot string": _call("zero_shot", TEXTS[0], candidate_labels="sports, politics"),
    "zero shot one label": _call("zero_shot", TEXTS[0], candidate_labels=["science"]),
    "zero shot multi": _call("zero_shot", TEXTS[0], ZOO, multi_label=True),
    "zero shot many": _call("zero_shot", TEXTS, ZOO, hypothesis_template="is it {} ?"),
    "zero shot batch": _call("zero_shot", TEXTS, ZOO, batch_size=4),
    "zero shot long": _call("zero_shot", LONG, ZOO),
    "zero shot first": _call("zero_shot_first", TEXTS[:2], ZOO, multi_label=True),
    "zero shot no labels": _call("zero_shot", TEXTS[0], candidate_labels=[]),
    "zero shot bad template": _call("zero_shot", TEXTS[0], ZOO, hypothesis_template="it is"),
    "zero shot two extras": _call("zero_shot", TEXTS[0], ZOO, ZOO),
    # feature extraction
    "features": _call("features", "the cat"),
    "features many": _call("features", ["a dog", "the cat sat"]),
    "features tensor": _call("features", "a dog", return_tensors=True),
    "features truncated": _call("features", LONG, tokenize_kwargs={"max_length": 4}, truncation=True),
    "features truncated twice": _call("features", LONG, tokenize_kwargs={"truncation": True}, truncation=True),
    # text generation
    "generate": _call("generate", TEXTS[0], max_new_tokens=8),
    "generate many": _call("generate", TEXTS, max_new_tokens=6),
    "generate batch": _call("generate", TEXTS, max_new_tokens=6, batch_size=2),
    "generate new text": _call("generate", TEXTS[0], max_new_tokens=8, return_full_text=False),
    "generate ids": _call("generate", TEXTS[1], max_new_tokens=5, return_tensors=True),
    "generate two": _call("generate", TEXTS[1], max_new_tokens=5, num_beams=3, num_return_sequences=2),
    "generate prefix": _call("generate", TEXTS[1], prefix="the old ", max_length=16),
    "generate prefix new": _call("generate", TEXTS[1], prefix="the old ", max_new_tokens=5),
    "generate hole": _call("generate", LONG, max_new_tokens=5, handle_long_generation="hole", return_tensors=True),
    "generate hole too long": _call("generate", LONG, max_new_tokens=96, handle_long_generation="hole"),
    "generate bad hole": _call("generate", LONG, handle_long_generation="cut"),
    "generate stop": _call("generate", TEXTS[0], max_new_tokens=24, stop_sequence="is"),
    "generate both": _call("generate", TEXTS[0], return_tensors=True, return_text=True),
    "generate length": _call("generate", "the", max_length=9),
    "generate bytes": _call("generate_bytes", TEXTS, max_new_tokens=7, return_tensors=True),
    "generate task options": _call("generate_task_options", "the"),
}


def plain(value: Any) -> Any:
    """Results as JSON: arrays, tensors and tuples as lists, numbers as Python's own."""
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def run(lib: Any, names: list[str] | None = None) -> dict[str, Any]:
    """The results of all calls, or of those named; for a call that fails the class of its error."""
    results: dict[str, Any] = {}
    built: dict[str, Any] = {}
    for name in names or CALLS:
        pipe, args, kwargs = CALLS[name]
        if pipe not in built:
            built[pipe] = PIPELINES[pipe](lib)
        try:
            results[name] = plain(built[pipe](*args, **kwargs))
        except Exception as error:
            results[name] = {"error": type(error).__name__}
    return results
