from pathlib import Path

import pytest


@pytest.fixture
def broker_messages(settings, tmp_path):
    """How many messages lie in a filesystem broker of this test's own."""
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    (tmp_path / "c").mkdir()
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.IS_EMBEDDED_BROKER = True
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = options
    return lambda: len(list(Path(tmp_path).glob("*.msg")))
