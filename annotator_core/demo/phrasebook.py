"""Reads the hand-written phrases that the demo's texts are made of."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LABELS = ("negative", "neutral", "positive")
PHRASES = Path(__file__).parent / "phrases"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A base sentence, with `{a|b}` for wordings and `<slot>` for names and numbers."""

    text: str
    label: str
    topic: str
    hard: bool


@dataclass(frozen=True, slots=True)
class Single:
    """A text that is used once, as it stands."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """All phrases: base sentences, follow-ups by (label, topic), openers and closers by label, singles."""

    cores: tuple[Sentence, ...]
    follow_ups: dict[tuple[str, str], list[str]]
    openers: dict[str, list[str]]
    closers: dict[str, list[str]]
    singles: tuple[Single, ...]


def read_lines(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """(topic, label, mark, phrase) of each phrase; mark is `-` for a base sentence, `+` for a follow-up."""
    topic = label = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## (\w+) (\w+)", line):
            topic, label = heading.groups()
        elif line:
            yield topic, label, line[0], line[2:]


def load_singles() -> tuple[Single, ...]:
    """The texts of single.txt, each `label|text`."""
    lines = (PHRASES / "single.txt").read_text(encoding="utf-8").splitlines()
    return tuple(Single(text, label) for label, _, text in (line.partition("|") for line in lines))


def load_phrasebook() -> Phrasebook:
    """The whole phrasebook from phrases/*.txt."""
    cores: list[Sentence] = []
    follow_ups: dict[tuple[str, str], list[str]] = defaultdict(list)
    ends: dict[str, dict[str, list[str]]] = {"openers": defaultdict(list), "closers": defaultdict(list)}
    for name in (*LABELS, "hard"):
        for topic, label, mark, phrase in read_lines(PHRASES / f"{name}.txt"):
            if topic in ends:
                ends[topic][label].append(phrase)
            elif mark == "+":
                follow_ups[label, topic].append(phrase)
            else:
                cores.append(Sentence(phrase, label, topic, hard=name == "hard"))
    return Phrasebook(tuple(cores), dict(follow_ups), dict(ends["openers"]), dict(ends["closers"]), load_singles())
