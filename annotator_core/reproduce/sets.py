"""Which data sets are labeled, into which classes, and by which pool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from annotator_core.errors import BadInput
from annotator_core.reproduce.rows import read_classes

Task = Literal["sentiment", "toxicity", "own", "stored"]
"""Where votes come from: fine-tuned encoders, linear specialists of other sources or of the set's own, or a file."""

SENTIMENT: Final = ("negative", "neutral", "positive")
TOXICITY: Final = ("non_toxic", "toxic")
STARS: Final = {"very negative": "negative", "very positive": "positive"}
_NEWS: Final = {"bearish": "negative", "bullish": "positive"}
TOXIC: Final = {"neither": "non_toxic", "not_offensive": "non_toxic", "offensive": "toxic", "hate_speech": "toxic"}
_LINEAR: Final = ("linear-both", "linear-words", "linear-characters")
_LINEAR_MORE: Final = ("linear-both-2", "linear-words-2")
_PANEL: Final = ("chatgpt", "text-davinci-003", "flan-ul2")
_FLAN: Final = ("flan-t5-large", "flan-t5-base", "flan-t5-xl")


@dataclass(frozen=True, slots=True)
class DataSet:
    """A set to label.

    files: below the data folder, the rows to label; of a ``stored`` set the folder of its votes. classes: in the order
    of class indices, empty where they are read from the file that specialists learn from. pool: the specialists of the
    tables; more: those that join for Table 5. meanings: other names of classes. training: for the task ``own``, the
    file whose first rows, shuffled, its specialists learn from, and how many rows each. llm: the voter of a stored set
    that is a real verifier. is_home: whether a specialist learned from the same source.
    """

    name: str
    title: str
    task: Task
    files: tuple[str, ...]
    classes: tuple[str, ...]
    pool: tuple[str, ...]
    more: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)
    training: str = ""
    rows_each: int = 500
    panel: tuple[str, ...] = ()
    is_home: bool = False

    @property
    def specialists(self) -> tuple[str, ...]:
        """All whose votes are needed, the pool first."""
        return self.pool + self.more


_PAPER_LIKE: Final = ("tweets-a", "airline", "reviews")
"""Three sources, as the pool of the reference experiments."""
_TWEETS_ONLY: Final = ("tweets-a", "tweets-b", "airline")
"""A pool that has read no review."""


LESSONS: Final = {
    "linear-davidson": ("davidson_hate_offensive/train.csv", 0),
    "linear-offence-a": ("tweeteval_offensive/train.csv", 0),
    "linear-offence-b": ("tweeteval_offensive/train.csv", 3_000),
}
"""What the specialists of the task toxicity learn from: a file, and the first of 3,000 rows after a shuffle."""
LESSON_ROWS: Final = 3_000


def _sentiment(
    name: str,
    title: str,
    *files: str,
    is_home: bool,
    meanings: Mapping[str, str] | None = None,
    pool: tuple[str, ...] = _PAPER_LIKE,
) -> DataSet:
    return DataSet(name, title, "sentiment", files, SENTIMENT, pool, meanings=meanings or {}, is_home=is_home)


def _toxicity(name: str, title: str, *files: str, is_home: bool) -> DataSet:
    pool = tuple(LESSONS)
    return DataSet(name, title, "toxicity", files, TOXICITY, pool, meanings=TOXIC, is_home=is_home)


def _own(name: str, title: str, folder: str, *splits: str, rows_each: int = 500) -> DataSet:
    files = tuple(f"{folder}/{split}.csv" for split in splits)
    learned = f"{folder}/train.csv"
    return DataSet(
        name, title, "own", files, (), _LINEAR, _LINEAR_MORE, training=learned, rows_each=rows_each, is_home=True
    )


def _answers(name: str, title: str, classes: tuple[str, ...]) -> DataSet:
    return DataSet(name, title, "stored", (name,), classes, _FLAN, panel=_PANEL)


_OLID: Final = ("tweeteval_offensive/dev.csv", "tweeteval_offensive/test.csv")
_EMOTIONS: Final = ("anger", "fear", "joy", "love", "sadness", "surprise")
_FILMS: Final = "sst5/test.csv"
_NEWS_FILE: Final = "twitter_financial_news/test.csv"

SETS: Final = (
    _sentiment("semeval", "SemEval tweets (sentiment)", "semeval_tweets_2013_2016/test.csv", is_home=True),
    _sentiment("airline", "Airline tweets (sentiment)", "airline_tweets/test.csv", is_home=True),
    _sentiment("reviews", "Film reviews (sentiment)", _FILMS, is_home=False, meanings=STARS, pool=_TWEETS_ONLY),
    _sentiment("finance", "Finance tweets (sentiment)", _NEWS_FILE, is_home=False, meanings=_NEWS),
    _toxicity("davidson", "Hate and offence (toxicity)", "davidson_hate_offensive/test.csv", is_home=True),
    _toxicity("offensive", "Offence, OLID (toxicity)", *_OLID, is_home=True),
    _toxicity("wiki", "Wikipedia talk (toxicity)", "wiki_toxicity_no_context/test.csv", is_home=False),
    _own("trec6", "Question types (6 classes)", "trec6", "train", "test"),
    _own("emotion", "Emotion of tweets (4)", "tweeteval_emotion", "train", "dev", "test"),
    _own("irony", "Irony of tweets (2)", "tweeteval_irony", "train", "dev", "test"),
    _own("stance", "Stance of tweets (3)", "tweeteval_stance", "train", "dev", "test"),
    _own("stars", "Film reviews (5 stars)", "sst5", "train", "dev", "test"),
    _own("banking77", "Bank intents (77)", "banking77", "train", "test", rows_each=1000),
    _answers("llm_votes_emotion", "Emotion, real LLM answers (6)", _EMOTIONS),
    _answers("llm_votes_stance", "Stance, real LLM answers (3)", ("against", "favor", "none")),
    _answers(
        "llm_votes_implicit_hate",
        "Implicit hate, real LLM answers (6)",
        ("incitement", "inferiority", "irony", "stereotypical", "threatening", "white_grievance"),
    ),
    DataSet(
        "specialist_votes_tweets", "Tweets (sentiment), stored votes", "stored", ("specialist_votes_tweets",),
        SENTIMENT,
        ("sent_tweets_a", "sent_airline", "sent_reviews"), ("sent_tweets_b", "sent_tweets_c", "sent_finance"),
    ),
)  # fmt: skip

LEFT_OUT: Final = {
    "crowd_*": "each item has its own few of many workers: there is no pool that votes on all rows",
    "youtube_spam_weak": "ten labelling functions abstain on most rows: the paper's rule sends every row to review",
    "tweeteval_emoji_pool": "its classes are no annotation",
}
"""Shared sets that are not measured, with the reason."""


def find_sets(names: Sequence[str]) -> tuple[DataSet, ...]:
    """Return the sets of these names, all where there is none; raises BadInput for an unknown name."""
    known = {each.name: each for each in SETS}
    for name in names:
        if name not in known:
            raise BadInput(f"There is no set {name!r}: choose from {', '.join(known)}, or give a file by --set.")
    return tuple(known[name] for name in names) if names else SETS


def read_given(name: str, path: Path) -> DataSet:
    """Return the set of a file that a person named; its labels say whether sentiment or toxicity is meant.

    Raises BadInput where they are neither.
    """
    found = set(read_classes(path))
    for task, meanings, make in (("sentiment", STARS | _NEWS, _sentiment), ("toxicity", TOXIC, _toxicity)):
        classes = SENTIMENT if task == "sentiment" else TOXICITY
        if {meanings.get(label, label) for label in found} <= set(classes):
            return replace(make(name, f"{name} (given)", str(path.resolve()), is_home=False), meanings=meanings)
    raise BadInput(
        f"{path}: the labels must be of sentiment ({', '.join(SENTIMENT)}) or toxicity ({', '.join(TOXICITY)})."
    )
