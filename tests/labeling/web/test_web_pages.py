"""Error pages, headers, what htmx is told, reports of the browser, and the page of all parts."""

import json

import pytest

from labeling.web.csp import Violation, forget_violations, recent_violations
from tests.labeling.factories import make_user

pytestmark = [pytest.mark.urls("tests.labeling.web.web_site"), pytest.mark.django_db]
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/p/demo/runs?state=open"}


@pytest.fixture
def calm_client(client):
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "There is no such page"),
        ("/denied", 403, "Only managers &lt;b&gt;may&lt;/b&gt;."),
        ("/wrong", 400, "That request was not right"),
        ("/broken", 500, "That did not work"),
        ("/refused", 409, "Stop the run &lt;first&gt;."),
    ],
)
def test_error_page(calm_client, path, status, words):
    calm_client.force_login(make_user())
    response = calm_client.get(path)
    assert response.status_code == status
    assert words in response.text
    assert "secret detail" not in response.text
    assert 'class="brand"' in response.text


def test_error_for_htmx_is_plain_text(calm_client):
    response = calm_client.get("/refused", headers=HTMX)
    assert (response.status_code, response.text) == (409, "Stop the run <first>.")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "HX-Request" in response.headers["Vary"]


def test_csrf_failure_page():
    from django.test import Client

    response = Client(enforce_csrf_checks=True).post("/sign-in", {})
    assert response.status_code == 403
    assert "The form has expired" in response.text


def test_headers_of_every_response(client):
    headers = client.get("/nowhere").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]


def test_content_security_policy_allows_nothing_unsafe(client):
    parts = client.get("/nowhere").headers["Content-Security-Policy"].split("; ")
    assert sorted(parts) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "report-uri /csp-report",
        "script-src 'self'",
        "style-src 'self'",
    ]


def test_login_redirect_plain(client):
    response = client.get("/members-only")
    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in?next=/members-only")


def test_login_redirect_htmx_names_the_page(client):
    response = client.get("/members-only", headers=HTMX)
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == "/sign-in?next=/p/demo/runs%3Fstate%3Dopen"
    assert response.text == ""


def test_messages_reach_htmx_as_toasts(client):
    response = client.get("/tell", headers=HTMX)
    trigger = json.loads(response.headers["HX-Trigger"])
    assert trigger == {"toasts": {"toasts": [{"level": "success", "text": "Saved, “naïve” text"}]}}
    assert "HX-Trigger" not in client.get("/tell").headers


def test_messages_wait_for_the_next_page(client):
    response = client.get("/tell-and-leave", headers=HTMX)
    assert response.headers["HX-Redirect"] == "/members-only"
    assert "HX-Trigger" not in response.headers


def test_redirect_plain_is_303(client):
    response = client.get("/tell-and-leave")
    assert (response.status_code, response.headers["Location"]) == (303, "/members-only")


def test_csp_report_is_kept(client):
    forget_violations()
    report = {"effective-directive": "script-src-elem", "blocked-uri": "https://evil.test/x.js?a=1"}
    body = json.dumps({"csp-report": report | {"document-uri": "http://testserver/p/demo/?q=secret"}})
    response = client.post("/csp-report", body, content_type="application/csp-report")
    assert response.status_code == 204
    expected = Violation("script-src-elem", "https://evil.test/x.js", "http://testserver/p/demo/")
    assert recent_violations() == (expected,)


def test_csp_report_of_the_reporting_api(client):
    forget_violations()
    body = {"effectiveDirective": "style-src-attr", "blockedURL": "inline", "documentURL": "http://testserver/"}
    data = json.dumps([{"type": "csp-violation", "body": body}])
    assert client.post("/csp-report", data, content_type="application/reports+json").status_code == 204
    assert recent_violations() == (Violation("style-src-attr", "inline", "http://testserver/"),)


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '"x"', '{"csp-report": 1}', "[1]", "x" * 20_000, "\x00"])
def test_csp_report_that_is_none(client, body):
    forget_violations()
    assert client.post("/csp-report", body, content_type="application/json").status_code == 400
    assert recent_violations() == ()


def test_csp_report_must_be_posted(client):
    assert client.get("/csp-report").status_code == 405


def test_favicon(client):
    assert client.get("/favicon.ico").headers["Location"] == "/static/favicon.svg"


@pytest.mark.parametrize(("is_staff", "status"), [(False, 403), (True, 200)])
def test_components_page_is_for_staff(client, is_staff, status):
    client.force_login(make_user(is_staff=is_staff))
    assert client.get("/doctor/components").status_code == status


def test_components_page_needs_a_sign_in(client):
    assert client.get("/doctor/components").headers["Location"] == "/sign-in?next=/doctor/components"


def test_components_page_escapes(client):
    client.force_login(make_user(is_staff=True))
    page = client.get("/doctor/components").text
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=") > 5
