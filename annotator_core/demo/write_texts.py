"""Writes the demo's text files, feedback.csv, training.csv and verified.csv, from the hand-written phrases beside it.

Every sentence was written by hand (phrases/*.txt); this script only chooses among the wordings, joins sentences that
were written to stand together, and makes the slips that people make. Run `python -m annotator_core.demo.write_texts`.
"""

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from annotator_core.demo.phrasebook import LABELS, Phrasebook, Sentence, Single, load_phrasebook
from annotator_core.demo.wording import fill_in, join_sentences, roughen

FEEDBACK_TEXTS = 1580
FEEDBACK_DUPLICATES = 20
TRAINING_TEXTS = 3000
VERIFIED_TEXTS = 1500
"""Chosen: enough for the gate, which needs 100 rows outside the audit frame to decide, and for replay."""

HARD_SHARE = 0.17
TURN_SHARE = 0.04
SEEN_SHARE = 0.55
"""Share of the base sentences that the training part may use. Chosen: the specialists then reach 75-88%."""

LABEL_SHARES = {"negative": 0.38, "neutral": 0.31, "positive": 0.31}
CHANNELS = {
    "negative": ("app", "email", "review", "review", "social", "survey"),
    "neutral": ("app", "chat", "chat", "email", "email", "survey"),
    "positive": ("app", "email", "review", "review", "social", "survey"),
}
TURNS = ("But", "Shame about the rest:", "Now the other side.", "The bad part:", "However:")


@dataclass(frozen=True, slots=True)
class DemoText:
    """One text with its gold label; `topic` is parcel, shop, service or any."""

    text: str
    gold: str
    topic: str


def write_turn(book: Phrasebook, rng: random.Random) -> DemoText:
    """Praise of one thing, then a complaint about another: negative, because the last word decides."""
    praise = rng.choice([core for core in book.cores if core.label == "positive" and not core.hard])
    complaint = rng.choice([c for c in book.cores if c.label == "negative" and not c.hard and c.topic != praise.topic])
    return DemoText(f"{praise.text} || {rng.choice(TURNS)} || {complaint.text}", "negative", complaint.topic)


def write_plain(book: Phrasebook, rng: random.Random) -> DemoText:
    """A base sentence with follow-ups of its own topic, sometimes with a greeting or a closing word."""
    label = rng.choices(list(LABEL_SHARES), weights=list(LABEL_SHARES.values()))[0]
    core = rng.choice([core for core in book.cores if core.label == label and not core.hard])
    parts = [core.text, *rng.sample(book.follow_ups[label, core.topic], rng.choices((0, 1, 2), weights=(4, 5, 2))[0])]
    if rng.random() < 0.22:
        parts.insert(0, rng.choice(book.openers[label]))
    if rng.random() < 0.18:
        parts.append(rng.choice(book.closers[label]))
    return DemoText(" || ".join(parts), label, core.topic)


def write_hard(book: Phrasebook, rng: random.Random) -> DemoText:
    """A sentence written to be hard: sarcasm, mixed feelings, a calm question full of angry words."""
    core = rng.choice([core for core in book.cores if core.hard])
    return DemoText(core.text, core.label, core.topic)


def draw_text(book: Phrasebook, rng: random.Random) -> DemoText:
    """One finished text: pattern drawn, wordings chosen, slips made."""
    chance = rng.random()
    write: Callable[[Phrasebook, random.Random], DemoText] = write_plain
    if chance < HARD_SHARE:
        write = write_hard
    elif chance < HARD_SHARE + TURN_SHARE:
        write = write_turn
    draft = write(book, rng)
    sentences = [fill_in(part, rng) for part in draft.text.split(" || ")]
    return replace(draft, text=roughen(join_sentences(sentences), draft.gold, rng))


def draw_distinct(
    count: int, draw: Callable[[], DemoText], taken: set[str], *, longest_words: int = 45, shortest_words: int = 3
) -> list[DemoText]:
    """`count` texts of 3 to 45 words, none of them in `taken` (letter case aside), which grows by them."""
    texts: list[DemoText] = []
    while len(texts) < count:
        text = draw()
        if text.text.casefold() in taken or not shortest_words <= len(text.text.split()) <= longest_words:
            continue
        taken.add(text.text.casefold())
        texts.append(text)
    return texts


def is_seen(sentence: Sentence) -> bool:
    """Whether the training part may use this base sentence; drawn once per sentence, whatever the order."""
    return random.Random(f"seen {sentence.text}").random() < SEEN_SHARE  # noqa: S311 - not for secrets


def write_feedback(path: Path, texts: list[DemoText], rng: random.Random) -> None:
    """Writes order_id, channel, text, gold; the texts of 20 rows stand in it twice."""
    rows = texts + rng.sample(texts, FEEDBACK_DUPLICATES)
    rng.shuffle(rows)
    write_orders(path, rows, rng, first=104_000)


def write_orders(path: Path, rows: list[DemoText], rng: random.Random, *, first: int) -> None:
    """Writes order_id (rising from `first`), channel, text, gold, the rows in the order given."""
    number = first
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("order_id", "channel", "text", "gold"))
        for row in rows:
            number += rng.randint(1, 9)
            writer.writerow((f"Q-{number}", rng.choice(CHANNELS[row.gold]), row.text, row.gold))


def write_training(path: Path, texts: list[DemoText]) -> None:
    """Writes text, gold, topic."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "gold", "topic"))
        writer.writerows((text.text, text.gold, text.topic) for text in texts)


def as_demo_text(single: Single) -> DemoText:
    """A text that stands as it was written."""
    return DemoText(single.text, single.label, "any")


def write_all(folder: Path, *, seed: int = 7) -> tuple[list[DemoText], list[DemoText], list[DemoText]]:
    """The texts of feedback.csv (without its repeats), training.csv and verified.csv, all written into `folder`.

    No two of the files share a text. verified.csv holds the other base sentences than training.csv: what the
    specialists have never seen, and can learn in a refinement round.
    """
    book = load_phrasebook()
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    feedback = [as_demo_text(single) for single in book.singles]
    taken = {text.text.casefold() for text in feedback}
    feedback += draw_distinct(FEEDBACK_TEXTS - len(feedback), lambda: draw_text(book, rng), taken)
    seen = replace(book, cores=tuple(core for core in book.cores if is_seen(core)))
    training = draw_distinct(TRAINING_TEXTS, lambda: draw_text(seen, rng), taken)
    write_feedback(folder / "feedback.csv", feedback, rng)
    write_training(folder / "training.csv", training)
    other = random.Random(seed + 1)  # noqa: S311 - not for secrets
    unseen = replace(book, cores=tuple(core for core in book.cores if not is_seen(core)))
    verified = draw_distinct(VERIFIED_TEXTS, lambda: draw_text(unseen, other), taken)
    write_orders(folder / "verified.csv", verified, other, first=90_000)
    return feedback, training, verified


if __name__ == "__main__":
    written = write_all(Path(__file__).parent)
    for label in LABELS:
        print(label, *(sum(text.gold == label for text in texts) for texts in written))
