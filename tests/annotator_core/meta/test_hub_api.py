"""A hub that is down, slow, busy, or no hub, over real HTTP."""

import json

import pytest

from annotator_core.errors import AnnotatorError, HubUnavailable, ModelNotFound, TryLater
from annotator_core.fakes.hub import FakeHub, HubContent
from annotator_core.fakes.hub_search import Step
from annotator_core.meta.hub_api import Hub, ModelGated, expect_list, expect_object, fetch_bytes, fetch_json
from annotator_core.meta.listing import search_models


def test_a_hub_that_is_down_is_said_and_may_be_tried_again() -> None:
    with FakeHub(HubContent({})) as gone:
        pass
    with pytest.raises(HubUnavailable, match="does not answer") as caught:
        fetch_json(Hub(gone.url), "/api/models")
    assert caught.value.retryable


def test_a_hub_that_drops_the_connection(fake_hub: FakeHub, hub: Hub) -> None:
    fake_hub.content.steps.append(Step(is_dropped=True))
    with pytest.raises(HubUnavailable, match="does not answer"):
        fetch_json(hub, "/api/models")


def test_a_slow_hub_is_left_after_the_time_that_it_has(fake_hub: FakeHub) -> None:
    step = Step(delay_s=30.0, status=200, body=b"[]")
    fake_hub.content.steps.append(step)
    with pytest.raises(HubUnavailable, match="ReadTimeout"):
        fetch_json(Hub(fake_hub.url, timeout_s=0.2), "/api/models")
    step.release.set()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "99999"}, 3_600.0),
        ({"Retry-After": "soon"}, 60.0),
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({}, 60.0),
    ],
)
def test_429_asks_to_come_back_and_nothing_waits_inside(
    fake_hub: FakeHub, hub: Hub, headers: dict[str, str], wait: float
) -> None:
    fake_hub.content.steps.append(Step(status=429, headers=headers))
    with pytest.raises(TryLater, match="asks for a pause") as caught:
        fetch_json(hub, "/api/models")
    assert caught.value.after_s == wait
    assert len(fake_hub.content.requests) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_the_hubs_own(fake_hub: FakeHub, hub: Hub, status: int) -> None:
    fake_hub.content.steps.append(Step(status=status, body=b"secret trace"))
    with pytest.raises(HubUnavailable, match=f"status {status}") as caught:
        fetch_json(hub, "/api/models")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'[{"id": ', b"", b"[" * 100_000])
def test_garbage_is_no_hub(fake_hub: FakeHub, hub: Hub, body: bytes) -> None:
    fake_hub.content.steps.append(Step(status=200, body=body))
    with pytest.raises(HubUnavailable, match="does not answer like a model hub"):
        search_models(hub, ["x"], 5)


@pytest.mark.parametrize("value", [{}, {"error": "x"}, "text", None, 3])
def test_json_of_another_shape_is_no_hub(fake_hub: FakeHub, hub: Hub, value: object) -> None:
    fake_hub.content.steps.append(Step(status=200, body=json.dumps(value).encode()))
    with pytest.raises(HubUnavailable, match="does not answer like a model hub"):
        search_models(hub, ["x"], 5)


def test_expected_shapes_pass(hub: Hub) -> None:
    assert expect_list(hub, [1]) == [1]
    assert expect_object(hub, {"a": 1}) == {"a": 1}
    with pytest.raises(HubUnavailable):
        expect_object(hub, [])


def test_more_bytes_than_allowed_are_not_read(fake_hub: FakeHub, hub: Hub) -> None:
    fake_hub.content.steps.append(Step(status=200, body=b"x" * 5_000_000))
    with pytest.raises(HubUnavailable, match=r"more than 0\.001 MB"):
        fetch_bytes(hub, "/anything", max_bytes=1_000)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [(404, {}, ModelNotFound), (401, {}, ModelNotFound), (403, {"X-Error-Code": "GatedRepo"}, ModelGated)],
)
def test_what_the_hub_does_not_give(
    fake_hub: FakeHub, hub: Hub, status: int, headers: dict[str, str], error: type[AnnotatorError]
) -> None:
    fake_hub.content.steps.append(Step(status=status, headers=headers))
    with pytest.raises(error):
        fetch_bytes(hub, "/api/models/a/b")


def test_the_token_is_in_no_repr() -> None:
    assert "hf_secret" not in repr(Hub("http://x", "hf_secret"))
    assert Hub().address == "https://huggingface.co"
