"""A page, or its part for htmx."""

import pytest
from django.template import engines
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from labeling.web.rendering import redirect_to, render_page
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import add_fake

PAGE = "whole {% partialdef list inline %}part {{ name }}{% endpartialdef %}"


@pytest.fixture
def page(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text(PAGE)
    engine = engines["django"].engine
    monkeypatch.setattr(engine, "dirs", [tmp_path, *engine.dirs])
    return "page.html"


def _request(rf, **headers):
    request = rf.get("/", headers=headers)
    request.htmx = HtmxDetails(request)
    return request


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "whole part &lt;a&gt;"),
        ({"HX-Request": "true"}, "part &lt;a&gt;"),
        ({"HX-Request": "true", "HX-Boosted": "true"}, "whole part &lt;a&gt;"),
    ],
)
def test_render_page_fragment(rf, page, headers, expected):
    response = render_page(_request(rf, **headers), page, {"name": "<a>"}, fragment="list")
    assert response.text == expected
    assert response.headers["Vary"] == "HX-Request"


def test_render_page_without_fragment_is_whole(rf, page):
    assert render_page(_request(rf, **{"HX-Request": "true"}), page, {"name": "b"}).text == "whole part b"


def test_render_page_status(rf, page):
    assert render_page(_request(rf), page, {}, fragment="list", status=422).status_code == 422


def test_redirect_to_htmx(rf):
    response = redirect_to(_request(rf, **{"HX-Request": "true"}), "/next")
    assert (response.status_code, response.headers["HX-Redirect"]) == (200, "/next")


def test_redirect_to_plain(rf):
    response = redirect_to(_request(rf), "/next")
    assert (response.status_code, response.headers["Location"]) == (303, "/next")


@pytest.mark.django_db
def test_a_refused_plain_action_is_told_on_the_page_it_came_from(client, tmp_path):
    owner = make_user()
    project = make_project(owner)
    client.force_login(owner)
    specialist = add_fake(project, tmp_path / "model")
    page = reverse("specialists:detail", kwargs={"slug": project.slug, "specialist_id": specialist.pk})
    address = reverse(
        "specialists:act", kwargs={"slug": project.slug, "specialist_id": specialist.pk, "verb": "confirm"}
    )
    answer = client.post(address, headers={"Referer": f"http://testserver{page}"}, follow=True)
    assert "Save a label map first" in answer.content.decode()
    assert answer.redirect_chain == [(f"http://testserver{page}", 302)]
    for elsewhere in ("http://evil.example/", ""):
        assert client.post(address, headers={"Referer": elsewhere}).status_code == 409
