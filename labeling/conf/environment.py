"""Values read from the environment or `.env`, typed once."""

import secrets
from pathlib import Path

import environ  # type: ignore[import-untyped]  # ships no types
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]

env = environ.Env()
env_file = ROOT / ".env"
# A developer's own .env must not lead the tests to the developer's own database.
if env_file.exists() and not env.bool("AUTOANNOTATOR_TESTING", default=False):
    env.read_env(str(env_file))


def data_folder() -> Path:
    """The folder of database, models, uploads and broker, made when missing."""
    folder = Path(env.str("AUTOANNOTATOR_DATA", default=str(ROOT / "data"))).expanduser().resolve()
    for name in (
        "",
        "uploads",
        "exports",
        "models",
        "models-in",
        "static",
        "broker/queue",
        "broker/control",
        "broker/processed",
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def secret_key(data: Path) -> str:
    """SECRET_KEY, or a random one kept in the data folder from the first start on (never one from the code)."""
    given = env.str("SECRET_KEY", default="")
    if given:
        return str(given)
    path = data / "secret-key"
    if not path.exists():
        _keep_new_key(path)
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 50:
        raise ImproperlyConfigured(f"{path} holds no key. Delete the file and start again; people must sign in anew.")
    return key


def _keep_new_key(path: Path) -> None:
    """Written beside and linked, so that of several first starts one wins and nobody reads half a key."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    beside.touch(mode=0o600)
    beside.write_text(secrets.token_urlsafe(50), encoding="ascii")
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        return
    finally:
        beside.unlink()
