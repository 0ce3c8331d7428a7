"""Free the disk: versions that nobody needs any more lose their weights and keep their row and manifest."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from annotator_core.storage import report_storage
from labeling.projects.models import Project
from labeling.refinement.engine.training import WORKPLACES, workplace_of_round
from labeling.refinement.models import ROUND_OPEN_STATES, Challenger, ChallengerState, RefinementRound, RoundState
from labeling.runs.models import PoolMember, RunState
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import Specialist, SpecialistVersion
from labeling.specialists.scripting.queries import untaken_results

GONE, INCOMING = ".gone-", ".incoming-"
LEFT_BEHIND = timedelta(days=1)  # chosen: no copy into the store takes longer
UNTAKEN = timedelta(days=7)  # chosen: a manager has looked at what a script trained within a week


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many versions lost their weights (or would lose them), and the bytes that this frees."""

    count: int
    bytes: int


def prune_versions(*, project: Project | None = None, dry_run: bool = False) -> Pruned:
    """Remove the weights of versions that are no champion, no parent of one and wait for nobody.

    Champions are the newest pool of every run that is not over and each specialist's newest confirmed version. Working
    folders of rounds that have ended go, too, and what scripts trained and nobody took up in a week. A version that
    shares its weights with one that stays keeps them. Raises StorageError where the store cannot be written.
    """
    if dry_run:
        count, hashes = _unneeded(project)
    else:
        with transaction.atomic():
            count, hashes = _unneeded(project)
            # Never seen by another process half-gone: the rows say so first, then the folders vanish by a rename.
            gone = SpecialistVersion.objects.filter(weights_hash__in=hashes, pruned_at=None)
            gone.update(pruned_at=timezone.now())
    folders = [*(store_folder_of(one) for one in hashes), *_ended_workplaces(project), *_left_behind()]
    freed = sum(size_of(folder) for folder in folders)
    if not dry_run:
        for folder in folders:
            _remove(folder)
    return Pruned(count, freed)


def _unneeded(project: Project | None) -> tuple[int, set[str]]:
    """How many versions nobody needs, and the weights that can go.

    What is there is read before what stays: a gate may make a version meanwhile, which then is in neither.
    """
    versions = SpecialistVersion.objects.filter(pruned_at=None)
    if project is not None:
        versions = versions.filter(specialist__project=project)
    there = list(versions.values_list("weights_hash", flat=True))
    kept = kept_hashes()
    unneeded = [one for one in there if one not in kept]
    return len(unneeded), {*unneeded, *_half_pruned(kept), *_untaken(project, kept)}


def kept_hashes() -> set[str]:
    """The weights that must stay."""
    champions = champion_ids()
    parents = SpecialistVersion.objects.filter(pk__in=champions).exclude(parent=None).values("parent_id")
    needed = SpecialistVersion.objects.filter(Q(pk__in=champions) | Q(pk__in=parents))
    return {
        *needed.values_list("weights_hash", flat=True),
        *Specialist.objects.exclude(weights_hash="").values_list("weights_hash", flat=True),
    }


def champion_ids() -> set[int]:
    """Versions that vote or may do so by a click, those at work in a round, and each specialist's newest."""
    over = (RunState.DONE, RunState.CANCELLED)
    pools = PoolMember.objects.exclude(generation__run__state__in=over)
    newest = pools.filter(generation__number=F("generation__run__generation"))
    confirmed = SpecialistVersion.objects.filter(confirmed_at__isnull=False, pruned_at=None)
    return {
        *newest.values_list("version_id", flat=True),
        *confirmed.order_by().values("specialist").annotate(last=Max("id")).values_list("last", flat=True),
        *_awaited(),
        *_kept_back(),
    }


def store_size() -> int:
    """Bytes of everything in the model store, working folders too."""
    return size_of(Path(settings.MODEL_STORE))


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder; 0 where it is not there. What vanishes meanwhile does not count."""
    total = 0
    for parent, _folders, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):
                total += Path(parent, name).stat().st_size
    return total


def _awaited() -> list[int]:
    """Versions that wait for a manager, and champions of rounds at work, which must be there to be met."""
    waiting = Challenger.objects.filter(state=ChallengerState.JUDGED, round__state=RoundState.WAITING)
    at_work = Challenger.objects.filter(round__state__in=ROUND_OPEN_STATES)
    pairs = at_work.values_list("champion_id", "version_id")
    return _known([*waiting.values_list("version_id", flat=True), *(one for pair in pairs for one in pair)])


def _kept_back() -> list[int]:
    """Versions that the last round of a run left unpromoted: a manager may change the verdict until the next one."""
    last = RefinementRound.objects.exclude(run=None).order_by().values("run").annotate(last=Max("id")).values("last")
    kept = Challenger.objects.filter(round__in=last, state=ChallengerState.KEPT)
    return _known(kept.values_list("version_id", flat=True))


def _known(ids: Iterable[int | None]) -> list[int]:
    return [one for one in ids if one is not None]


def _ended_workplaces(project: Project | None) -> list[Path]:
    """Working folders of rounds that train no more."""
    root = Path(settings.MODEL_STORE) / WORKPLACES
    there = [int(path.name) for path in root.glob("*") if path.name.isdecimal()]
    ended = RefinementRound.objects.filter(pk__in=there).exclude(state__in=ROUND_OPEN_STATES)
    mine = ended if project is None else ended.filter(project=project)
    return [workplace_of_round(one) for one in mine.values_list("id", flat=True)]


def _half_pruned(kept: set[str]) -> set[str]:
    """Weights that were to go when the process was killed."""
    pruned = SpecialistVersion.objects.exclude(pruned_at=None).exclude(weights_hash__in=kept)
    return {one for one in set(pruned.values_list("weights_hash", flat=True)) if store_folder_of(one).is_dir()}


def _untaken(project: Project | None, kept: set[str]) -> set[str]:
    """What scripts trained and nobody took up, and no version votes with."""
    old = untaken_results(timezone.now() - UNTAKEN, project)
    versions = SpecialistVersion.objects.filter(pruned_at=None, weights_hash__in=old)
    used = set(versions.values_list("weights_hash", flat=True))
    return {one for one in old - kept - used if store_folder_of(one).is_dir()}


def _left_behind() -> Iterable[Path]:
    """What a killed copy or removal left in the store a day ago or longer."""
    border = (timezone.now() - LEFT_BEHIND).timestamp()
    root = Path(settings.MODEL_STORE)
    found = [*root.glob(f"{INCOMING}*"), *root.glob(f"{GONE}*")]
    return [path for path in found if path.stat().st_mtime < border]


def _remove(folder: Path) -> None:
    """Take a folder away at once by a rename, then free its space; nothing where somebody else was first."""
    with report_storage(f"The folder {folder}"):
        gone = Path(settings.MODEL_STORE) / f"{GONE}{uuid4().hex}"
        try:
            folder.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone)
