"""Which function does which work: one handler a (kind, stage), one `advance` a kind."""

from collections.abc import Callable

from django.utils.module_loading import import_string

from labeling.jobs.actions import Claim
from labeling.jobs.models import Job
from labeling.pipeline.hand import Hand

HANDLERS = {
    ("import", "store"): "labeling.pipeline.importing.store",
    ("import", "gold"): "labeling.pipeline.importing.adopt_gold",
    ("import", "carry"): "labeling.pipeline.importing.carry_labels",
    ("import", "clear"): "labeling.pipeline.importing.clear",
    ("export", "write"): "labeling.pipeline.exporting.write",
    ("fetch", "files"): "labeling.pipeline.models.fetch",
    ("trial", "predict"): "labeling.pipeline.models.run_trial",
    ("run", "vote"): "labeling.pipeline.voting.vote",
    ("run", "cut"): "labeling.pipeline.routing.cut",
    ("run", "recut"): "labeling.pipeline.routing.recut",
    ("run", "leave"): "labeling.pipeline.routing.leave",
    ("run", "route"): "labeling.pipeline.routing.route",
    ("run", "revote"): "labeling.pipeline.revoting.revote",
    ("run", "renew"): "labeling.pipeline.revoting.renew",
    ("verify", "ask"): "labeling.pipeline.verifying.ask",
    ("verify", "settle"): "labeling.pipeline.verifying.settle",
    ("verify", "people"): "labeling.pipeline.verifying.hand_over",
    ("pilot", "ask"): "labeling.pipeline.piloting.ask",
    ("search", "find"): "labeling.pipeline.searching.find",
    ("search", "read"): "labeling.pipeline.searching.read",
    ("search", "compare"): "labeling.pipeline.searching.compare",
    ("search", "files"): "labeling.pipeline.searching.bring_files",
    ("search", "prove"): "labeling.pipeline.searching.prove",
    ("search", "choose"): "labeling.pipeline.searching.choose",
    ("script", "write"): "labeling.pipeline.scripting.write",
    ("script", "try"): "labeling.pipeline.scripting.try_out",
    ("voter", "store"): "labeling.pipeline.scripting.store",
    ("cold", "train"): "labeling.pipeline.cold_start.train_one",
    ("round", "train"): "labeling.pipeline.refining.train",
    ("round", "gate"): "labeling.pipeline.refining.gate",
    ("round", "tidy"): "labeling.pipeline.refining.tidy",
    ("assess", "measure"): "labeling.pipeline.assessing.measure",
    ("queue", "settle"): "labeling.pipeline.settling.settle",
    ("dummy", "count"): "labeling.pipeline.dummy.count",
}
ADVANCES = {
    "import": "labeling.pipeline.importing.advance",
    "export": "labeling.pipeline.exporting.advance",
    "fetch": "labeling.pipeline.models.advance_fetch",
    "trial": "labeling.pipeline.models.advance_trial",
    "run": "labeling.pipeline.voting.advance",
    "verify": "labeling.pipeline.verifying.advance",
    "pilot": "labeling.pipeline.piloting.advance",
    "search": "labeling.pipeline.searching.advance",
    "script": "labeling.pipeline.scripting.advance",
    "voter": "labeling.pipeline.scripting.advance_voter",
    "cold": "labeling.pipeline.cold_start.advance",
    "round": "labeling.pipeline.refining.advance",
    "assess": "labeling.pipeline.assessing.advance",
    "queue": "labeling.pipeline.settling.advance",
    "dummy": "labeling.pipeline.dummy.advance",
}


def handler(kind: str, stage: str) -> Callable[[Claim, Hand], None]:
    """The function that does a chunk of this kind and stage."""
    found: Callable[[Claim, Hand], None] = import_string(HANDLERS[kind, stage])
    return found


def advancer(kind: str) -> Callable[[Job], None]:
    """The function that decides a job's next step."""
    found: Callable[[Job], None] = import_string(ADVANCES[kind])
    return found
