"""Makes the small vocabularies and the expected values of the tokenizer tests, with the reference.

    python tests/golden/make_tokenizers.py --vocabularies TEXT_FILE…   # train the vocabularies anew (all values change)
    python tests/golden/make_tokenizers.py                             # expected values only

Needs transformers 4.36.2, sentencepiece and tokenizers. Vocabularies go to tests/golden/tokenizers/, expected values to
tests/golden/tokenizers/expected.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "tokenizers"
sys.path.insert(0, str(HERE.parent / "tokenization"))

import cases  # noqa: E402

# Some compatibility characters, as SentencePiece's rule files write them: code points, a tab, their replacement.
NORMALIZATION = "FF21\t41\n2460\t31\nFB01\t66 69\nA0\t20\n3000\t20\n2003\t20\n9\t20\nA\t20\nD\t20\n"


def train_bpe(texts: list[str], target: Path) -> None:
    """Byte-level BPE: 256 bytes, some merges, <|endoftext|>."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=800, min_frequency=2, show_progress=False)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    vocab = {**tokenizer.get_vocab(), "<|endoftext|>": tokenizer.get_vocab_size()}
    write(target, vocab, [merge if isinstance(merge, str) else " ".join(merge) for merge in merges])


def train_ctrl(texts: list[str], target: Path) -> None:
    """BPE of words, where pieces that do not end a word carry @@ in the vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=400, limit_alphabet=70, end_of_word_suffix="</w>", show_progress=False)
    )
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    names = ["<unk>"]
    for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        names.append(piece[:-4] if piece.endswith("</w>") else piece + "@@")
    write(target, {name: i for i, name in enumerate(names)}, [m if isinstance(m, str) else " ".join(m) for m in merges])


def write(target: Path, vocab: dict[str, int], merges: list[str]) -> None:
    target.mkdir(exist_ok=True)
    ordered = dict(sorted(vocab.items(), key=lambda item: item[1]))
    (target / "vocab.json").write_text(json.dumps(ordered, ensure_ascii=False), encoding="utf-8")
    (target / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")


def train_sentencepiece(texts: list[str]) -> None:
    import sentencepiece

    with tempfile.TemporaryDirectory() as folder:
        source, rules = Path(folder, "text.txt"), Path(folder, "rules.tsv")
        source.write_text("\n".join(texts), encoding="utf-8")
        rules.write_text(NORMALIZATION, encoding="utf-8")
        common = {"input": str(source), "num_threads": 1, "minloglevel": 2, "hard_vocab_limit": False}
        sentencepiece.SentencePieceTrainer.train(
            model_prefix=f"{folder}/bpe",
            model_type="bpe",
            vocab_size=700,
            byte_fallback=True,
            character_coverage=0.99,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            split_digits=True,
            allow_whitespace_only_pieces=True,
            **common,
        )
        sentencepiece.SentencePieceTrainer.train(
            model_prefix=f"{folder}/unigram",
            model_type="unigram",
            vocab_size=500,
            character_coverage=0.999,
            normalization_rule_tsv=str(rules),
            **common,
        )
        for name in ("bpe.model", "unigram.model"):
            shutil.copy(Path(folder, name), FOLDER / name)


def train(files: list[str]) -> None:
    lines = [line for file in files for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
    texts = lines[:: max(1, len(lines) // 3000)] + [text for text in cases.TEXTS if text.strip()] * 3
    texts = [text.replace("\0", "").replace("\n", " ") for text in texts]
    FOLDER.mkdir(exist_ok=True)
    train_bpe(texts, FOLDER / "bpe")
    train_ctrl(texts, FOLDER / "ctrl")
    train_sentencepiece(texts)


def expected() -> dict[str, object]:
    import transformers

    if not (FOLDER / "tokenizer.json").exists():
        fast = transformers.GPT2TokenizerFast(str(FOLDER / "bpe/vocab.json"), str(FOLDER / "bpe/merges.txt"))
        fast.backend_tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    result = {}
    for name, case in cases.CASES.items():
        tokenizer = cases.build(transformers, case, str(FOLDER))
        result[name] = {
            "properties": cases.record_properties(tokenizer),
            "texts": [cases.record(tokenizer, text) for text in cases.TEXTS],
            "pairs": [cases.record_pair(tokenizer, *pair) for pair in cases.PAIRS],
        }
        if name in cases.CHAT_CASES:
            result[name]["chat"] = [cases.record_chat(tokenizer, turns) for turns in cases.CONVERSATIONS]
    for name in ("unigram.model", "bpe.model"):
        slow = transformers.LlamaTokenizer(str(FOLDER / name), legacy=True)
        converted = transformers.convert_slow_tokenizer.SpmConverter(slow).converted()
        result[f"SpmConverter {name}"] = [cases.record_rust(converted, text) for text in cases.TEXTS]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabularies", nargs="+", metavar="TEXT_FILE", help="train the vocabularies on these texts")
    arguments = parser.parse_args()
    if arguments.vocabularies:
        train(arguments.vocabularies)
    lines = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=True)}" for name, value in expected().items()]
    (FOLDER / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
