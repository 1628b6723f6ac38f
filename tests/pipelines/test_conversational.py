"""Conversations and the pipeline that answers them."""

from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from isoform import Conversation, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, pipeline


def test_messages_and_turns():
    chat = Conversation("hi")
    assert chat.messages == [{"role": "user", "content": "hi"}] and len(chat) == 1
    assert str(chat) == f"Conversation id: {chat.uuid}\nuser: hi\n"
    chat.append_response("yo")
    chat.add_user_input("more")
    assert chat.past_user_inputs == ["hi"] and chat.generated_responses == ["yo"] and chat.new_user_input == "more"
    assert list(chat.iter_texts()) == [(True, "hi"), (False, "yo"), (True, "more")]
    chat.add_user_input("ignored")
    assert chat.messages[-1]["content"] == "more"
    chat.add_user_input("instead", overwrite=True)
    assert chat[-1] == {"role": "user", "content": "instead"} and len(chat) == 3


def test_turns_in_the_older_style():
    chat = Conversation("q", past_user_inputs=["p"], generated_responses=["r"])
    assert [m["content"] for m in chat] == ["p", "r", "q"]
    with pytest.raises(ValueError, match="past_user_inputs"):
        Conversation("q", generated_responses=["r"])


@pytest.mark.parametrize("message", [{"role": "user"}, {"role": "narrator", "content": "x"}])
def test_bad_messages_are_refused(message):
    with pytest.raises(ValueError, match="role"):
        Conversation().add_message(message)


@pytest.fixture(scope="module")
def parts():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator([], trainers.BpeTrainer(special_tokens=["<end>"], initial_alphabet=alphabet))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    turns = "{% for m in messages %}{{ m['role'] }}:{{ m['content'] }};{% endfor %}"
    wrapped.chat_template = turns + "{% if add_generation_prompt %}a:{% endif %}"
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(wrapped), n_positions=64, n_embd=16, n_layer=1, n_head=2, eos_token_id=None)
    return GPT2LMHeadModel(config).eval(), wrapped


def test_pipeline_appends_the_answer(parts):
    model, tokenizer = parts
    pipe = pipeline("conversational", model=model, tokenizer=tokenizer)
    chat = Conversation("ab")
    answered = pipe(chat, max_new_tokens=5, do_sample=False)
    ids = torch.tensor([tokenizer("user:ab;a:")["input_ids"]])
    expected = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=5, do_sample=False)
    assert answered is chat and len(chat) == 2
    text = tokenizer.decode(expected[0, ids.shape[1] :], skip_special_tokens=True)
    assert chat[-1] == {"role": "assistant", "content": text}


def test_pipeline_takes_several_and_message_lists(parts):
    model, tokenizer = parts
    pipe = pipeline("conversational", model=model, tokenizer=tokenizer)
    both = pipe([Conversation("ab"), Conversation("c")], max_new_tokens=3, do_sample=False)
    assert [len(chat) for chat in both] == [2, 2]
    single = pipe([{"role": "user", "content": "ab"}], max_new_tokens=3, do_sample=False)
    assert single.messages == both[0].messages


def test_pipeline_leaves_room_for_the_answer(parts):
    model, tokenizer = parts
    pipe = pipeline("conversational", model=model, tokenizer=tokenizer)
    chat = pipe(Conversation("x" * 200), min_length_for_response=8, max_new_tokens=8, do_sample=False)
    assert chat.messages[-1]["role"] == "assistant"
