"""What the page of the first specialists shows, and what its form means."""

from dataclasses import dataclass
from typing import Literal

from labeling.accounts.models import User
from labeling.jobs.models import Job
from labeling.refinement.cold_start.actions import STEPS, Plan
from labeling.refinement.cold_start.forms import OTHER, TrainForm
from labeling.refinement.cold_start.queries import Entrant, entrants_of
from labeling.refinement.cold_start.recipes import Method
from labeling.refinement.models import RefinementRound, RoundState
from labeling.specialists.actions import checked_folder
from labeling.specialists.engine import store_folder_of
from labeling.web.errors import ActionError

Stage = Literal["label", "training", "failed", "trying", "confirm", "done"]


@dataclass(frozen=True, slots=True)
class Page:
    """Where the project's first specialists stand."""

    stage: Stage
    entrants: list[Entrant]

    @property
    def is_live(self) -> bool:
        """Whether something moves by itself."""
        return self.stage in ("training", "trying")

    @property
    def trained(self) -> int:
        """How many specialists are trained."""
        return sum(one.version is not None for one in self.entrants)

    @property
    def sound(self) -> int:
        """How many specialists wait for a manager's word."""
        return sum(one.can_be_confirmed for one in self.entrants)

    @property
    def step(self) -> int:
        """1 label, 2 train, 3 let vote."""
        return {"label": 1, "training": 2, "failed": 2}.get(self.stage, 3)


def page_of(round_: RefinementRound | None, job: Job | None) -> Page:
    """The page's state, from the newest cold start and its job."""
    chunks = job.chunks.values_list("idx", "progress") if job else ()
    done = {position: progress / STEPS for position, progress in chunks}
    entrants = entrants_of(round_, done) if round_ else []
    return Page(_stage(round_, entrants), entrants)


def _stage(round_: RefinementRound | None, entrants: list[Entrant]) -> Stage:
    if round_ is None:
        return "label"
    # Also where all its specialists were removed: as long as it stands in the way it must be possible to end it.
    if round_.state == RoundState.FAILED:
        return "failed"
    if round_.is_at_work:
        return "training"
    if not entrants:
        return "label"
    if any(one.trial and not one.trial.is_done for one in entrants):
        return "trying"
    return "confirm" if any(not one.may_vote for one in entrants) else "done"


def plan_of(form: TrainForm, by: User) -> Plan:
    """The plan that a valid form describes. Raises ActionError for a folder that this person may not name."""
    data = form.cleaned_data
    method, base = Method(data["method"]), ""
    if method == Method.ENCODER and data["base"] in ("", OTHER):
        base = _folder(data["folder"].strip(), by)
    elif method == Method.ENCODER:
        base = str(store_folder_of(form.bases[data["base"]].weights_hash))
    confirmed = data.get("are_holes_confirmed", False)
    return Plan(method, data["count"], form.gold_ids, base, confirmed)


def _folder(location: str, by: User) -> str:
    try:
        return str(checked_folder(location, is_operator=by.is_superuser))
    except ActionError as error:
        raise ActionError(error.message, field="folder") from error
