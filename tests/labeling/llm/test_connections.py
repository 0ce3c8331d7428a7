"""Connections and their prices: what is taken, what is refused, and what a key is kept for."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from annotator_core.errors import ConnectionBroken
from labeling.llm import engine
from labeling.llm.actions.connections import (
    Given,
    add_connection,
    change_connection,
    note_error,
    record_test,
    retire_connection,
)
from labeling.llm.actions.prices import Tariff, drop_price, set_price
from labeling.llm.models import Connection, Price
from labeling.llm.secrets import seal, unseal
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import KEY, make_connection

pytestmark = pytest.mark.django_db
ADDRESS = "http://127.0.0.1:8010/v1"
TARIFF = Tariff(Decimal("0.15"), Decimal("0.075"), Decimal("0.6"))


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "127.0.0.2"]


@pytest.fixture
def project():
    return make_project(make_user())


def given(**fields):
    return Given(**({"name": "GPT", "base_url": ADDRESS, "model": "gpt-mini"} | fields))


def add(project, *, key=KEY, tariff=TARIFF, **fields):
    return add_connection(project=project, given=given(**fields), key=key, tariff=tariff, by=None)


def refused(error):
    return error.value.field


def test_a_connection_is_kept_with_its_sealed_key_and_its_first_price(project):
    connection = add(project)
    assert (connection.has_key, unseal(connection.encrypted_key)) == (True, KEY)
    assert KEY not in connection.encrypted_key
    price = engine.price_of(connection, timezone.localdate())
    assert (price.input_usd, price.cached_usd, price.output_usd) == (0.15, 0.075, 0.6)


@pytest.mark.parametrize(
    "written", [f"{ADDRESS}/", f" {ADDRESS} ", f"{ADDRESS}/chat/completions", f"{ADDRESS}/chat/completions/"]
)
def test_an_address_is_taken_as_people_copy_it(project, written):
    assert add(project, base_url=written).base_url == ADDRESS


@pytest.mark.parametrize(
    "address",
    [
        "ftp://models.example.org/v1",
        "file:///etc/passwd",
        "http://user:pass@127.0.0.1/v1",
        "http://169.254.169.254/v1",
        "http://[::1]:8010/v1",
        "http://2130706433/v1",
        "http://0x7f.1/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://192.168.0.7/v1",
        "http://[::1",
        f"{ADDRESS}?api-key={KEY}",
        "nothing",
    ],
)
def test_s12_an_address_that_must_not_be_called_is_an_error_of_its_field(project, address):
    with pytest.raises(ActionError) as error:
        add(project, base_url=address)
    assert refused(error) == "base_url"
    assert KEY not in error.value.message
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": " "}, "name"),
        ({"model": " "}, "model"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 601}, "timeout_s"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 65}, "concurrency"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"key": "sk with spaces"}, "key"),
        ({"key": "sk-ä"}, "key"),
        ({"key": "s\nk"}, "key"),
        ({"tariff": Tariff(Decimal(-1), Decimal(0), Decimal(0))}, "input_usd"),
    ],
)
def test_what_cannot_be_is_an_error_of_its_field(project, fields, name):
    with pytest.raises(ActionError) as error:
        add(project, **fields)
    assert refused(error) == name
    assert not Connection.objects.exists()


def test_names_are_unique_in_a_project_and_free_elsewhere(project):
    add(project)
    add(make_project(make_user()))
    with pytest.raises(ActionError) as error:
        add(project)
    assert refused(error) == "name"


def test_an_empty_key_keeps_the_one_that_is_there(project):
    connection = add(project)
    change_connection(connection=connection, given=given(name="Other", concurrency=2))
    connection.refresh_from_db()
    assert (connection.name, connection.concurrency, unseal(connection.encrypted_key)) == ("Other", 2, KEY)


def test_a_key_can_be_replaced_and_removed(project):
    connection = add(project)
    change_connection(connection=connection, given=given(), key="sk-new")
    assert unseal(Connection.objects.get().encrypted_key) == "sk-new"
    change_connection(connection=connection, given=given(), is_key_removed=True)
    assert not Connection.objects.get().has_key


@pytest.mark.parametrize(
    "elsewhere", ["http://127.0.0.2:8010/v1", "http://127.0.0.1:8011/v1", "https://127.0.0.1:8010/v1"]
)
def test_a_kept_key_is_never_sent_to_another_address(project, elsewhere):
    connection = add(project)
    with pytest.raises(ActionError) as error:
        change_connection(connection=connection, given=given(base_url=elsewhere))
    assert refused(error) == "key"
    assert Connection.objects.get().base_url == ADDRESS
    change_connection(connection=connection, given=given(base_url=elsewhere), key="sk-for-there")
    assert unseal(Connection.objects.get().encrypted_key) == "sk-for-there"


def test_another_path_of_the_same_server_keeps_the_key(project):
    connection = add(project)
    change_connection(connection=connection, given=given(base_url="http://127.0.0.1:8010/v2"))
    assert unseal(Connection.objects.get().encrypted_key) == KEY


@pytest.mark.parametrize("change", [{"model": "other"}, {"base_url": "http://127.0.0.1:8010/v2"}, {"key": "sk-new"}])
def test_what_a_test_found_holds_for_the_same_model_and_key_only(project, change):
    connection = add(project)
    record_test(connection=connection, capability={"schema": "json_schema"})
    connection.refresh_from_db()
    change_connection(connection=connection, given=given(timeout_s=5))
    assert Connection.objects.get().capability == {"schema": "json_schema"}
    change_connection(
        connection=connection, given=given(**{k: v for k, v in change.items() if k != "key"}), key=change.get("key", "")
    )
    found = Connection.objects.get()
    assert (found.capability, found.tested_at) == ({}, None)


def test_an_error_is_noted_and_a_good_test_takes_it_away(project):
    connection = add(project)
    note_error(connection=connection, error="The endpoint refuses the key.")
    assert Connection.objects.get().error_at is not None
    record_test(connection=connection, capability={"schema": "text"})
    assert (Connection.objects.get().error, Connection.objects.get().error_at) == ("", None)


def test_a_retired_connection_forgets_its_key_and_is_not_asked_or_changed(project):
    connection = add(project)
    retire_connection(connection=connection)
    connection.refresh_from_db()
    assert (connection.is_retired, connection.has_key) == (True, False)
    with pytest.raises(ConnectionBroken):
        engine.open_asker(connection)
    with pytest.raises(ActionError):
        change_connection(connection=connection, given=given())


def test_what_others_did_meanwhile_is_not_undone(project):
    """Two people at once: one looks at a form, or waits for a test, while the other changes or retires it."""
    connection = add(project)
    tested = Connection.objects.get(pk=connection.pk)
    change_connection(connection=connection, given=given(model="another"))
    record_test(connection=tested, capability={"schema": "json_schema"})
    connection.refresh_from_db()
    assert (connection.capability, connection.tested_at) == ({}, None)
    retire_connection(connection=tested)
    with pytest.raises(ActionError, match="retired"):
        change_connection(connection=connection, given=given())
    assert Connection.objects.filter(is_retired=True, encrypted_key="").exists()


def test_an_asker_never_shows_its_key(project):
    with engine.open_asker(add(project)) as asker:
        assert KEY not in repr(asker) + str(asker) + asker.identity
        assert asker.identity == f"{ADDRESS} gpt-mini"


def test_a_key_that_cannot_be_read_any_more_is_asked_for_again(project, settings):
    connection = add(project)
    settings.SECRET_KEY = "another " * 8
    with pytest.raises(ConnectionBroken, match="Enter it again"):
        engine.open_asker(connection)
    settings.SECRET_KEY_FALLBACKS = []


def test_the_operators_key_is_sent_to_the_operators_address_only(project, settings):
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = f"{ADDRESS}/", "sk-of-the-operator"
    assert engine.key_of(add(project, name="There", key="")) == "sk-of-the-operator"
    assert engine.key_of(add(project, name="Own key")) == KEY
    for n, elsewhere in enumerate(("http://127.0.0.2:8010/v1", "http://127.0.0.1:8010/v1/x", "http://127.0.0.1:8010")):
        assert engine.key_of(add(project, name=f"{n}", key="", base_url=elsewhere)) is None


def test_the_newest_price_that_has_begun_holds(project):
    connection = make_connection(project, price=None)
    for day, dollars in ((date(2024, 1, 1), 1), (date(2024, 6, 1), 2), (date(2999, 1, 1), 3)):
        set_price(connection=connection, tariff=Tariff(*[Decimal(dollars)] * 3), valid_from=day, by=None)
    days = (date(2024, 5, 31), date(2024, 6, 1), date(2026, 1, 1))
    assert [engine.price_of(connection, day).input_usd for day in days] == [1.0, 2.0, 2.0]
    with pytest.raises(ConnectionBroken, match="no price"):
        engine.price_of(connection, date(2023, 12, 31))


def test_a_price_of_the_same_day_is_replaced(project):
    connection = make_connection(project)
    day = timezone.localdate() + timedelta(days=3)
    for dollars in (1, 2):
        set_price(connection=connection, tariff=Tariff(*[Decimal(dollars)] * 3), valid_from=day, by=None)
    assert Price.objects.get(valid_from=day).input_usd == 2


def test_the_last_price_stays(project):
    connection = make_connection(project)
    set_price(connection=connection, tariff=TARIFF, valid_from=timezone.localdate(), by=None)
    first, last = Price.objects.order_by("valid_from")
    drop_price(connection=connection, price_id=first.pk)
    with pytest.raises(ActionError, match="only price"):
        drop_price(connection=connection, price_id=last.pk)
    assert list(Price.objects.all()) == [last]


def test_a_plan_draws_at_a_temperature_only_where_it_draws_several(project):
    plans = [engine.plan_of(classes=("a", "b"), strategy="few-shot", draws=draws) for draws in (1, 3)]
    assert [(plan.draws, plan.temperature, plan.strategy.value) for plan in plans] == [
        (1, 0.0, "few-shot"),
        (3, engine.DRAW_TEMPERATURE, "few-shot"),
    ]


def test_what_was_sealed_under_an_older_key_opens_while_that_is_a_fallback(settings):
    token, settings.SECRET_KEY_FALLBACKS = seal(KEY), [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one " * 6
    assert unseal(token) == KEY


def test_the_command_seals_all_keys_under_the_newest_secret(project, settings, capsys):
    readable, unreadable = add(project), add(project, name="Other")
    Connection.objects.filter(pk=unreadable.pk).update(encrypted_key="lost")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one " * 6
    call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []
    assert unseal(Connection.objects.get(pk=readable.pk).encrypted_key) == KEY
    assert "Sealed anew: 1." in (said := capsys.readouterr().out)
    assert "Enter these again" in said
