"""kill -9 of the worker at ten random moments of a round: it ends with the versions of an undisturbed round."""

import os
import random
import subprocess
import sys
from time import monotonic

import pytest
from django.db import connection

from annotator_core.demo import CLASSES, verified_path
from annotator_core.specialists.folder import hash_folder
from labeling.jobs.models import Chunk, ChunkState
from labeling.labels.models import Vote
from labeling.refinement.models import RoundState
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import SpecialistVersion
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.refinement.learning import decide_most, start, train_now
from tests.labeling.refinement.shipped import GOLD, LEARNING_RATE, gold_index, make_checked, shipped_pool
from tests.labeling.workers import wait_until

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))  # noqa: TID251 (repeats a run)
KILLS = 10
PARTS = [(stage, idx) for stage in ("train", "gate") for idx in range(3)]
FAST = {"LEASE_S": "3", "SWEEP_S": "0.1", "CHECKPOINT_S": "0.2", "OMP_NUM_THREADS": "1"}


def start_heavy(store):
    """A worker for all queues on the test's own database."""
    given = connection.settings_dict
    url = f"sqlite:///{given['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{given['USER']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    environment = os.environ | FAST | {"DATABASE_URL": url, "MODEL_STORE": str(store)}  # noqa: TID251 (handed on)
    command = [sys.executable, "-m", "celery", "-A", "labeling.conf", "worker", "-P", "threads", "-c", "1"]
    command += ["-Q", "io,consensus,refine", "-n", "heavy@%h", "--without-gossip", "--without-mingle"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def decided_run():
    """A project like the other one to the last text, its run ready to learn."""
    project = make_project(make_user(), classes=CLASSES)
    make_checked(project, verified_path(), most=800)
    dataset = make_dataset(project, list(GOLD)[:250])
    policy = {"learning_rate": LEARNING_RATE, "replay_share": 0.8, "seed": 11}
    return decide_most(start(project, dataset, shipped_pool(project), **policy), gold_index)


class Watch:
    """Waits for a round, and holds at every look that what versions and votes name is whole in the store."""

    def __init__(self, round_):
        self.round = round_
        self.whole = set()

    def look(self):
        named = SpecialistVersion.objects.filter(pruned_at=None).values_list("weights_hash", flat=True)
        for weights_hash in set(named):
            assert weights_hash in self.whole or hash_folder(store_folder_of(weights_hash)) == weights_hash
            assert store_folder_of(weights_hash).is_dir()
            self.whole.add(weights_hash)
        self.round.refresh_from_db()

    def is_over(self):
        self.look()
        return self.round.state not in {RoundState.TRAINING, RoundState.JUDGING}

    def claims(self, part=0):
        """(chunk, claim) of the round's parts from this one on that a worker holds or has left behind."""
        running = Chunk.objects.filter(state=ChunkState.RUNNING, queue="refine", job__subject=self.round.pk)
        found = running.values_list("id", "attempts", "stage", "idx")
        return {(pk, attempts) for pk, attempts, stage, idx in found if PARTS.index((stage, idx)) >= part}

    def may_die(self):
        """A part that its worker lost five times without a checkpoint in between is dead, as it should be."""
        self.look()
        return not Chunk.objects.filter(job__subject=self.round.pk, queue="refine", lost_leases__gte=4).exists()


def live(watch, store, part=0, kill_after_s=None):
    """One worker's life, to the end of the round or so many seconds into its part; the seconds that it worked."""
    held = watch.claims()
    worker = start_heavy(store)
    try:
        wait_until(lambda: watch.is_over() or bool(watch.claims(part) - held))
        begun = monotonic()
        if kill_after_s is None:
            wait_until(watch.is_over, 300)
        else:
            wait_until(lambda: watch.is_over() or (monotonic() > begun + kill_after_s and watch.may_die()))
        return monotonic() - begun
    finally:
        worker.kill()
        worker.wait()


def made(round_):
    fields = ("state", "version__weights_hash", "epoch", "share", "verdict", "p_better", "losses", "figures")
    return list(round_.challengers.order_by("position").values_list(*fields))


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_ten_kills_of_a_round_change_nothing_of_its_versions(tmp_path, settings, capsys):
    settings.MODEL_STORE = str(tmp_path / "store")
    calm = train_now(decided_run())
    seconds = live(Watch(calm), settings.MODEL_STORE)
    chance, a_part = random.Random(SEED), seconds / len(PARTS)
    # At most three kills a part. In the last one they come early: it may be twice as fast as in the calm round.
    parts = chance.sample([part for part in range(len(PARTS)) for _kill in range(3)], KILLS)
    kills = [(part, chance.uniform(0, 0.5 if part == len(PARTS) - 1 else 0.8 * a_part)) for part in sorted(parts)]
    with capsys.disabled():
        print(f"\nCHAOS_SEED={SEED}: {seconds:.1f} s, kills at {[(part, round(one, 1)) for part, one in kills]}")  # noqa: T201 (repeats a run)
    round_ = train_now(decided_run())
    watch, hits = Watch(round_), 0
    for part, after_s in kills:
        live(watch, settings.MODEL_STORE, part, after_s)
        hits += not watch.is_over()
    live(watch, settings.MODEL_STORE)
    assert (hits, round_.state, round_.error) == (KILLS, RoundState.DONE, "")
    assert made(round_) == made(calm)
    voted = SpecialistVersion.objects.filter(pk__in=Vote.objects.values("version"))
    assert {version.may_vote for version in voted.filter(specialist__project=round_.project)} == {True}
