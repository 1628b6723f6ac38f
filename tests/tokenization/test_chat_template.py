"""Chat templates come with checkpoints: they can neither leave the sandbox nor use up the machine."""

from __future__ import annotations

import threading

import pytest
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError

from isoform import _chat_template
from isoform._chat_template import CHATML, render_chat
from isoform.tokenization_utils_base import PreTrainedTokenizerBase

TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def doubling(step: str, start: str = "'aaaaaaaa'", after: str = "") -> str:
    """A template whose variable `n.s` grows sixty times."""
    return f"{{% set n = namespace(s={start}) %}}{{% for i in range(60) %}}{step}{{% endfor %}}{after}"


ESCAPES = {
    "class": "{{ ''.__class__.__mro__ }}",
    "subclasses": "{{ messages.__class__.__base__.__subclasses__() }}",
    "globals of a function": "{{ raise_exception.__globals__['os'] }}",
    "code of a function": "{{ raise_exception.__code__.co_consts }}",
    "class of a global": "{{ cycler.__init__.__globals__.os }}",
    "template reference": "{{ self.__init__.__globals__ }}",
    "format": "{{ '{0.__class__.__mro__[0].__subclasses__}'.format(messages)[0].x.y }}",
    "format_map": "{{ '{a.__class__.__mro__}'.format_map({'a': 1}).x.y }}",
    "attr filter": "{{ (''|attr('__class__')).x.y }}",
    "map attribute": "{{ (messages|map(attribute='__class__')|list)[0].x.y }}",
    "environment": "{{ environment.step() }}",
    "append": "{{ messages.append(1) }}",
    "update": "{{ messages[0].update({'role': 'root'}) }}",
    "pop": "{{ messages.pop() }}",
    "private budget": "{{ join_texts('a') }}",
}

COSTLY = {
    "multiplication": "{{ 'a' * 10**9 }}",
    "list multiplication": "{{ [1] * 10**9 }}",
    "power": "{{ 10 ** (10 ** 10) }}",
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "loops over text": "{% for a in m %}{% for b in m %}{% for c in m %}x{% endfor %}{% endfor %}{% endfor %}".replace(
        "in m", "in 'x' * 10000"
    ),
    "addition": doubling("{% set n.s = n.s + n.s %}"),
    "list addition": doubling("{% set n.s = n.s + n.s %}", "[1]"),
    "concatenation": doubling("{% set n.s = n.s ~ n.s %}"),
    "percent": doubling("{% set n.s = '%s%s' % (n.s, n.s) %}"),
    "format filter": doubling("{% set n.s = '%s%s'|format(n.s, n.s) %}"),
    "join filter": doubling("{% set n.s = [n.s, n.s]|join %}"),
    "join method": doubling("{% set n.s = ''.join([n.s, n.s]) %}"),
    "replace filter": doubling("{% set n.s = n.s|replace('', 'aa') %}"),
    "replace method": doubling("{% set n.s = n.s.replace('a', 'aa') %}"),
    "set block": doubling("{% set n.s %}{{ n.s }}{{ n.s }}{% endset %}"),
    "nested lists": doubling("{% set n.s = [n.s, n.s] %}", "[1]", "{{ n.s }}"),
    "nested lists in a filter": doubling("{% set n.s = [n.s, n.s] %}", "[1]", "{{ n.s|tojson }}"),
    "nested lists in a text": doubling("{% set n.s = [n.s, n.s] %}", "[1]", "{{ '%s' % n.s }}"),
    "nested lists concatenated": doubling("{% set n.s = [n.s, n.s] %}", "[1]", "{{ 'a' ~ n.s }}"),
    "repeated list": "{{ [range(99999)|list] * 99999 }}",
    "width in percent": "{{ '%999999999d' % 3 }}",
    "width value in percent": "{{ '%*d' % (999999999, 3) }}",
    "width in format": "{{ '{:>999999999}'.format(3) }}",
    "width value in format": "{{ '{:>{}}'.format(3, 999999999) }}",
    "precision": "{{ '%.999999999f' % 3 }}",
    "center": "{{ 'a'.center(999999999) }}",
    "center filter": "{{ 'a'|center(999999999) }}",
    "filter block": "{% filter center(99999999) %}a{% endfilter %}",
    "mapped filter": "{{ range(99999)|map('center', 9999)|join }}",
    "zfill": "{{ 'a'.zfill(999999999) }}",
    "tabs": "{{ ('\t' * 1000000).expandtabs(10000) }}",
    "indent": "{{ ('a\n' * 1000000)|indent(9999) }}",
    "batch": "{{ [1]|batch(999999999, 'x')|list }}",
    "slice": "{{ [1]|slice(999999999)|list }}",
    "tojson": "{{ messages|tojson(indent=999999999) }}",
    "quadratic codec": "{{ ('é' * 9999999).encode('punycode') }}",
    "endless macro": "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "branching macro": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "recursive loop": "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "deep expression": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long template": "a" * 2_000_000,
}


@pytest.mark.parametrize("name", ESCAPES)
def test_template_cannot_leave_the_sandbox(name: str) -> None:
    talk = [dict(message) for message in TALK]
    with pytest.raises(TemplateError):
        render_chat(ESCAPES[name], messages=talk)
    assert talk == TALK


@pytest.mark.parametrize("name", COSTLY)
def test_template_cannot_use_up_the_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chat_template, "MAX_STEPS", 5_000)  # to be quick
    monkeypatch.setattr(_chat_template, "MAX_CHARACTERS", 1_000_000)
    with pytest.raises(SecurityError, match="broken or hostile"):
        render_chat(COSTLY[name], messages=TALK)


def test_template_cannot_take_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chat_template, "MAX_SECONDS", 0.0)
    with pytest.raises(SecurityError, match="seconds"):
        render_chat("{% for i in range(9) %}{{ i }}{% endfor %}")


def test_template_reads_no_files() -> None:
    for template in ("{% include '/etc/hostname' %}", "{% import '/etc/hostname' as x %}", "{% extends 'x' %}"):
        with pytest.raises((TypeError, TemplateError)):
            render_chat(template)


def test_refused_template_leaves_nothing_behind() -> None:
    with pytest.raises(SecurityError):
        render_chat(COSTLY["addition"])
    assert render_chat(CHATML, messages=TALK[:1]) == "<|im_start|>user\nhi<|im_end|>\n"


def test_bounds_are_per_chat_and_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chat_template, "MAX_STEPS", 1500)
    template = "{% for i in range(1000) %}{% endfor %}{{ messages|length }}"
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(render_chat(template, messages=TALK))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["2"] * 4


def test_long_chats_fit() -> None:
    """A hundred thousand characters, added up one by one, and ten million in ten thousand messages."""
    talk = [{"role": "user", "content": "word " * 200}] * 100
    template = (
        "{% set n = namespace(s='') %}{% for m in messages %}{% set n.s = n.s + m.content %}{% endfor %}{{ n.s }}"
    )
    assert len(render_chat(template, messages=talk)) == 100_000
    talk *= 100
    assert len(render_chat(CHATML, messages=talk)) == 10_000 * (1000 + len("<|im_start|>user\n<|im_end|>\n"))


def test_errors_of_the_template_reach_the_user() -> None:
    with pytest.raises(TemplateSyntaxError):
        render_chat("{% if %}")
    with pytest.raises(TemplateError, match="roles must alternate"):
        render_chat("{{ raise_exception('roles must alternate') }}")


@pytest.mark.parametrize("wrong", ["hi", {"role": "user", "content": "hi"}, 3, None, [TALK], ["hi"]])
def test_what_is_no_conversation_is_refused(wrong):
    with pytest.raises(TypeError, match=r'conversation must be a list of messages such as \[\{"role"'):
        PreTrainedTokenizerBase().apply_chat_template(wrong, chat_template=CHATML, tokenize=False)
