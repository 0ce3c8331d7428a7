"""What the tests of the page kit share."""

import pytest
from django.template import engines


@pytest.fixture
def draw():
    """Render a template text with a context."""

    def render(text, **context):
        return engines["django"].from_string("{% load web %}" + text).render(context)

    return render
