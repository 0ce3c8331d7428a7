"""Reports of what the Content-Security-Policy stopped: logged, and the last ones kept for whoever looks."""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog

MAX_BODY_BYTES = 16_384
KEPT = 100  # chosen: enough for a test run or a look by an operator
PART_LENGTH = 200

log = structlog.get_logger(__name__)
_recent: deque["Violation"] = deque(maxlen=KEPT)


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that the browser refused. Addresses come without their query, which may hold a person's search."""

    directive: str
    blocked: str
    page: str


def parse_reports(body: bytes) -> list[Violation]:
    """Violations in a report of either format (report-uri object or Reporting API list).

    Raises ValueError for anything else.
    """
    data = json.loads(body)
    if isinstance(data, dict) and isinstance(data.get("csp-report"), dict):
        report = data["csp-report"]
        return [_violation(report, ("effective-directive", "violated-directive"), "blocked-uri", "document-uri")]
    if isinstance(data, list):
        bodies = [part["body"] for part in data if isinstance(part, dict) and isinstance(part.get("body"), dict)]
        return [_violation(part, ("effectiveDirective",), "blockedURL", "documentURL") for part in bodies]
    raise ValueError("not a CSP report")


def keep_violations(violations: Iterable[Violation]) -> None:
    """Log each violation and keep it among the recent ones."""
    for violation in violations:
        _recent.append(violation)
        log.warning("csp violation", directive=violation.directive, blocked=violation.blocked, page=violation.page)


def recent_violations() -> tuple[Violation, ...]:
    """The last violations of this process, oldest first."""
    return tuple(_recent)


def forget_violations() -> None:
    """Start with none (tests do)."""
    _recent.clear()


def _violation(report: dict[str, Any], directives: tuple[str, ...], blocked: str, page: str) -> Violation:
    directive = next((str(report[name]) for name in directives if report.get(name)), "")
    return Violation(directive[:PART_LENGTH], _without_query(report.get(blocked)), _without_query(report.get(page)))


def _without_query(address: object) -> str:
    parts = urlsplit(str(address or ""))
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:PART_LENGTH] if parts.netloc else parts.path[:PART_LENGTH]
