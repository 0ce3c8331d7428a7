"""What a person is told of an error, and how bodies that few servers send are read."""

from collections.abc import Callable

import pytest

from annotator_core.errors import AddressRefused, CallFailed
from annotator_core.fakes import openai_script as fake
from annotator_core.verifiers.client import OpenAIAsker
from annotator_core.verifiers.contract import Failure, FailureKind
from annotator_core.verifiers.failures import explain, fail_unreadable
from annotator_core.verifiers.replies import read_completion
from annotator_core.verifiers.wire import Reply
from tests.annotator_core.verifiers.conftest import CLASSES, PLAN, PRICE
from tests.annotator_core.verifiers.test_client import CALL

Serve = Callable[..., tuple[fake.OpenAIScript, OpenAIAsker]]


def test_errors_that_are_not_the_clients_own() -> None:
    assert explain(AddressRefused("not there")) == Failure(FailureKind.BLOCKED, "not there")
    assert explain(TypeError("'NoneType' object is not subscriptable")) == fail_unreadable()


def test_a_content_filter_is_named(serve: Serve) -> None:
    _script, asker = serve(fake.fail(400, code="content_filter"))
    with pytest.raises(CallFailed, match=r"content filter refuses this text\. \(HTTP 400\)"):
        asker.complete(CALL, PLAN)


def _read(body: bytes):
    return read_completion(Reply(body, 0.1), CALL, CLASSES, PRICE)


def test_an_answer_in_parts_is_one() -> None:
    parts = (
        b'[{"type": "thinking", "thinking": []}, {"type": "text", "text": "posi"}, {"type": "text", "text": "tive"}]'
    )
    completion = _read(b'{"choices": [{"message": {"content": ' + parts + b"}}]}")
    assert (completion.content, completion.finish, completion.model) == ("positive", "", "")


@pytest.mark.parametrize("usage", ["null", "7", "{}", '{"prompt_tokens": -1, "completion_tokens": 1}'])
def test_counts_that_cannot_be_are_estimated(usage: str) -> None:
    body = f'{{"choices": [{{"message": {{"content": "a"}}}}], "usage": {usage}}}'
    assert _read(body.encode()).usage.is_estimated


def test_more_cached_tokens_than_sent_are_not_believed() -> None:
    usage = b'{"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 99}}'
    assert _read(b'{"choices": [{"message": {"content": "a"}}], "usage": ' + usage + b"}").usage.tokens_cached == 10


def test_log_probabilities_in_another_form_are_left_out() -> None:
    for logprobs in (
        b'{"content": [1]}',
        b'{"content": [{"token": "a"}]}',
        b'{"content": 5}',
        b"[]",
        b'{"content": "x"}',
    ):
        body = b'{"choices": [{"message": {"content": "positive"}, "logprobs": ' + logprobs + b"}]}"
        assert _read(body).class_probs is None
