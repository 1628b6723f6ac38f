"""Makes the small vocabularies and the expected values of the tests of BERT's, RoBERTa's, T5's… tokenizers.

    python tests/golden/make_text_tokenizers.py --vocabularies TEXT_FILE…   # train the vocabularies anew
    python tests/golden/make_text_tokenizers.py                             # expected values only

Needs transformers 4.36.2, sentencepiece and tokenizers. Uses the vocabularies of `make_tokenizers.py`, too.
Vocabularies go to tests/golden/tokenizers/, expected values to tests/golden/tokenizers/expected_text.json.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE / "tokenizers"
sys.path.insert(0, str(HERE.parent / "tokenization"))

import cases  # noqa: E402
import text_cases  # noqa: E402
from make_tokenizers import NORMALIZATION  # noqa: E402

FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]


def read_bpe(folder: str) -> tuple[list[str], str]:
    vocab = json.loads((FOLDER / folder / "vocab.json").read_text(encoding="utf-8"))
    return sorted(vocab, key=vocab.__getitem__), (FOLDER / folder / "merges.txt").read_text(encoding="utf-8")


def write_bpe(folder: str, tokens: list[str], merges: str) -> None:
    target = FOLDER / folder
    target.mkdir(exist_ok=True)
    vocab = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    (target / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    (target / "merges.txt").write_text(merges, encoding="utf-8")


def train_wordpiece(texts: list[str]) -> None:
    """Word pieces, cased and with some characters of many scripts."""
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator(texts, vocab_size=700, limit_alphabet=160, show_progress=False)
    vocab = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (FOLDER / "wordpiece").mkdir(exist_ok=True)
    (FOLDER / "wordpiece" / "vocab.txt").write_text("".join(f"{token}\n" for token, _ in vocab), encoding="utf-8")


def train_words(texts: list[str], byte_level: bool, size: int) -> tuple[list[str], list[str]]:
    """BPE of words, whose last symbol carries </w>: pieces and merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    steps: list[Any] = [pre_tokenizers.BertPreTokenizer()]
    alphabet: list[str] = []
    if byte_level:
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False))
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        limit_alphabet=1000 if byte_level else 80,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [piece for piece, _ in pieces], [m if isinstance(m, str) else " ".join(m) for m in merges]


def train_t5(texts: list[str]) -> None:
    import sentencepiece

    with tempfile.TemporaryDirectory() as folder:
        source, rules = Path(folder, "text.txt"), Path(folder, "rules.tsv")
        source.write_text("\n".join(texts), encoding="utf-8")
        rules.write_text(NORMALIZATION, encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(source),
            model_prefix=f"{folder}/t5",
            model_type="unigram",
            vocab_size=450,
            character_coverage=0.999,
            normalization_rule_tsv=str(rules),
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            num_threads=1,
            minloglevel=2,
            hard_vocab_limit=False,
        )
        (FOLDER / "t5.model").write_bytes(Path(folder, "t5.model").read_bytes())


def train(files: list[str]) -> None:
    lines = [line for file in files for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
    texts = lines[:: max(1, len(lines) // 3000)] + [text for text in cases.TEXTS if text.strip()] * 3
    texts = [text.replace("\0", "").replace("\n", " ") for text in texts]
    train_wordpiece(texts)
    train_t5(texts)
    tokens, merges = read_bpe("bpe")
    write_bpe("roberta", [*FAIRSEQ, *(t for t in tokens if t != "<|endoftext|>"), "<mask>"], merges)
    pieces, rules = train_words([text.lower() for text in texts], True, 1000)
    single = [piece for piece in pieces if len(piece) == 1]
    rest = [piece for piece in pieces if len(piece) > 1 and not (len(piece) == 5 and piece.endswith("</w>"))]
    clip = [*single, *(f"{piece}</w>" for piece in single), *rest, "<|startoftext|>", "<|endoftext|>"]
    write_bpe("clip", clip, "\n".join(["#version: 0.2", *rules, ""]))
    pieces, rules = train_words(texts, False, 500)
    write_bpe("herbert", [*FAIRSEQ, *pieces, "<mask>"], "\n".join(["#version: 0.2", *rules, ""]))
    pieces, rules = train_words([text.lower() for text in texts], False, 400)
    names = [piece[:-4] if piece.endswith("</w>") else f"{piece}@@" for piece in pieces]
    special = ["__null__", "__start__", "__end__", "__unk__", "__newln__"]
    write_bpe("blenderbot_small", [*special, *names], "\n".join(["#version: 0.2", *rules, ""]))
    write_m2m_100()


def write_m2m_100() -> None:
    """The vocabulary of `unigram.model`, with the special tokens of M2M100."""
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(FOLDER / "unigram.model"))
    pieces = [model.id_to_piece(index) for index in range(3, model.get_piece_size())]
    (FOLDER / "m2m_100").mkdir(exist_ok=True)
    vocab = {token: index for index, token in enumerate([*FAIRSEQ, *pieces])}
    (FOLDER / "m2m_100" / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")


def stand_in(name: str, **content: Any) -> None:
    """A module in the place of a package that need not be installed."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__dict__.update(content)
    sys.modules[name] = module


def expected() -> dict[str, Any]:
    stand_in("sacremoses")  # HerbertTokenizer wants to import it, but has no use for it
    import transformers
    from transformers.models.bert.tokenization_bert import BasicTokenizer, WordpieceTokenizer

    result: dict[str, Any] = {}
    for name, case in text_cases.CASES.items():
        if name == "clip_ftfy":
            stand_in("ftfy", fix_text=text_cases.fix_text)
        result[name] = text_cases.record(name, cases.build(transformers, case, str(FOLDER)))
        sys.modules.pop("ftfy", None)
    basic = BasicTokenizer(do_lower_case=True, never_split=["John's;"], do_split_on_punc=True)
    whole = BasicTokenizer(
        do_lower_case=False, strip_accents=True, do_split_on_punc=False, tokenize_chinese_chars=False
    )
    pieces = WordpieceTokenizer({"un", "##able", "##aff", "a"}, "[U]", max_input_chars_per_word=9)
    result["BasicTokenizer"] = [basic.tokenize(text, never_split=["Héllo"]) for text in text_cases.TEXTS]
    result["BasicTokenizer whole"] = [whole.tokenize(text) for text in text_cases.TEXTS]
    result["WordpieceTokenizer"] = pieces.tokenize("unaffable unable  a aaaaaaaaaa aff")
    small = transformers.BlenderbotSmallTokenizer(
        *(str(FOLDER / "blenderbot_small" / n) for n in ("vocab.json", "merges.txt"))
    )
    result["chat"] = [cases.record_chat(small, turns) for turns in cases.CONVERSATIONS]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabularies", nargs="+", metavar="TEXT_FILE", help="train the vocabularies on these texts")
    arguments = parser.parse_args()
    if arguments.vocabularies:
        train(arguments.vocabularies)
    lines = [f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in expected().items()]
    (FOLDER / "expected_text.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
