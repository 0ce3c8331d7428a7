"""Many people on one queue at once: clients that speak the screen's wire beside a real browser (C06).

`make bench-ui ARGS=load` does the same with 15 clients and 3 browsers over 1,500 texts on both databases.
"""

import asyncio
import threading

from benchmarks.client import sign_in
from benchmarks.histories import labelled, wrong_time_lines
from benchmarks.protocol import Client, Line, given_twice, live_until
from labeling.labels.models import ItemState, ReviewItem, Verdict
from tests.browser.reviewing import items_there, open_review, press, reviewing, saved
from tests.labeling.factories import add_member, make_user

TEXTS = 60
THINK_S = 0.1
NOTE_SENT = """
window.sent = new Set();
const plain = window.fetch;
window.fetch = (url, options) => {
  for (const one of JSON.parse(options?.body ?? "{}").actions ?? []) window.sent.add(one.id);
  return plain(url, options);
};
"""


def make_clients(project, port, count):
    class_ids = list(project.classes.values_list("id", flat=True))
    users = [make_user(f"client-{number}") for number in range(count)]
    for user in users:
        add_member(project, user)
    return [Client(Line(port, sign_in(user)), project.slug, class_ids) for user in users]


def test_c06_fifteen_clients_and_a_browser_decide_a_queue_together(reader, still_site, staff):
    project = reviewing(staff, texts=TEXTS)
    clients = make_clients(project, still_site.port, 15)
    over = threading.Event()
    crowd = threading.Thread(target=lambda: asyncio.run(live_until(clients, over, THINK_S)))
    open_review(reader, project)
    reader.chrome.execute_script(NOTE_SENT)
    by_browser = [press(reader, "1") for _time in range(2)]
    crowd.start()
    waiting = ReviewItem.objects.filter(project=project, state=ItemState.OPEN)
    reader.until(lambda: _decide(reader) or not waiting.exists(), 90)
    over.set()
    crowd.join()
    saved(reader)
    assert [error for client in clients for error in client.seen.errors] == []
    assert {outcome for client in clients for outcome in client.seen.outcomes.values()} == {"stored"}
    sent = [one for client in clients for one in client.seen.outcomes]
    by_hand = reader.chrome.execute_script("return [...window.sent]")
    verdicts = Verdict.objects.filter(is_current=True)
    assert (verdicts.count(), verdicts.values("item").distinct().count()) == (TEXTS, TEXTS)
    assert verdicts.exclude(user=staff).count() == len(sent) == len(set(sent))
    assert set(by_browser) <= set(verdicts.filter(user=staff).values_list("item_id", flat=True))
    stored = {str(one) for one in Verdict.objects.values_list("client_id", flat=True)}
    assert {*sent, *by_hand} == stored == labelled(project)
    assert wrong_time_lines(project, TEXTS) == (0, f"{TEXTS} read")
    assert given_twice(clients) == set()


def _decide(reader):
    """The browser's next decision; never true, so that the waiting goes on."""
    if items_there(reader):
        reader.key("1")
    return False
