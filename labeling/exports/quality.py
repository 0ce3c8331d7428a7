"""What an audit said of a run's labels, as its manifest tells it."""

from typing import Any

from labeling.quality.figures import Share, from_json
from labeling.quality.models import Assessment, Certificate
from labeling.quality.queries import newest_assessment
from labeling.runs.models import Run


def build_quality(run: Run) -> dict[str, Any] | None:
    """The run's newest assessment: when it was made, shares of right labels with their intervals, certificates."""
    found = newest_assessment(run)
    if found is None:
        return None
    figures = from_json(found.figures)
    return {
        "as_of": found.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "assessment": found.number,
        "generation": found.generation,
        "is_of_newest_generation": found.generation == run.generation,
        "audit": {name: getattr(figures, name) for name in ("frame_texts", "drawn", "answered")},
        "accepted": _share(figures.accepted),
        "reviewed": _share(figures.reviewed),
        "all": _share(figures.overall),
        "winner": found.winner or None,
        "certificates": _certificates(found),
    }


def _share(share: Share) -> dict[str, Any] | None:
    """A share of right labels, 0 to 1, with its 95% interval; None where nothing was measured."""
    if share.value is None:
        return None
    return {"right": share.value, "low": share.low, "high": share.high, "texts": share.rows}


def _certificates(assessment: Assessment) -> list[dict[str, Any]]:
    return [_certificate(one) for one in assessment.certificates.all()]


def _certificate(one: Certificate) -> dict[str, Any]:
    names = ("target_error", "confidence", "is_reached", "threshold", "accepted_share", "error_bound", "rows_used")
    return {name: getattr(one, name) for name in (*names, "rows_needed")}
