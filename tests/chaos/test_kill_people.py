"""kill -9 of the web process under people: browsers and clients send again, and each decision arrives, once."""

import asyncio
import os
import random
import threading
from contextlib import ExitStack

import pytest

from benchmarks.beside import open_site
from benchmarks.browser import Screen, open_chrome
from benchmarks.protocol import Client, Line, given_twice, live_until
from tests.chaos.driver import TOKEN

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))  # noqa: TID251 (repeats a run)
TEXTS, CLIENTS, BROWSERS, KILLS = 300, 15, 3, 3
PATIENCE_S = 600


def cookies_of(session):
    return f"sessionid={session}; csrftoken={TOKEN}"


def press_keys(screen, over):
    """Decide whatever is on the screen, at a person's pace."""
    while not over.is_set():
        if screen.item() is not None:
            screen.press("1")
        over.wait(0.7)


def kill_on_time(site, moments, over):
    """kill -9 of the web process when so many texts are decided."""
    for moment in moments:
        while site.step("reviewed")["decided"] < moment and not over.is_set():
            over.wait(0.2)
        while not site.kill("web") and not over.is_set():
            over.wait(0.1)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_c06_people_outlive_kills_of_the_server(site, capsys, needs_chromium):
    chance = random.Random(SEED)
    moments = sorted(chance.randrange(10, TEXTS - 60) for _kill in range(KILLS))
    with capsys.disabled():
        print(f"\nCHAOS_SEED={SEED}: web dies at {moments} decisions of {TEXTS}")  # noqa: T201 (repeats a run)
    made = site.step("setup_review", TEXTS, CLIENTS + BROWSERS)
    open_site(site)
    lines = [Line(site.port, cookies_of(one)) for one in made["sessions"][:CLIENTS]]
    clients = [Client(line, "chaos", made["classes"]) for line in lines]
    over = threading.Event()
    with ExitStack() as stack:
        chromes = [stack.enter_context(open_chrome()) for _number in range(BROWSERS)]
        sessions = made["sessions"][CLIENTS:]
        screens = [Screen(one, site.port, cookies_of(session)) for one, session in zip(chromes, sessions, strict=True)]
        for screen in screens:
            screen.open("chaos")
        people = [threading.Thread(target=press_keys, args=(screen, over)) for screen in screens]
        people.append(threading.Thread(target=lambda: asyncio.run(live_until(clients, over, 1.0))))
        for thread in people:
            thread.start()
        killer = threading.Thread(target=kill_on_time, args=(site, moments, over))
        killer.start()
        killer.join(PATIENCE_S)
        site.wait(lambda _status: site.step("reviewed")["left"] == 0)
        over.set()
        for thread in people:
            thread.join()
        sent = {one for screen in screens for one in screen.sent()}
    sent |= {one for client in clients for one in client.seen.outcomes}
    found = site.step("verify_review", TEXTS, *sent)
    assert dict.fromkeys(found, True) == found
    outcomes = {outcome for client in clients for outcome in client.seen.outcomes.values()}
    assert (outcomes <= {"stored", "repeat"}, given_twice(clients)) == (True, set())
