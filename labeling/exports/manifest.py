"""How an export came to be, as one JSON object beside it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from labeling.datasets.models import Dataset, UploadState
from labeling.exports.columns import OWN_COLUMNS, own_names
from labeling.exports.models import Export
from labeling.exports.quality import build_quality
from labeling.exports.queries import Source
from labeling.exports.verification import build_verification
from labeling.refinement.models import Challenger, RefinementRound
from labeling.runs.models import PoolGeneration, PoolMember, Run


def build_manifest(export: Export, source: Source, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """What is known before the file's own hash: software, input, policy, specialists, counts by source and by route."""
    dataset = source.dataset
    return {
        "software": {"name": "AutoAnnotator", "version": settings.VERSION},
        "written_at": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "project": {"slug": dataset.project.slug, "name": dataset.project.name},
        "classes": list(source.class_names.values()),
        "dataset": _dataset(dataset),
        "options": {"format": export.format, "is_raw": export.is_raw, "only_labeled": export.only_labeled},
        "columns": dict(zip(OWN_COLUMNS, own_names(dataset.columns), strict=True)),
        "counts": counts,
        "run": _run(source.run, source) if source.run else None,
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    uploads = dataset.uploads.filter(state=UploadState.DONE).order_by("id")
    return {
        "number": dataset.number,
        "name": dataset.name,
        "rows": dataset.row_count,
        "text_column": dataset.text_column,
        "audit_frame_until": dataset.frame_until,
        "inputs": [
            {
                "filename": upload.filename,
                "sha256": upload.sha256,
                "bytes": upload.size_bytes,
                "rows": upload.accepted_count,
            }
            for upload in uploads
        ],
    }


def _run(run: Run, source: Source) -> dict[str, Any]:
    with_versions = run.generations.prefetch_related("members__version__specialist", "members__version__parent")
    generations = list(with_versions.order_by("number"))
    newest = generations[-1]
    return {
        "number": run.number,
        "state": run.state,
        "policy": _policy(run),
        "aggregator": run.aggregator,
        "min_agree": run.min_agree,
        "review_budget": run.review_budget,
        "seed": run.seed,
        "generation": newest.number,
        "cut_score": newest.cut_score,
        "started_at": _moment(run.created_at),
        "specialists": [_specialist(member, source) for member in newest.members.all()],
        "generations": [_generation(one) for one in generations],
        "rounds": _rounds(run),
        "quality": build_quality(run),
        "verification": build_verification(run),
    }


def _policy(run: Run) -> dict[str, Any]:
    """The name and every figure of the policy, under the names of docs/formats.md."""
    names = ("vote_ahead", "beta", "replay_share", "random_share", "is_gated", "has_frame", "renews_accepted")
    routing = ("aggregator", "min_agree", "review_budget", "target_error")
    figures = (*routing, *names, "epochs", "learning_rate", "batch_size", "seed")
    return {"name": run.policy} | {name: getattr(run, name) for name in figures}


def _generation(one: PoolGeneration) -> dict[str, Any]:
    counters = ("voted_again", "taken_off", "renewed", "relabeled")
    return {
        "number": one.number,
        "origin": one.origin,
        "round": one.round_number,
        "opened_at": _moment(one.created_at),
        "until": one.until,
        "aggregation": one.aggregation and one.aggregation["name"],
        "cut_score": one.cut_score,
        "versions": [_member(member) for member in one.members.all()],
        "counters": {name: getattr(one, name) for name in counters},
    }


def _member(member: PoolMember) -> dict[str, Any]:
    version = member.version
    return {
        "name": version.specialist.name,
        "version": version.number,
        "origin": version.origin,
        "weights_hash": version.weights_hash,
        "parent": version.parent.weights_hash if version.parent else None,
        "voted": member.voted,
        "abstained": member.abstained,
        "agreed": member.agreed,
    }


def _rounds(run: Run) -> list[dict[str, Any]]:
    rounds = run.rounds.order_by("number").prefetch_related("challengers__specialist", "challengers__version")
    return [_round(one) for one in rounds]


def _round(one: RefinementRound) -> dict[str, Any]:
    roles = ("pool", "random", "replay", "choose", "decide")
    return {
        "number": one.number,
        "state": one.state,
        "trigger": one.trigger,
        "seed": one.seed,
        "started_at": _moment(one.created_at),
        "generation_before": one.generation_before,
        "generation_after": one.generation_after,
        "rows": {role: getattr(one, f"{role}_rows") for role in roles},
        "training": {name: getattr(one, name) for name in ("epochs", "learning_rate", "batch_size")},
        "gate": {"margin": one.margin, "p_needed": one.p_needed} if one.is_gated else None,
        "challengers": [_challenger(challenger) for challenger in one.challengers.all()],
    }


def _challenger(one: Challenger) -> dict[str, Any]:
    figures = ("state", "verdict", "p_better", "accuracy_before", "accuracy_after", "epoch", "share", "precision")
    version = one.version
    named = {"version": version.number, "weights_hash": version.weights_hash} if version else {"version": None}
    return {"name": one.specialist.name, **named, **{name: getattr(one, name) for name in figures}}


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _specialist(member: PoolMember, source: Source) -> dict[str, Any]:
    version = member.version
    specialist = version.specialist
    names = [source.class_names.get(target) for target in version.targets]
    return {
        "name": specialist.name,
        "version": version.number,
        "source": specialist.source,
        "location": specialist.location if specialist.source == "hub" else "",
        "revision": specialist.revision,
        "backend": version.backend,
        "weights_hash": version.weights_hash,
        "max_length": version.max_length,
        "label_map": dict(zip(map(str, version.model_labels), names, strict=True)),
        "voted": member.voted,
        "abstained": member.abstained,
    }
