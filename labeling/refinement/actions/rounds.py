"""A round as people see it: start it, try it again, give it up."""

from labeling.accounts.models import User
from labeling.refinement.models import RefinementRound, Trigger
from labeling.runs.models import Run


def start_round(*, run: Run, trigger: Trigger, by: User | None) -> RefinementRound:
    """A round with its rows frozen, its challengers and its job; the run's pool is taken.

    Raises ActionError when a round is at work, the run is over, or nothing new was decided.
    """
    raise NotImplementedError


def retry_round(*, round_: RefinementRound) -> None:
    """Give a failed round's dead parts another chance. Raises ActionError for a round that has not failed."""
    raise NotImplementedError


def give_up_round(*, round_: RefinementRound) -> None:
    """End a round that is at work without a promotion: the champions stay, and a run that waited for it goes on.

    Raises ActionError for a round that is over.
    """
    raise NotImplementedError
