"""Writes about the facts of samples, one file a noun. What people do with items is named here."""

from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.overlap import follow_overlap, settle_overlap
from labeling.labels.actions.returns import assign, deescalate, escalate, reopen
from labeling.labels.actions.screens import LEASE_MINUTES, NotInQueue, put_on_screen
from labeling.labels.actions.verdicts import Decision, Stale, decide, undo

__all__ = [
    "LEASE_MINUTES",
    "Decision",
    "NotInQueue",
    "Stale",
    "adjudicate",
    "assign",
    "decide",
    "deescalate",
    "escalate",
    "follow_overlap",
    "put_on_screen",
    "reopen",
    "settle_overlap",
    "undo",
]
