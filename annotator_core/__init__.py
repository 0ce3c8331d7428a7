"""The labeling engine: a pool of small language models votes, hard texts go to a verifier or a person.

Plain Python, usable without the site, from the shell (``python -m annotator_core``) and from here; the names below are
fetched when they are asked for, so that importing the package costs nothing.

- `annotate` labels texts with a pool that `open_specialist` loads, by a `Policy`.
- `run_pilot` tries a pool on some hundred rows; `run_race` finds who makes the best labels of votes (`Ballots`).
- `certify` says what may be accepted at which error, `plan_audit` how many answers that takes, `estimate_share` how
  right something is.
- `cohen_kappa`, `fleiss_kappa` and `krippendorff_alpha` say how far people agree.

>>> import tempfile
>>> from pathlib import Path
>>> from annotator_core import annotate, open_specialist
>>> from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
>>> settings = FakeSettings(("bad", "good"), keywords={"great": "good"}, noise=0.0)
>>> with tempfile.TemporaryDirectory() as home:
...     folders = [write_fake_specialist(Path(home, name), settings) for name in ("a", "b")]
...     pool = [open_specialist(folder, ["bad", "good"], allow_fake=True) for folder in folders]
...     [(one.label, one.route.value) for one in annotate(["a great day", ""], pool)]
[(1, 'accept'), (-1, 'review')]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from annotator_core.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
    from annotator_core.annotation import Annotation
    from annotator_core.consensus.aggregator import Ballots
    from annotator_core.consensus.race import run_race
    from annotator_core.contract.certify import certify
    from annotator_core.contract.estimate import estimate_share
    from annotator_core.contract.plan import plan_audit
    from annotator_core.errors import AnnotatorError
    from annotator_core.loop import Policy, annotate
    from annotator_core.opening import open_specialist
    from annotator_core.pilot import run_pilot
    from annotator_core.specialists.table import load_specialist

__all__ = [
    "Annotation",
    "AnnotatorError",
    "Ballots",
    "Policy",
    "annotate",
    "certify",
    "cohen_kappa",
    "estimate_share",
    "fleiss_kappa",
    "krippendorff_alpha",
    "load_specialist",
    "open_specialist",
    "plan_audit",
    "run_pilot",
    "run_race",
]

_PLACES: Final = {
    "Annotation": "annotation",
    "AnnotatorError": "errors",
    "Ballots": "consensus.aggregator",
    "Policy": "loop",
    "annotate": "loop",
    "certify": "contract.certify",
    "cohen_kappa": "agreement",
    "estimate_share": "contract.estimate",
    "fleiss_kappa": "agreement",
    "krippendorff_alpha": "agreement",
    "load_specialist": "specialists.table",
    "open_specialist": "opening",
    "plan_audit": "contract.plan",
    "run_pilot": "pilot",
    "run_race": "consensus.race",
}


def __getattr__(name: str) -> object:
    """Return what stands behind one of the names in ``__all__``, imported now."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
