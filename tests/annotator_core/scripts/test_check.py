"""What the reader of scripts lets through, and what it points at."""

import pytest

from annotator_core.scripts.check import MAX_CHARS, check_script
from annotator_core.scripts.kinds import CONTRACTS, Kind, write_signature
from annotator_core.scripts.writing import read_script, write_request, write_template
from annotator_core.specialists.folder import inspect_folder

GOOD = "def deploy(folder: str):\n    return lambda texts: [[1.0] for _ in texts]\n"


@pytest.mark.parametrize("kind", Kind)
def test_templates_keep_their_contract(kind):
    assert check_script(write_template(kind), kind) == ()
    assert write_signature(kind)[:-1] in write_template(kind).replace("(\n    ", "(").replace("\n) ->", ") ->")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os", "It imports os"),
        ("import torch.nn, subprocess", "It imports subprocess"),
        ("from socket import socket", "It imports socket"),
        ("from . import secrets", "It imports ."),
        ("X = eval('1')", "It uses eval"),
        ("X = open", "It uses open"),
        ("X = getattr(1, 'x')", "It uses getattr"),
        ("X = ().__class__", "It uses __class__"),
        ("X = __builtins__", "It uses __builtins__"),
        ("import torch\nX = torch.load('x')", "It uses .load"),
        ("import torch\nX = torch.hub", "It uses .hub"),
        ("def f(m):\n    m.push_to_hub('x')", "It uses .push_to_hub"),
        ("def f(m):\n    m(trust_remote_code=True)", "It asks for a model's own code"),
        ("def f(m, x):\n    m(trust_remote_code=x)", "It asks for a model's own code"),
        ("print('hi')", "Outside functions only"),
        ("while True: pass", "Outside functions only"),
        ("X = 'a\u202e'  # \u2066 b", "It holds signs that cannot be seen"),
        ("X = 'a\u200b'", "It holds signs that cannot be seen"),
        ("X = 1\x0c", "It holds signs that cannot be seen"),
    ],
)
def test_what_no_such_script_needs_is_pointed_at(line, words):
    found = check_script(f"{GOOD}{line}\n", Kind.DEPLOY)
    assert found
    assert found[0].message.startswith(words)
    assert found[0].line > 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def deploy(folder:", "This is no Python"),
        ("\0", "This is no Python"),
        ("(" * 10_000, "This is no Python"),
        ("x" * (MAX_CHARS + 1), "The script has 20,001 characters"),
        ("def other(folder): pass", "It must define one function"),
        (GOOD + GOOD, "It must define one function"),
        ("def deploy(folder, more): pass", "Its arguments must be these"),
        ("def deploy(*folder): pass", "Its arguments must be these"),
    ],
)
def test_what_is_no_script_of_its_kind_is_said(code, words):
    (found,) = check_script(code, Kind.DEPLOY)
    assert found.message.startswith(words)


def test_a_harmless_script_passes():
    assert check_script(f'"""Words."""\nimport math\nX: int = 1\n{GOOD}', Kind.DEPLOY) == ()


@pytest.mark.parametrize("answer", ["```python\n{}```", "Here it is:\n```py\n{}```\nEnjoy!", "{}", "```\r\n{}\r\n```"])
def test_the_script_is_taken_out_of_an_answer(answer):
    assert read_script(answer.replace("{}", GOOD), Kind.DEPLOY) == GOOD


@pytest.mark.parametrize(
    "answer", ["", "I cannot help with that.", "```python\nprint(1)\n```", "```python\ndef deploy("]
)
def test_an_answer_without_the_function_is_none(answer):
    with pytest.raises(ValueError, match="holds no script"):
        read_script(answer, Kind.DEPLOY)


@pytest.mark.parametrize("kind", Kind)
def test_the_request_names_the_contract(kind, classifier):
    request = write_request(kind, inspect_folder(classifier))
    assert write_signature(kind) in request
    assert CONTRACTS[kind].duty in request
    assert "3 labels" in request
    assert request != write_request(kind, inspect_folder(classifier), 2)
