"""What an error leaves in the log, in both formats."""

import logging

import pytest
import structlog
from django.conf import settings


def failing():
    key = "sk-" + "never-in-a-log"
    raise ValueError(f"no use for {len(key)} letters")


def logged(processor):
    """What the formatter of the settings makes of a library's error, with this way to write it."""
    given = settings.LOGGING["formatters"]["structured"]
    formatter = structlog.stdlib.ProcessorFormatter(processor=processor, foreign_pre_chain=given["foreign_pre_chain"])
    try:
        failing()
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    return formatter.format(logging.LogRecord("django", logging.ERROR, __file__, 1, "Odd: %s", ("/x",), info))


@pytest.mark.parametrize(
    "processor",
    [settings.LOGGING["formatters"]["structured"]["processor"], structlog.processors.JSONRenderer()],
    ids=["console", "json"],
)
def test_an_error_is_logged_with_its_lines_and_without_what_they_held(processor):
    written = logged(processor)
    assert "Odd: /x" in written
    assert "ValueError: no use for 17 letters" in written
    assert "in failing" in written
    assert "sk-never-in-a-log" not in written
