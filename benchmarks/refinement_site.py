"""One process of the refinement benchmark: builds the base that all configurations copy, or runs one configuration.

`python -m benchmarks.refinement_site base|KEY ROWS POOL DATASETS`, started by `benchmarks.refinement`. The site's own
work is done here, between two decisions of the person, instead of by workers: a run repeats exactly.
"""

import csv
import io
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

from benchmarks.main_job import CLASSES
from benchmarks.refinement import KEPT, POOLS, SPECIALISTS, Configuration, Setting, configurations, parse_key
from benchmarks.train_specialists import RECIPES, training_slice

QUEUES = ("io", "verify", "consensus", "refine")
OWNER = f"benchmark-{os.getpid()}"
ROW_SEED = 2025
PATIENCE_S = 3_600.0

MODELS, KEPT_MODELS = "models", "kept-models"
HASH_DIGITS = 64


def open_site(folder: Path) -> None:
    """Let this process be a site on the data folder, on one thread. Before any import of the site."""
    os.environ.update(AUTOANNOTATOR_DATA=str(folder), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
    import django
    import torch

    django.setup()
    torch.set_num_threads(1)


def choose_rows(datasets: Path, count: int) -> list[dict[str, str]]:
    """The rows that every configuration labels: drawn by one seed, none whose text a specialist has learned from."""
    known = {text.strip() for recipe in RECIPES for text, _label in training_slice(datasets, recipe)}
    with (datasets / "tweet_sentiment_extraction" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["text"].strip() and row["text"].strip() not in known]
    return random.Random(ROW_SEED).sample(rows, count)


def upload_of(rows: list[dict[str, str]]) -> io.BytesIO:
    """The rows as a manager would upload them: id, text, gold."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([["id", "text", "gold"], *([row["id"], row["text"], row["label"]] for row in rows)])
    return io.BytesIO(out.getvalue().encode())


def pool_folders(pool: str) -> dict[Path, dict[str, str]]:
    """The specialists' folders, each with its map from labels to class names."""
    if pool != "demo":
        return {SPECIALISTS / name: {each: each for each in CLASSES} for name in POOLS[pool]}
    from annotator_core.demo import label_maps, specialist_folders

    maps = label_maps()
    return {folder: maps[name] for name, folder in specialist_folders().items()}


def digest_of(setting: Setting, datasets: Path) -> str:
    """What the base depends on: rows and specialists."""
    import hashlib

    parts = [f"{setting.rows} {setting.pool} {ROW_SEED}", *(row["id"] for row in choose_rows(datasets, setting.rows))]
    weights = [folder / "model.safetensors" for folder in pool_folders(setting.pool)]
    parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in weights]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def work_off(is_over: Any = None) -> None:
    """Do the site's work until there is none, or until it is over. Raises RuntimeError where a part is dead."""
    from labeling.jobs.models import Chunk, ChunkState, JobState
    from labeling.pipeline.work import do_one

    open_chunks = Chunk.objects.filter(state__in=(ChunkState.TODO, ChunkState.RUNNING), job__state=JobState.RUNNING)
    end = time.monotonic() + PATIENCE_S
    while is_over is None or not is_over():
        if do_one(QUEUES, OWNER):
            continue
        dead = Chunk.objects.filter(state=ChunkState.DEAD).select_related("job").first()
        if dead is not None:
            raise RuntimeError(f"{dead.job.kind}/{dead.stage}: {dead.error}")
        if not open_chunks.exists():
            if is_over is None or is_over():
                return
            raise RuntimeError("Nothing is left to do, but what was waited for has not come.")
        if time.monotonic() > end:
            raise RuntimeError("The work does not come to an end.")
        Event().wait(0.05)  # a part that was given back, or failed once, waits a moment


def build_base(setting: Setting, datasets: Path) -> None:
    """Project, data set, specialists and their votes on every row, in a folder that configurations copy."""
    folder, digest = setting.home / "base", digest_of(setting, datasets)
    mark = folder / "base.json"
    if mark.exists() and json.loads(mark.read_text())["digest"] == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    open_site(folder)
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    started = time.monotonic()
    _vote_on_all(*_import(setting, datasets))
    connection.close()
    mark.write_text(json.dumps({"digest": digest, "seconds": time.monotonic() - started}))


def _import(setting: Setting, datasets: Path) -> tuple[Any, Any, list[Any]]:
    """(project, data set, versions that may vote)."""
    from labeling.accounts.actions import create_user
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import UploadState
    from labeling.datasets.readers.parts import Columns, Reading
    from labeling.projects.actions import ClassSpec, create_project

    owner = create_user(username="bench", is_staff=True)
    project = create_project(owner=owner, name="Refinement", classes=[ClassSpec(name) for name in CLASSES])
    stream = upload_of(choose_rows(datasets, setting.rows))
    upload = receive_stream(project=project, stream=stream, filename="tweets.csv", by=owner)
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id", gold="gold")))
    work_off()
    upload.refresh_from_db()
    assert (upload.state, upload.refused_count) == (UploadState.DONE, 0), (upload.state, upload.error)
    return project, upload.dataset, _add_pool(project, pool_folders(setting.pool))


def _add_pool(project: Any, maps: dict[Path, dict[str, str]]) -> list[Any]:
    from labeling.runs.queries import votable_versions
    from labeling.specialists.actions import add_specialist, confirm_version, save_map
    from labeling.specialists.models import Source

    class_ids = dict(project.classes.values_list("name", "id"))
    for folder, meanings in maps.items():
        specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder))
        work_off()
        specialist.refresh_from_db()
        targets = [class_ids[meanings[label]] for label in specialist.model_labels]
        version = save_map(specialist=specialist, targets=targets, max_length=128, are_holes_confirmed=False)
        work_off()
        confirm_version(version=version, by=None)
    return votable_versions(project)


def _vote_on_all(project: Any, dataset: Any, versions: list[Any]) -> None:
    """A first run that sends all rows to review, so that it labels none, and is cancelled: its votes stay."""
    from labeling.runs.actions import cancel_run, start_run
    from labeling.runs.policies import Policy

    policy = Policy(len(versions), review_budget=100.0, seed=0)
    run = start_run(project=project, dataset=dataset, versions=versions, policy=policy, by=None)
    work_off()
    cancel_run(run=run)
    work_off()


def run_one(setting: Setting, datasets: Path, wanted: Configuration) -> None:
    """Run the configuration on a copy of the base, measure it, keep the figures. A run that ended is only measured."""
    folder, digest = setting.home / "sites" / wanted.key, digest_of(setting, datasets)
    mark = folder / "ended.json"
    if not (mark.exists() and json.loads(mark.read_text())["digest"] == digest):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(setting.home / "base", folder)
    open_site(folder)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if not mark.exists():
        started, worked = time.monotonic(), time.process_time()
        label_everything(wanted)
        took = {"seconds": round(time.monotonic() - started, 1), "cpu_seconds": round(time.process_time() - worked, 1)}
        mark.write_text(json.dumps({"digest": digest} | took))
    from benchmarks.refinement_figures import measure

    for kept in (folder / KEPT_MODELS, setting.home / "base" / MODELS):
        link_models(kept, folder / MODELS)
    figures = measure(wanted, datasets if setting.pool != "demo" else None) | json.loads(mark.read_text())
    text = json.dumps({"key": wanted.key, "rows": setting.rows, "pool": setting.pool} | figures, indent=1) + "\n"
    setting.result(wanted.key).write_text(text)
    if setting.is_full and wanted in configurations():
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{wanted.key}.json").write_text(text)
    shutil.rmtree(folder)


def label_everything(wanted: Configuration) -> None:
    """Start the run; work and decide in turn until neither is left. People wait for votes and rounds."""
    from labeling.labels.actions.verdicts import decide
    from labeling.projects.models import Project
    from labeling.review.actions import claim
    from labeling.runs.actions import start_run
    from labeling.runs.models import RunState
    from labeling.runs.queries import votable_versions

    project = Project.objects.get()
    user, versions = project.memberships.get().user, votable_versions(project)
    policy = policy_of(wanted, len(versions))
    run = start_run(project=project, dataset=project.datasets.get(), versions=versions, policy=policy, by=user)
    classes = {label.name: label.pk for label in project.classes.all()}
    while held := _next_item(project, user, claim):
        _keep_models()
        class_id = classes[answer(held.sample, wanted.right)]
        decide(item_id=held.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())
    run.refresh_from_db()
    assert run.state == RunState.DONE, f"{run.state}: {run.to_review} rows wait, and nothing is in the queue"


def _next_item(project: Any, user: Any, claim: Any) -> Any:
    """The next item of the queue when all work is done; None when neither work nor an item is left."""
    work_off()
    while let_manager_act(user):
        work_off()
    held = claim(project=project, user_id=user.pk)
    return held[0].item if held else None


def _keep_models() -> None:
    from django.conf import settings

    link_models(Path(settings.MODEL_STORE), Path(settings.DATA) / KEPT_MODELS)


def link_models(source: Path, target: Path) -> None:
    """Link what one model store has and the other lacks: the site frees the disk of versions that the figures ask."""
    for model in source.glob("[0-9a-f]*"):
        if len(model.name) == HASH_DIGITS and not (target / model.name).exists():
            shutil.copytree(model, target / model.name, copy_function=os.link)


def policy_of(wanted: Configuration, pool_size: int) -> Any:
    """The named policy of the site."""
    from labeling.runs.policies import default_policy, paper_policy

    if wanted.policy == "paper":
        return paper_policy(pool_size, beta=wanted.beta, seed=wanted.seed)
    return default_policy(pool_size, review_budget=wanted.budget, beta=wanted.beta, seed=wanted.seed)


def answer(sample: Any, right: float) -> str:
    """What the simulated person says: the gold class, or with 1 - `right` another one, always the same on a text."""
    rng = random.Random(f"person {sample.text_hash}")
    if rng.random() < right:
        return str(sample.gold)
    return rng.choice([name for name in CLASSES if name != sample.gold])


def let_manager_act(user: Any) -> bool:
    """In rounds with too few gate rows for a machine, promote what is right more often; whether one waited."""
    from labeling.refinement.actions import keep, promote
    from labeling.refinement.models import Challenger, ChallengerState, RoundState

    waiting = Challenger.objects.filter(round__state=RoundState.WAITING, state=ChallengerState.JUDGED)
    found = list(waiting.order_by("round__number", "position"))
    for challenger in found:
        act = promote if challenger.accuracy_after > challenger.accuracy_before else keep
        act(challenger=challenger, by=user)
    return bool(found)


def main(name: str, rows: str, pool: str, datasets: str) -> None:
    """Build the base, or run one configuration."""
    setting = Setting(int(rows), pool)
    if name == "base":
        build_base(setting, Path(datasets))
    else:
        run_one(setting, Path(datasets), parse_key(name))


if __name__ == "__main__":
    main(*sys.argv[1:])
