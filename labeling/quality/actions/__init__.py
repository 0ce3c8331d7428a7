"""Writes about audits: draw one, withdraw what waits, measure a run and store what was found."""

from labeling.quality.actions.assessments import (
    KIND,
    STAGE,
    ask_assessment,
    begin_measuring,
    store_assessment,
    wake_assessment,
)
from labeling.quality.actions.audits import draw_audit, withdraw_audit

__all__ = [
    "KIND",
    "STAGE",
    "ask_assessment",
    "begin_measuring",
    "draw_audit",
    "store_assessment",
    "wake_assessment",
    "withdraw_audit",
]
