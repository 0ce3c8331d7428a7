"""The Hub's list is data that may lie."""

import json

from annotator_core.fakes.hub import FakeHub
from annotator_core.fakes.hub_search import Step
from annotator_core.meta.hub_api import Hub
from annotator_core.meta.listing import search_models


def test_models_that_more_words_find_come_first_then_by_downloads(hub: Hub) -> None:
    found = search_models(hub, ["spam", "sentiment", "courier"], 3)
    assert [one.model_id for one in found] == [
        "acme/sentiment-courier",
        "acme/sentiment-checkout",
        "acme/sentiment-overall",
    ]
    assert found[0].found_by == ("sentiment", "courier")
    assert found[0].downloads == 1_000


def test_only_text_classifiers_are_asked_for(fake_hub: FakeHub, hub: Hub) -> None:
    search_models(hub, ["toxic"], 3)
    assert "pipeline_tag=text-classification" in fake_hub.content.requests[0]
    assert "sort=downloads" in fake_hub.content.requests[0]


def test_names_that_can_be_no_models_are_left_out(fake_hub: FakeHub, hub: Hub) -> None:
    names = ["../etc/passwd", "a/b/c", "javascript:alert(1)", 7, None, "x" * 400, "<img src=x>", "fine/model"]
    body = json.dumps([*({"id": name, "downloads": -5, "likes": "many"} for name in names), "text"]).encode()
    fake_hub.content.steps.append(Step(status=200, body=body))
    (only,) = search_models(hub, ["x"], 10)
    assert (only.model_id, only.downloads, only.likes) == ("fine/model", 0, 0)


def test_a_list_without_end_is_cut(fake_hub: FakeHub, hub: Hub) -> None:
    body = json.dumps([{"id": f"a/m{number}"} for number in range(5_000)]).encode()
    fake_hub.content.steps.append(Step(status=200, body=body))
    assert len(search_models(hub, ["x"], 100)) == 30


def test_nothing_found_is_nothing(hub: Hub) -> None:
    assert search_models(hub, ["zzz"], 5) == ()
