"""The pages of connections over HTTP."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.llm.models import Connection, Price
from labeling.llm.secrets import seal, unseal
from labeling.projects.models import Role
from tests.labeling.factories import add_member, make_project, make_user
from tests.labeling.llm.calling import KEY, make_connection
from tests.labeling.llm.serving import serving
from tests.labeling.llm.spending import WORKING, live_with_models, spend

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ADDRESS = "http://127.0.0.1:8010/v1"
FIELDS = {
    "name": "GPT",
    "base_url": ADDRESS,
    "model": "gpt-mini",
    "key": KEY,
    "timeout_s": "60",
    "concurrency": "8",
    "requests_per_minute": "",
    "input_usd": "0.15",
    "cached_usd": "",
    "output_usd": "0.6",
}


@pytest.fixture
def project(client):
    user = make_user()
    client.force_login(user)
    return make_project(user)


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]


def url(project, name="connections", **words):
    return reverse(f"llm:{name}", kwargs={"slug": project.slug} | words)


def at(connection, name="connection", **words):
    return url(connection.project, name, connection_id=connection.pk, **words)


def test_without_a_connection_the_page_says_what_one_is_for(client, project):
    html = client.get(url(project)).content.decode()
    assert "No language model yet" in html
    assert url(project, "add") in html


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_for_any_number_of_connections(
    client, project, count, django_assert_num_queries
):
    for number in range(count):
        make_connection(project, f"Model {number}")
    make_connection(project, "Gone", is_retired=True)
    client.get(url(project))
    with django_assert_num_queries(11):
        html = client.get(url(project)).content.decode()
    assert html.count("Not tested yet") == count


def test_the_list_says_how_each_connection_is(client, project):
    live_with_models(project, 1)
    html = client.get(url(project)).content.decode()
    assert [html.count(words) for words in (">Works<", ">Fails<", ">Needs a price<")] == [1, 1, 1]
    assert "Retired connections" in html


def test_a_connection_is_added_and_leads_to_its_page(client, project):
    answer = client.post(url(project, "add"), FIELDS)
    connection = Connection.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, at(connection))
    assert unseal(connection.encrypted_key) == KEY
    price = Price.objects.get()
    assert (str(price.cached_usd), price.valid_from) == ("0.1500", timezone.localdate())


def test_an_empty_price_of_the_cache_is_explained_where_it_is_asked_for(client, project):
    client.post(url(project, "add"), FIELDS)
    for page in (url(project, "add"), at(Connection.objects.get())):
        assert client.get(page).content.decode().count("Empty: as much as tokens in.") == 1


def test_htmx_is_led_to_the_new_connection_too(client, project):
    answer = client.post(url(project, "add"), FIELDS, headers=HTMX)
    assert answer.headers["HX-Redirect"] == at(Connection.objects.get())


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_url": "http://169.254.169.254/v1"}, "private, local or reserved"),
        ({"base_url": "ftp://models.example.org"}, "must begin with"),
        ({"input_usd": ""}, "required"),
        ({"input_usd": "-1"}, "greater than or equal to 0"),
        ({"key": "with spaces in it"}, "no key"),
        ({"concurrency": "1000"}, "less than or equal to 64"),
    ],
)
def test_a_wrong_form_comes_back_with_its_error_and_without_the_key(client, project, headers, fields, words):
    answer = client.post(url(project, "add"), FIELDS | fields, headers=headers)
    html = answer.content.decode()
    assert (answer.status_code, words in html, html.count("<html") == 0) == (422, True, bool(headers))
    assert "key" in html
    assert (FIELDS | fields)["key"] not in html
    assert not Connection.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_name_that_is_taken_is_an_error_of_its_field(client, project, headers):
    make_connection(project, "GPT")
    answer = client.post(url(project, "add"), FIELDS, headers=headers)
    assert (answer.status_code, "named “GPT” already" in answer.content.decode()) == (422, True)


def test_the_page_shows_what_the_test_found_prices_and_calls(client, project):
    connection = live_with_models(project, 1)
    html = client.get(at(connection)).content.decode()
    for words in ("Held to the classes by a JSON schema", "From log-probabilities", "Holds today", "Too many requests"):
        assert words in html


@pytest.mark.parametrize("calls", [1, 3])
def test_the_page_takes_the_same_queries_for_any_number_of_calls(client, project, calls, django_assert_num_queries):
    connection = make_connection(project, capability=WORKING)
    spend(connection, 5, calls=calls)
    for number in range(calls):
        price = connection.prices.first()
        price.pk, price.valid_from = None, date(2025, 1, 1 + number)
        price.save(force_insert=True)
    client.get(at(connection))
    with django_assert_num_queries(12):
        assert client.get(at(connection)).status_code == 200


def test_changes_are_saved_and_an_empty_key_keeps_the_old(client, project):
    connection = make_connection(project, base_url=ADDRESS, encrypted_key=seal(KEY), capability=WORKING)
    answer = client.post(at(connection), FIELDS | {"name": "Renamed", "key": "", "requests_per_minute": "30"})
    connection.refresh_from_db()
    assert answer.status_code == 303
    assert (connection.name, connection.requests_per_minute, unseal(connection.encrypted_key)) == ("Renamed", 30, KEY)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_another_address_asks_for_the_key_again(client, project, headers):
    connection = make_connection(project, base_url=ADDRESS, encrypted_key=seal(KEY))
    elsewhere = FIELDS | {"base_url": "http://127.0.0.1:9999/v1", "key": ""}
    answer = client.post(at(connection), elsewhere, headers=headers)
    assert (answer.status_code, "Enter the key again" in answer.content.decode()) == (422, True)
    assert client.post(at(connection), elsewhere | {"remove_key": "on"}).status_code == 303


def test_a_price_is_added_replaced_and_dropped(client, project):
    connection = make_connection(project)
    day = timezone.localdate() + timedelta(days=1)
    fields = {"valid_from": day.isoformat(), "input_usd": "1", "cached_usd": "0.5", "output_usd": "2"}
    fields = {f"price-{name}": value for name, value in fields.items()}
    assert client.post(at(connection, "add-price"), fields).status_code == 303
    assert "To come" in client.get(at(connection)).content.decode()
    price = Price.objects.get(valid_from=day)
    assert client.post(at(connection, "drop-price", price_id=price.pk)).status_code == 303
    last = Price.objects.get()
    client.post(at(connection, "drop-price", price_id=last.pk))
    assert Price.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_wrong_price_comes_back_with_its_error(client, project, headers):
    connection = make_connection(project)
    answer = client.post(at(connection, "add-price"), {"price-valid_from": "no day"}, headers=headers)
    html = answer.content.decode()
    assert (answer.status_code, html.count('aria-invalid="true"')) == (422, 3)
    assert ('id="settings"' in html) is not bool(headers)


def test_the_test_button_says_whether_it_works(client, project, settings):
    with serving(settings) as (address, _script):
        connection = make_connection(project, base_url=address, model="fake-model", encrypted_key=seal(KEY))
        answer = client.post(at(connection, "act", verb="test"), follow=True)
        assert "Held to the classes" in answer.content.decode()
        Connection.objects.update(encrypted_key=seal("sk-wrong"))
        answer = client.post(at(connection, "act", verb="test"), headers=HTMX)
        assert answer.headers["HX-Redirect"] == at(connection)
    assert "refuses the key" in client.get(at(connection)).content.decode()


def test_a_retired_connection_keeps_its_page_without_forms(client, project):
    connection = make_connection(project, encrypted_key=seal(KEY))
    client.post(at(connection, "act", verb="retire"))
    connection.refresh_from_db()
    html = client.get(at(connection)).content.decode()
    assert (connection.is_retired, connection.has_key) == (True, False)
    assert at(connection, "act", verb="test") not in html


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("connection", {}),
        ("act", {"verb": "test"}),
        ("act", {"verb": "retire"}),
        ("add-price", {}),
        ("drop-price", {"price_id": 1}),
    ],
)
def test_a_connection_of_another_project_is_not_found(client, project, name, words):
    connection = make_connection(make_project(make_user()))
    address = url(project, name, connection_id=connection.pk, **words)
    assert client.post(address, FIELDS).status_code == 404
    assert not Connection.objects.get().is_retired


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
def test_only_managers_come_in(client, project, role):
    member = make_user()
    add_member(project, member, role)
    connection = live_with_models(project, 1)
    client.force_login(member)
    pages = [url(project), url(project, "add"), at(connection), url(project, "costs"), url(project, "ledger-csv")]
    assert [client.get(page).status_code for page in pages] == [403] * 5
    assert (
        "Language models" not in client.get(reverse("overview:project", kwargs={"slug": project.slug})).content.decode()
    )


@pytest.mark.parametrize("name", ["connections", "costs"])
def test_both_pages_stand_under_one_tab(client, project, name):
    html = client.get(url(project, name)).content.decode()
    assert f'href="{url(project)}" aria-current="page">Language models' in html
