"""Who takes over: the gate's verdicts, a manager's click, and the way back."""

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.refinement.models import Challenger, RefinementRound
from labeling.specialists.models import Specialist


def decide_round(*, round_: RefinementRound) -> None:
    """Promote or keep each judged challenger; a new generation opens when the pool changed or voting waited for it."""
    raise NotImplementedError


def promote(*, challenger: Challenger, by: User | None) -> None:
    """A manager lets a challenger that waits or was kept take over: a new generation opens.

    Raises ActionError while another round of the run is at work, without weights, or when it is in the pool already.
    """
    raise NotImplementedError


def keep(*, challenger: Challenger, by: User | None) -> None:
    """A manager leaves the champion of a waiting challenger in its place. Raises ActionError when it does not wait."""
    raise NotImplementedError


def roll_back(*, round_: RefinementRound, by: User | None) -> None:
    """The champions from before the round take over again in a new generation; what it promoted may not vote any more.

    Raises ActionError when nothing of the round votes now, or while another round of the run is at work.
    """
    raise NotImplementedError


def set_source_test(*, specialist: Specialist, dataset: Dataset | None) -> None:
    """Measure the specialist's forgetting on this data set with gold labels, too; None for no longer."""
    raise NotImplementedError
