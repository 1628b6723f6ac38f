"""Cases of BERT's, RoBERTa's, T5's… tokenizers.

Run with the reference by `tests/golden/make_text_tokenizers.py`, and with isoform by `test_text_models.py`. Nothing but
`cases` is imported here, so that both can use it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from typing import Any

try:
    from . import cases
except ImportError:  # in the generator
    import cases  # type: ignore[no-redef]

TEXTS = [
    *cases.TEXTS,
    "Héllo <mask> wörld [MASK] [SEP]",
    "the <extra_id_0> cat <extra_id_1>, sat</s>",
    "x" * 101 + " BUCKINGHAM's KING!",
    "İstanbul ΣΑΣ ǅ ß ﬃ Å",
    "漢字かな交じり文 한국어 ไทย क्षि 𠀀",
    "eng_Latn the __en__ king __start__ a __newln__\n",
    "'S I'm you'll don't , . ! ?  ( x )",
    "a\x1cb\x85c\u2028d\ufffde\u0301",
]
PAIRS = [*cases.PAIRS, ("the cat sat on the mat", "thou art a king, my lord")]
LONG_PAIR = ("the cat sat on the mat and slept", "thou art")

ADDED = cases.ADDED
GERMAN_ITALIAN = {"src_lang": "deu_Latn", "tgt_lang": "ita_Latn"}
M2M = {"vocab_file": "m2m_100/vocab.json", "spm_file": "unigram.model"}


def case(cls: str, files: Any, added: Any = (), **options: Any) -> dict[str, Any]:
    return {"cls": cls, "files": files, "options": options, "added": added}


def both(name: str, cls: str, files: Any, added: Any = (), **options: Any) -> dict[str, dict[str, Any]]:
    """A case for the Python tokenizer, and one for the Rust tokenizer."""
    return {name: case(cls, files, added, **options), f"{name}_fast": case(f"{cls}Fast", files, added, **options)}


CASES: dict[str, dict[str, Any]] = {
    **both("bert", "BertTokenizer", "wordpiece/vocab.txt"),
    **both("bert_cased", "BertTokenizer", "wordpiece/vocab.txt", do_lower_case=False),
    **both("bert_accents", "BertTokenizer", "wordpiece/vocab.txt", do_lower_case=False, strip_accents=True),
    **both("bert_plain", "BertTokenizer", "wordpiece/vocab.txt", tokenize_chinese_chars=False, strip_accents=False),
    **both("bert_added", "BertTokenizer", "wordpiece/vocab.txt", ADDED),
    "bert_never_split": case("BertTokenizer", "wordpiece/vocab.txt", never_split=["John's;", "déjà"]),
    "bert_pieces_only": case("BertTokenizer", "wordpiece/vocab.txt", do_basic_tokenize=False),
    **both("distilbert", "DistilBertTokenizer", "wordpiece/vocab.txt"),
    **both("roberta", "RobertaTokenizer", "roberta"),
    **both("roberta_added", "RobertaTokenizer", "roberta", ADDED, add_prefix_space=True),
    **both("roberta_other", "RobertaTokenizer", "roberta", sep_token="<q>", cls_token="<z>"),
    "roberta_fast_offsets": case("RobertaTokenizerFast", "roberta", trim_offsets=False),
    **both("bart", "BartTokenizer", "roberta"),
    **both("clip", "CLIPTokenizer", "clip"),
    **both("clip_added", "CLIPTokenizer", "clip", ADDED, pad_token="!"),
    "clip_ftfy": case("CLIPTokenizer", "clip"),
    **both("herbert", "HerbertTokenizer", "herbert"),
    "blenderbot_small": case("BlenderbotSmallTokenizer", "blenderbot_small", ADDED),
    **both("t5", "T5Tokenizer", "t5.model"),
    **both("t5_added", "T5Tokenizer", "t5.model", ADDED[:1], extra_ids=3, legacy=False),
    **both("t5_named", "T5Tokenizer", "t5.model", extra_ids=2, additional_special_tokens=["<a>"]),
    **both("xlm_roberta", "XLMRobertaTokenizer", "unigram.model"),
    **both("xlm_roberta_bpe", "XLMRobertaTokenizer", "bpe.model", mask_token="<M>"),
    **both("nllb", "NllbTokenizer", "unigram.model", tgt_lang="fra_Latn"),
    **both(
        "nllb_legacy", "NllbTokenizer", "unigram.model", legacy_behaviour=True, src_lang="deu_Latn", tgt_lang="ita_Latn"
    ),
    "m2m_100": case("M2M100Tokenizer", M2M, tgt_lang="fr"),
    "m2m_100_wmt": case("M2M100Tokenizer", M2M, language_codes="wmt21", src_lang="de", tgt_lang="ha"),
}
# Source and target language to switch to.
LANGUAGES = {"nllb": ("eng_Latn", "deu_Latn"), "m2m": ("ru", "de")}


def languages(name: str) -> tuple[str, str] | None:
    return next((pair for prefix, pair in LANGUAGES.items() if name.startswith(prefix)), None)


def record(name: str, tokenizer: Any) -> dict[str, Any]:
    """What a tokenizer makes of all texts, what it writes, and how it switches languages (last: it stays there)."""
    result = {
        "properties": cases.record_properties(tokenizer),
        "texts": [cases.record(tokenizer, text) for text in TEXTS],
        "pairs": [cases.record_pair(tokenizer, *pair) for pair in PAIRS],
        "cut": [record_cut(tokenizer, strategy) for strategy in ("longest_first", "only_first")],
        "files": record_files(tokenizer),
    }
    pair = languages(name)
    if pair is not None:
        result["languages"] = record_languages(tokenizer, *pair)
    return result


def record_cut(tokenizer: Any, strategy: str) -> dict[str, Any]:
    """A pair that is too long."""
    encoded = tokenizer(*LONG_PAIR, truncation=strategy, max_length=12, padding="max_length")
    return {key: encoded[key] for key in sorted(encoded)}


def record_languages(tokenizer: Any, source: str, target: str) -> dict[str, Any]:
    """Languages set in every way there is."""
    old = {"src_lang": source, "tgt_texts": ["the king"], "tgt_lang": target, "max_length": 20}
    inputs = tokenizer._build_translation_inputs("my lord", src_lang=source, tgt_lang=target, return_tensors=None)
    result = {
        "target": dict(tokenizer("the cat", text_target="the king")),
        "old": dict(tokenizer.prepare_seq2seq_batch(["the cat"], **old)),
        "inputs": dict(inputs),
        "current": [tokenizer.src_lang, tokenizer.tgt_lang],
    }
    tokenizer.src_lang = target
    result["switched"] = [tokenizer("the cat")["input_ids"], tokenizer.prefix_tokens, tokenizer.suffix_tokens]
    return result


def record_files(tokenizer: Any) -> dict[str, Any]:
    """What is written. tokenizer.json is left out: it depends on the version of the Rust library."""
    with tempfile.TemporaryDirectory() as folder:
        names = tokenizer.save_pretrained(folder)
        result: dict[str, Any] = {"names": sorted(os.path.basename(name) for name in names)}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()
            if name in ("tokenizer_config.json", "special_tokens_map.json") and len(content) < 2500:
                result[name] = json.loads(content)
            elif name != "tokenizer.json":
                if name.endswith(".json"):
                    content = json.dumps(json.loads(content), sort_keys=True).encode()
                result[name] = hashlib.sha256(content).hexdigest()
    return result


def fix_text(text: str) -> str:
    """Stands for `ftfy.fix_text`."""
    return text.replace("â€™", "'").replace("ﬁ", "fi")
