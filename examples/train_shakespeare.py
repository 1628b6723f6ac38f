"""Train the small causal language model that ships with the package (isoform/assets/shakespeare).

    python examples/train_shakespeare.py tinyshakespeare.txt --output run    # start, or go on after an interruption
    python examples/train_shakespeare.py tinyshakespeare.txt --output run --export isoform/assets/shakespeare

A byte-level BPE tokenizer and a Llama of 3.8 million parameters, on the first 90 % of the text; the rest is held out,
as in nanoGPT's character model. With so little text the enemy is overfitting: dropout, weight decay, an average of the
weights, and tokenisations that vary from pass to pass (BPE-dropout, Provilkov et al. 2020). The result is reported in
bits per byte of the held-out text, which does not depend on the vocabulary. Everything needed to go on is saved every
`--save-every` steps, atomically; batches follow from the step's number alone, so an interrupted run ends with the same
weights.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tqdm import tqdm

from isoform import LlamaConfig, LlamaForCausalLM

END = "<|endoftext|>"


def train_tokenizer(text: str, vocab_size: int) -> Tokenizer:
    """A byte-level BPE tokenizer in the manner of GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, text: str, dropout: float | None = None) -> torch.Tensor:
    """Token ids of a text; `dropout` is the chance to skip a merge."""
    tokenizer.model.dropout = dropout
    ids = [i for line in tokenizer.encode_batch(text.splitlines(keepends=True)) for i in line.ids]
    tokenizer.model.dropout = None
    return torch.tensor(ids)


def batch(ids: torch.Tensor, step: int, size: int, length: int) -> torch.Tensor:
    """Random windows `(size, length + 1)` that follow from the step's number alone."""
    starts = torch.randint(len(ids) - length, (size,), generator=torch.Generator().manual_seed(step))
    return ids[starts[:, None] + torch.arange(length + 1)]


@torch.no_grad()
def bits_per_byte(model: LlamaForCausalLM, ids: torch.Tensor, text: str, length: int) -> float:
    """Cost of the held-out text: each window of `length` tokens is predicted with the first half of it as context."""
    model.eval()
    half, nats = length // 2, 0.0
    for start in range(0, len(ids) - 1, half):
        begin = max(0, start - half)
        window = ids[begin : start + half + 1][None]
        logits = model(window[:, :-1], use_cache=False).logits[0]
        first = start - begin
        nats += float(F.cross_entropy(logits[first:].float(), window[0, first + 1 :], reduction="sum"))
    model.train()
    return nats / math.log(2) / len(text.encode())


def learning_rate(step: int, args: argparse.Namespace) -> float:
    """Linear warm-up, then a cosine down to a twentieth."""
    if step < args.warmup:
        return args.lr * (step + 1) / args.warmup
    share = (step - args.warmup) / max(1, args.steps - args.warmup)
    return args.lr * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def save(path: Path, state: dict) -> None:
    """Write a training state so that a crash leaves the old or the new one."""
    temporary = path.with_suffix(".tmp")
    with open(temporary, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def build(args: argparse.Namespace, vocab_size: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=args.hidden,
        intermediate_size=args.inner,
        num_hidden_layers=args.layers,
        num_attention_heads=args.heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config)
    model.train()
    # Dropout on what each block adds: the architecture has none of its own, and checkpoints need none.
    for layer in model.model.layers:
        for block in (layer.self_attn.o_proj, layer.mlp.down_proj):
            block.register_forward_hook(lambda module, _, y: F.dropout(y, args.dropout, module.training))
    model.model.embed_tokens.register_forward_hook(lambda module, _, y: F.dropout(y, args.dropout, module.training))
    return model


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="the text to learn")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--export", type=Path, help="only write the best weights found so far to this folder")
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--length", type=int, default=256, help="tokens of a window")
    parser.add_argument("--vocab", type=int, default=1024)
    parser.add_argument("--hidden", type=int, default=224)
    parser.add_argument("--inner", type=int, default=576)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--bpe-dropout", type=float, default=0.05)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--average", type=float, default=0.998, help="decay of the running average of weights")
    parser.add_argument("--evaluate-every", type=int, default=250)
    parser.add_argument("--save-every", type=int, default=250)
    return parser.parse_args()


def main() -> None:
    args = parse()
    args.output.mkdir(parents=True, exist_ok=True)
    text = args.text.read_text(encoding="utf-8")
    cut = int(0.9 * len(text))
    train_text, held_out = text[:cut], text[cut:]
    tokenizer_file = args.output / "tokenizer.json"
    if tokenizer_file.exists():
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
    else:
        tokenizer = train_tokenizer(train_text, args.vocab)
        tokenizer.save(str(tokenizer_file))
    held_out_ids = encode(tokenizer, held_out)
    if args.export:
        return export(args, tokenizer, held_out_ids, held_out)

    torch.manual_seed(0)
    model = build(args, tokenizer.get_vocab_size())
    averaged = {name: p.detach().clone() for name, p in model.named_parameters()}
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decay, "weight_decay": args.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), fused=True)
    start, best, state_file = 0, math.inf, args.output / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        averaged, start, best = state["averaged"], state["step"], state["best"]
        print(f"going on at step {start}, best {best:.4f} bits per byte")

    ids, epoch, began = torch.empty(0), -1, time.time()
    tokens_per_step = args.batch * args.length
    steps = tqdm(range(start, args.steps), initial=start, total=args.steps)
    for step in steps:
        # A new random tokenisation for each pass over the text.
        now = step * tokens_per_step // 450_000
        if now != epoch:
            epoch = now
            torch.manual_seed(epoch)
            ids = encode(tokenizer, train_text, args.bpe_dropout or None)
        torch.manual_seed(step)  # dropout, too, follows from the step
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args)
        window = batch(ids, step, args.batch, args.length)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(window[:, :-1], use_cache=False).logits
        loss = F.cross_entropy(logits.float().flatten(0, 1), window[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        keep = min(args.average, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, p in model.named_parameters():
                averaged[name].lerp_(p, 1 - keep)
        last = step + 1 == args.steps
        if (step + 1) % args.evaluate_every == 0 or last:
            current = {name: p.detach().clone() for name, p in model.named_parameters()}
            model.load_state_dict(averaged, strict=False)
            cost = bits_per_byte(model, held_out_ids, held_out, args.length)
            if cost < best:
                best = cost
                save(args.output / "best.pt", {"model": averaged, "step": step + 1, "bits_per_byte": cost})
            model.load_state_dict(current, strict=False)
            line = {"step": step + 1, "loss": round(loss.item(), 4), "bits_per_byte": round(cost, 4)}
            with open(args.output / "log.jsonl", "a") as log:
                log.write(json.dumps({**line, "seconds": round(time.time() - began)}) + "\n")
            steps.write(json.dumps(line))
        if (step + 1) % args.save_every == 0 or last:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "averaged": averaged}
            save(state_file, {**state, "step": step + 1, "best": best})
    print(f"best: {best:.4f} bits per byte; write it with --export FOLDER")


def export(args: argparse.Namespace, tokenizer: Tokenizer, held_out_ids: torch.Tensor, held_out: str) -> None:
    """Write the best weights in half precision with their tokenizer, and report what they cost."""
    from isoform import PreTrainedTokenizerFast

    best = torch.load(args.output / "best.pt", weights_only=True)
    model = build(args, tokenizer.get_vocab_size())
    model.load_state_dict(best["model"], strict=False)
    model.tie_weights()
    model.half().save_pretrained(args.export)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        model_max_length=1024,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,  # byte-level: text comes back as it was
    )
    wrapped.save_pretrained(args.export)
    loaded = LlamaForCausalLM.from_pretrained(args.export)
    cost = bits_per_byte(loaded, held_out_ids, held_out, args.length)
    print(f"{args.export}: step {best['step']}, {cost:.4f} bits per byte of the held-out tenth (float16 weights)")


if __name__ == "__main__":
    main()
