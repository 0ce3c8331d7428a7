"""How an export came to be, as one JSON object beside it."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from labeling.datasets.models import Dataset, UploadState
from labeling.exports.columns import OWN_COLUMNS, own_names
from labeling.exports.models import Export
from labeling.exports.queries import Source
from labeling.runs.models import PoolMember, Run
from labeling.runs.queries import current_generation, pool_of


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
    generation = current_generation(run)
    return {
        "number": run.number,
        "state": run.state,
        "aggregator": run.aggregator,
        "min_agree": run.min_agree,
        "review_budget": run.review_budget,
        "seed": run.seed,
        "generation": generation.number,
        "cut_score": generation.cut_score,
        "started_at": run.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "specialists": [_specialist(member, source) for member in pool_of(run)],
    }


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
