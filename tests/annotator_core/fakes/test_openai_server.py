"""The fake OpenAI-compatible server: it speaks the protocol, counts as real ones do, and fails as told."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from annotator_core.fakes import openai_script as fake
from annotator_core.fakes.openai_answers import count_tokens, find_item, make_answerer
from annotator_core.fakes.openai_server import FakeOpenAI, main

CLASSES = ("negative", "positive")
SCHEMA = {"type": "object", "properties": {"label": {"type": "string", "enum": list(CLASSES)}}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeOpenAI]]:
    with ExitStack() as stack:

        def start(*steps: fake.Step, **options) -> FakeOpenAI:
            answerer = options.pop("answerer", make_answerer(CLASSES, 1.0, {"it was fine": "positive"}))
            return stack.enter_context(FakeOpenAI(fake.OpenAIScript(answerer, list(steps), **options)))

        yield start


def _ask(server: FakeOpenAI, text: str = "<data-10>it was fine</data-10>", **options) -> dict[str, Any]:
    body = {"model": "fake-model", "messages": [{"role": "user", "content": text}], **options}
    headers = {"Authorization": "Bearer a-key", "Content-Type": "application/json"}
    with urlopen(Request(f"{server.url}/chat/completions", json.dumps(body).encode(), headers), timeout=20) as answer:
        return json.loads(answer.read())


def _status(server: FakeOpenAI, **options) -> int:
    with pytest.raises(HTTPError) as caught:
        _ask(server, **options)
    with caught.value as error:
        return error.code


def test_the_openai_client_speaks_with_it(serve) -> None:
    from openai import OpenAI

    server = serve()
    with OpenAI(base_url=server.url, api_key="a-key", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["fake-model"]
        answer = client.chat.completions.create(
            model="fake-model",
            messages=[{"role": "user", "content": "<data-10>it was fine</data-10>"}],
            response_format=FORM,
            logprobs=True,
            top_logprobs=5,
        )
    assert answer.choices[0].message.content == '{"label": "positive"}'
    assert answer.choices[0].logprobs.content[6].top_logprobs[1].token == "negative"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_plain_answer_and_its_tokens(serve) -> None:
    server = serve()
    answer = _ask(server)
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "positive", "refusal": None}
    assert answer["usage"]["prompt_tokens"] == 6 + count_tokens("<data-10>it was fine</data-10>")
    assert answer["usage"]["completion_tokens"] == 1
    (asked,) = server.script.list_questions()
    assert (asked.headers["authorization"], asked.body["model"]) == ("Bearer a-key", "fake-model")


def test_an_answer_ends_at_its_limit(serve) -> None:
    choice = _ask(serve(fake.say("one two three")), max_tokens=2)["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")


def test_a_long_first_message_is_cached(serve) -> None:
    server = serve()
    cached = [_ask(server, "word " * 1_100)["usage"]["prompt_tokens_details"]["cached_tokens"] for _ in range(2)]
    assert cached == [0, 1_024]


@pytest.mark.parametrize(
    ("lacks", "options"),
    [
        ("json_schema", {"response_format": FORM}),
        ("json_object", {"response_format": {"type": "json_object"}}),
        ("logprobs", {"logprobs": True}),
        ("max_tokens", {"max_tokens": 5}),
        ("max_completion_tokens", {"max_completion_tokens": 5}),
        ("temperature", {"temperature": 0}),
    ],
)
def test_what_it_lacks_is_refused(serve, lacks: str, options: dict[str, Any]) -> None:
    server = serve(lacks=frozenset({lacks}))
    assert _status(server, **options) == 400
    assert _ask(server)["choices"]


def test_wrong_keys_models_and_paths_are_refused(serve) -> None:
    server = serve(keys=frozenset({"another-key"}), lacks=frozenset({"models"}))
    assert _status(server) == 401
    server.script.keys = None
    assert _status(server, model="other") == 404
    for path in ("/models", "/elsewhere"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(server.url + path)


def test_more_models_behind_the_address_answer_each_in_its_way(serve) -> None:
    server = serve(others={"other": make_answerer(CLASSES, 0.0, {"it was fine": "positive"})})
    first, other = _ask(server), _ask(server, model="other")
    assert (first["model"], first["choices"][0]["message"]["content"]) == ("fake-model", "positive")
    assert (other["model"], other["choices"][0]["message"]["content"]) == ("other", "negative")


def test_steps_are_used_up_in_order(serve) -> None:
    server = serve(fake.fail(429, {"Retry-After": "1"}), fake.DROP, fake.HTML, fake.EMPTY, fake.REFUSAL)
    assert _status(server) == 429
    with pytest.raises((URLError, ConnectionError)):
        _ask(server)
    with pytest.raises(json.JSONDecodeError):
        _ask(server)
    assert _ask(server)["choices"][0]["message"]["content"] == ""
    assert _ask(server)["choices"][0]["message"]["refusal"] == "I cannot help with that."
    assert _ask(server)["choices"][0]["message"]["content"] == "positive"


def test_replayed_answers_and_thoughts(serve) -> None:
    server = serve(answerer=make_answerer(CLASSES, 0.0, {"it was fine": "positive"}))
    assert _ask(server)["choices"][0]["message"]["content"] == "negative"
    thinking = "<data-10>it was fine</data-10> Let's think step by step."
    assert _ask(server, thinking)["choices"][0]["message"]["content"].endswith("\nAnswer: negative")
    with_reason = {"properties": {"reason": {}, "label": {}}}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": with_reason}}
    content = _ask(server, thinking, response_format=form)["choices"][0]["message"]["content"]
    assert json.loads(content) == {"reason": "The text reads so.", "label": "negative"}


def test_right_is_a_share_of_texts() -> None:
    texts = [f"text {number}" for number in range(1_000)]
    truth = dict.fromkeys(texts, "positive")
    answer = make_answerer(CLASSES, 0.8, truth)
    named = [answer([{"content": f"<data-10>{text}</data-10>"}]) for text in texts]
    assert named.count("positive") / 1_000 == pytest.approx(0.8, abs=0.04)


def test_the_item_is_the_last_between_equal_marks() -> None:
    assert find_item([{"content": "votes <data-10>a</data-11> b</data-10> tail"}]) == "a</data-11> b"
    assert find_item([{"content": "no marks"}]) == "no marks"


def test_the_command_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("text,label\nit was fine,positive\n")
    started: list[FakeOpenAI] = []
    monkeypatch.setattr(FakeOpenAI, "serve_forever", lambda server: started.append(server))
    main(["--port", "0", "--classes", *CLASSES, "--right", "1", "--answers", str(answers), "--delay-ms", "0"])
    (server,) = started
    with server:
        assert _ask(server)["choices"][0]["message"]["content"] == "positive"
