"""What a finished configuration gave, read from its database; what its pools would say of other rows is asked here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.main_job import CLASSES
from benchmarks.refinement import Configuration
from benchmarks.refinement_book import Book, answers_of, open_book, probs_of, share, taken
from benchmarks.report import machine
from benchmarks.train_specialists import read_rows

CURVE_STEP = 100
TEST_ROWS = 1_000
TESTS = {
    "tweets-a": "semeval_tweets_2013_2016",
    "tweets-b": "semeval_tweets_2013_2016",
    "airline": "airline_tweets",
    "reviews": "sst5",
}


def measure(wanted: Configuration, datasets: Path | None) -> dict[str, Any]:
    """All figures of the run, as they are kept. Without `datasets` there are no source tests to forget."""
    from labeling.runs.models import Run

    run = Run.objects.exclude(state="cancelled").get()
    check(run)
    book = open_book(run)
    generations = list(run.generations.order_by("number"))
    tests = {name: read_test(datasets, source) for name, source in TESTS.items()} if datasets else {}
    return {
        "policy": {"name": wanted.policy, "beta": wanted.beta, "seed": wanted.seed},
        "budget": wanted.budget,
        "person_right": wanted.right,
        "machine": machine(),
        "start": start_of(book),
        "final": final_of(book),
        "rounds": [round_of(book, each) for each in run.rounds.order_by("number")],
        "generations": [generation_of(book, each, tests) for each in generations],
        "curve": curve_of(book, generations),
    }


def check(run: Any) -> None:
    """Hold the run to its counters: a label on every row, the person's where a person decided, nothing hard left."""
    from django.db.models import F

    from labeling.labels.models import Consensus, Label, Verdict

    labels = Label.objects.filter(sample__dataset=run.dataset, is_current=True)
    assert labels.count() == run.row_count, f"{run.row_count - labels.count()} rows have no label"
    current = Consensus.objects.filter(run=run, is_current=True)
    assert current.count() == run.row_count == run.voted, "a row is not voted on"
    routes = {name: current.filter(route=name).count() for name in ("review", "accept")}
    assert routes == {"review": run.hard, "accept": run.accepted}, (routes, run.hard, run.accepted)
    by_person = labels.filter(source="human")
    assert by_person.filter(label_class=F("verdict__label_class")).count() == run.decided == run.hard
    texts = Verdict.objects.filter(item__run=run, is_current=True).count()
    assert by_person.values("sample__text_hash").distinct().count() == texts, "a verdict labels nothing"


def on_rows(book: Book, number: int, rows: np.ndarray) -> dict[str, Any]:
    """How right the pool of that generation is on the rows, and on how many of them not all agree."""
    found, gold = answers_of(book, number), book.gold[rows]
    return {
        "rows": int(rows.sum()),
        "majority": share(found.majority[rows] == gold),
        "average": share(found.average[rows] == gold),
        "hard": share(found.is_hard[rows]),
    }


def start_of(book: Book) -> dict[str, Any]:
    """The first pool on all rows, and what it and a person who is always right give without any learning."""
    every = np.ones(len(book.gold), dtype=bool)
    found, members = (
        answers_of(book, 0),
        book.run.generations.get(number=0).members.select_related("version__specialist"),
    )
    alone = {m.version.specialist.name: probs_of(book, m.version).argmax(axis=1) == book.gold for m in members}
    return on_rows(book, 0, every) | {
        "alone": {name: share(right) for name, right in alone.items()},
        "agreed_right": share((found.majority == book.gold)[~found.is_hard]),
        "with_person": share((found.majority == book.gold) | found.is_hard),
    }


def final_of(book: Book) -> dict[str, Any]:
    """Reviews and accuracy at the end; the person's labels count as they were given."""
    from django.db.models import F

    from labeling.labels.models import Label

    labels = Label.objects.filter(sample__dataset=book.run.dataset, is_current=True)
    machine_made = labels.filter(source="consensus")
    right = labels.filter(label_class__name=F("sample__gold"))
    accepted = machine_made.count()
    return {
        "decisions": len(book.times),
        "reviewed": book.run.decided,
        "reviewed_share": round(book.run.decided / book.run.row_count, 4),
        "accuracy": round(right.count() / book.run.row_count, 4),
        "accepted": accepted,
        "accepted_right": round(right.filter(source="consensus").count() / max(1, accepted), 4),
    }


def round_of(book: Book, learned: Any) -> dict[str, Any]:
    """What a round learned from, what the gate said, and the pool before and after on the rows not yet decided."""
    decisions = book.decisions_before(learned.created_at)
    rest = book.decided >= decisions
    before = learned.generation_before
    later = book.run.rounds.filter(number__gt=learned.number).order_by("number").first()
    after = later.generation_before if later else book.run.generation
    ahead = rest & (np.arange(len(rest)) >= (book.run.generations.get(number=before).until or len(rest)))
    challengers = list(learned.challengers.select_related("specialist", "version"))
    return {
        "number": learned.number,
        "state": learned.state,
        "decisions": decisions,
        "rows": {name: getattr(learned, f"{name}_rows") for name in ("pool", "random", "replay", "choose", "decide")},
        "seconds": round((learned.finished_at - learned.created_at).total_seconds(), 1),
        "training_seconds": round(sum(each.seconds for each in challengers), 1),
        "rest_before": on_rows(book, before, rest),
        "rest_after": on_rows(book, after, rest),
        "ahead_before": on_rows(book, before, ahead),
        "ahead_after": on_rows(book, after, ahead),
        "challengers": [challenger_of(each) for each in challengers],
    }


def challenger_of(challenger: Any) -> dict[str, Any]:
    """The gate's figures on one challenger."""
    names = ("state", "verdict", "p_better", "accuracy_before", "accuracy_after", "epoch", "share", "precision")
    found = {name: getattr(challenger, name) for name in names}
    found = {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}
    return {"specialist": challenger.specialist.name, **found, "seconds": round(challenger.seconds, 1)}


def generation_of(book: Book, generation: Any, tests: dict[str, tuple[list[str], np.ndarray]]) -> dict[str, Any]:
    """One generation: the rows accepted by then, their classes against gold, what it changed, what it has forgotten."""
    counters = ("origin", "until", "voted_again", "taken_off", "renewed", "relabeled", "cut_score")
    members = generation.members.select_related("version__specialist")
    return {
        "number": generation.number,
        "decisions": book.decisions_before(generation.created_at),
        **{name: getattr(generation, name) for name in counters},
        "accepted": accepted_by(book, generation.number),
        "source_test": {
            m.version.specialist.name: test_right(m.version, *tests[m.version.specialist.name])
            for m in members
            if m.version.specialist.name in tests
        },
    }


def accepted_by(book: Book, number: int) -> dict[str, Any]:
    """The rows that stand accepted under that generation or an older one, with the label of the newest of these."""
    from labeling.labels.models import Consensus

    rows = Consensus.objects.filter(run=book.run, generation__lte=number).order_by("generation")
    newest = {
        sample: (route, label) for sample, route, label in rows.values_list("sample_id", "route", "label_class_id")
    }
    index_of = {class_id: index for index, class_id in enumerate(book.class_ids)}
    standing = [newest.get(sample_id, (None, None)) for sample_id in book.ids]
    is_accepted = np.array([route == "accept" for route, _label in standing])
    label = np.array([index_of.get(class_id, -1) for _route, class_id in standing])[is_accepted]
    gold = book.gold[is_accepted]
    names = dict(book.run.project.classes.values_list("id", "name"))
    order = [book.class_ids.index(next(pk for pk, name in names.items() if name == each)) for each in CLASSES]
    return {
        "rows": int(is_accepted.sum()),
        "right": share(label == gold),
        "shares": [share(label == index) for index in order],
        "gold_shares": [share(gold == index) for index in order],
    }


def curve_of(book: Book, generations: Sequence[Any]) -> list[list[float]]:
    """[n, accuracy] after every hundred decisions: undecided rows take the answer of the newest pool by then."""
    opened = [book.decisions_before(each.created_at) for each in generations]
    points = [*range(0, len(book.times), CURVE_STEP), len(book.times)]
    curve = []
    for n in points:
        newest = max(index for index, at in enumerate(opened) if at <= n)
        right = taken(book, generations[newest].number) == book.gold
        is_decided = book.decided < n
        curve.append([n, share(np.where(is_decided, book.is_person_right, right))])
    return curve


def read_test(datasets: Path, source: str) -> tuple[list[str], np.ndarray]:
    """(texts, classes) of the source's test set, its first thousand rows."""
    rows = read_rows(datasets / source / "test.csv", TEST_ROWS)
    return [text for text, _label in rows], np.array([label for _text, label in rows])


def test_right(version: Any, texts: list[str], gold: np.ndarray) -> float | None:
    """The version's accuracy on the test set of its own source."""
    from labeling.projects.models import LabelClass
    from labeling.specialists.engine import predict

    names = dict(LabelClass.objects.values_list("id", "name"))
    order = np.array([CLASSES.index(names[class_id]) for class_id in version.class_ids])
    return share(order[np.nan_to_num(predict(version, texts).probs).argmax(axis=1)] == gold)
