"""A finished run's rows with gold, decisions and what any of its pools says of them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Answers:
    """A pool's answers on n rows: class indices (n,) with -1 for none, by majority and by averaged probability."""

    majority: np.ndarray
    average: np.ndarray
    is_hard: np.ndarray


@dataclass(slots=True)
class Book:
    """A run's rows in order (n,): ids, gold classes, decision number from 0 or NEVER, and whether the person is right.

    `times` are the moments of the decisions.
    """

    run: Any
    class_ids: list[int]
    ids: list[int]
    hashes: list[str]
    texts: list[str]
    gold: np.ndarray
    decided: np.ndarray
    is_person_right: np.ndarray
    times: list[datetime]
    probs: dict[int, np.ndarray] = field(default_factory=dict)
    pools: dict[int, Answers] = field(default_factory=dict)

    def decisions_before(self, moment: datetime) -> int:
        """How many decisions had been made."""
        return sum(time < moment for time in self.times)


def open_book(run: Any) -> Book:
    """The run's rows with gold and decisions."""
    from labeling.labels.models import Verdict

    versions = run.generations.get(number=0).members.select_related("version")
    class_ids = list(versions[0].version.class_ids)
    names = dict(run.project.classes.values_list("id", "name"))
    rows = list(run.dataset.samples.order_by("position").values_list("id", "text_hash", "text", "gold"))
    verdicts = Verdict.objects.filter(item__run=run, is_current=True, is_undo=False, is_stale=False).order_by("id")
    found = list(verdicts.values_list("item__text_hash", "label_class_id", "created_at"))
    number = {text_hash: index for index, (text_hash, _class, _at) in enumerate(found)}
    given = {text_hash: names[class_id] for text_hash, class_id, _at in found}
    index_of = {names[class_id]: index for index, class_id in enumerate(class_ids)}
    return Book(
        run=run,
        class_ids=class_ids,
        ids=[row[0] for row in rows],
        hashes=[row[1] for row in rows],
        texts=[row[2] for row in rows],
        gold=np.array([index_of[row[3]] for row in rows]),
        decided=np.array([number.get(row[1], NEVER) for row in rows]),
        is_person_right=np.array([given.get(row[1]) == row[3] for row in rows]),
        times=[at for _hash, _class, at in found],
    )


def probs_of(book: Book, version: Any) -> np.ndarray:
    """The version's probabilities (n, k): stored votes, and answers asked for now where it has not voted."""
    from labeling.labels.engine import unpack
    from labeling.labels.models import Vote
    from labeling.specialists.engine import predict

    if version.pk not in book.probs:
        votes = Vote.objects.filter(version=version, sample__dataset=book.run.dataset)
        stored = dict(votes.values_list("sample__text_hash", "probs"))
        probs = unpack([bytes(stored[h]) if stored.get(h) else None for h in book.hashes], len(book.class_ids))
        missing = {text_hash: i for i, text_hash in enumerate(book.hashes) if text_hash not in stored}
        if missing:
            asked = predict(version, [book.texts[i] for i in missing.values()]).probs
            row = {text_hash: asked[j] for j, text_hash in enumerate(missing)}
            for i, text_hash in enumerate(book.hashes):
                if text_hash in row:
                    probs[i] = row[text_hash]
        book.probs[version.pk] = probs
    return book.probs[version.pk]


def answers_of(book: Book, number: int) -> Answers:
    """What the pool of that generation says of all rows."""
    from labeling.labels.engine import combine

    if number not in book.pools:
        members = book.run.generations.get(number=number).members.select_related("version__specialist")
        probs = np.stack([probs_of(book, member.version) for member in members], axis=1)
        votes = np.where(np.isnan(probs[..., 0]), -1, np.nan_to_num(probs).argmax(axis=2))
        both = [combine(votes, probs, min_agree=len(members), is_average=is_average) for is_average in (False, True)]
        book.pools[number] = Answers(both[0].classes, both[1].classes, both[0].is_hard)
    return book.pools[number]


def taken(book: Book, number: int) -> np.ndarray:
    """The answers (n,) that the run's own aggregator takes from the pool of that generation."""
    found = answers_of(book, number)
    return found.average if book.run.aggregator == "average" else found.majority


def share(mask: np.ndarray) -> float | None:
    """The share of true values; None without any."""
    return round(float(mask.mean()), 4) if len(mask) else None
