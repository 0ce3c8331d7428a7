"""The review screen in a browser: a project with texts, what is on the screen, what waits in the browser."""

from contextlib import contextmanager

from labeling.labels.models import Verdict, Vote
from labeling.runs.models import PoolGeneration, PoolMember
from tests.labeling.factories import CLASSES, make_dataset, make_project, make_run
from tests.labeling.refinement.made_rounds import make_versions

CARD = "#stage .card"
NETWORK = "Network.emulateNetworkConditions"
OPEN = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
WAITING = """
const done = arguments[arguments.length - 1];
const asked = indexedDB.open("autoannotator", 1);
asked.onupgradeneeded = () =>
  asked.result.createObjectStore("actions", {autoIncrement: true}).createIndex("box", "box");
asked.onsuccess = () => {
  const count = asked.result.transaction("actions").objectStore("actions").count();
  count.onsuccess = () => { asked.result.close(); done(count.result); };
};
"""


def reviewing(staff, texts=6, classes=CLASSES, **policy):
    """A project with texts to review (`texts`: how many, or they themselves); `policy` sets the project's fields."""
    project = make_project(staff, classes=classes, guideline="# In doubt\n\nneutral")
    for name, value in policy.items():
        setattr(project, name, value)
    project.save()
    said = [f"Text number {n} with “quotes”" for n in range(texts)] if isinstance(texts, int) else texts
    make_run(make_dataset(project, said))
    return project


def let_vote(project):
    """Three specialists of the run's pool vote on every text, each for a class of its own."""
    generation = PoolGeneration.objects.get(run__project=project)
    for position, version in enumerate(make_versions(project)):
        PoolMember.objects.create(generation=generation, version=version, position=position)
        chosen = project.classes.get(position=position)
        for sample in generation.run.dataset.samples.all():
            Vote.objects.create(sample=sample, version=version, label_class=chosen, top_probability=0.5)


def open_review(person, project):
    """Go there; returns the item on the screen once the page holds what it wants to hold."""
    person.open(f"/p/{project.slug}/label")
    item = shown(person)
    person.until(lambda: person.find("#screen").get_dom_attribute("data-ready") is not None)
    return item


def shown(person):
    """The id of the item on the screen, waited for."""
    return person.until(lambda: next(iter(items_there(person)), None))


def items_there(person):
    """The ids of the items on the screen now: one, or none."""
    return [int(one.get_dom_attribute("data-item")) for one in person.all(CARD)]


def press(person, key):
    """Press a key when a text is shown, and wait until it has left; returns its item."""
    item = shown(person)
    person.key(key)
    person.until(lambda: items_there(person) != [item])
    return item


def waiting(person):
    """How many actions wait in the browser's outbox."""
    return person.chrome.execute_async_script(WAITING)


def saved(person):
    """Wait until nothing is on its way any more."""
    person.until(lambda: waiting(person) == 0)


@contextmanager
def bad_network(person, **conditions):
    """The browser's network cut (offline=True) or slow (latency=1000), and mended at the end."""
    person.chrome.execute_cdp_cmd("Network.enable", {})
    person.chrome.execute_cdp_cmd(NETWORK, OPEN | conditions)
    try:
        yield
    finally:
        person.chrome.execute_cdp_cmd(NETWORK, OPEN)


def excuse(person, *words):
    """What the console said of requests that could not work; anything else fails."""
    assert [error for error in person.errors() if not any(word in error for word in words)] == []


def answers():
    """{item: class name} of all answers that count."""
    said = Verdict.objects.filter(is_current=True, is_undo=False, is_stale=False)
    return dict(said.values_list("item_id", "label_class__name"))
