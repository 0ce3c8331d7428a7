"""Searches of the hub as rows: what the page shows depends on them alone."""

from labeling.jobs.models import Job, JobState
from labeling.specialists.models import Candidate, ModelSearch

CARD = "A classifier of customer feedback."


def make_search(project, *, state=JobState.DONE, stage="choose", rows=True, **fields):
    """A search whose job stands in a state, without candidates."""
    classes = list(project.classes.all())
    given = {
        "description": "Sentiment of customer feedback",
        "class_ids": [one.pk for one in classes],
        "class_names": [one.name for one in classes],
        "wanted": 6,
        "max_bytes": 10**9,
        "queries": ["sentiment"],
        "compared_by": "tfidf",
        "rows": [[number, classes[0].pk if number % 2 else None] for number in range(60)] if rows else [],
    }
    search = ModelSearch.objects.create(project=project, **(given | fields))
    job = {"state": state, "stage": stage, "is_dirty": False, "total": 3, "progress": 1}
    Job.objects.create(project=project, kind="search", subject=search.pk, **job)
    return search


def make_candidate(search, name="acme/sentiment", **fields):
    """A candidate that was tried and is recommended."""
    position = search.candidates.count()
    given = {
        "position": position,
        "model_id": name,
        "state": "asked",
        "revision": "a" * 40,
        "downloads": 1_234_567,
        "size_bytes": 500_000_000,
        "license": "apache-2.0",
        "model_labels": ["bad", "ok", "good"],
        "targets": [*search.class_ids[:2], None],
        "origins": ["name", "rows", "none"],
        "card": CARD,
        "similarity": 0.31,
        "gold_rows": 60,
        "accuracy": 0.8,
        "accuracy_low": 0.68,
        "accuracy_high": 0.88,
        "agreement": 0.75,
        "information": 0.4,
        "abstained": 0.0,
        "rank": position + 1,
    }
    return Candidate.objects.create(search=search, **(given | fields))


def make_refused(search, name="acme/pickled", *refusals):
    """A candidate that is not taken."""
    nothing = {"accuracy": None, "rank": None, "revision": "", "targets": [], "origins": [], "model_labels": []}
    return make_candidate(
        search, name, state="refused", refusals=list(refusals or ["no_safetensors"]), similarity=None, **nothing
    )
