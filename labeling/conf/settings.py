"""All settings. Everything has a default that runs on one machine without any service; the environment changes it."""

import os
import sys
from typing import Any

import structlog
from csp.constants import NONE, SELF

from labeling import __version__
from labeling.conf.environment import ROOT, data_folder, env, secret_key

VERSION = __version__
BASE_DIR = ROOT
DATA = data_folder()
DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=False)
IS_KEY_GIVEN = bool(env.str("SECRET_KEY", default=""))
SECRET_KEY = secret_key(DATA)
# Older keys that still open what was sealed under them (docs/decisions/0028).
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ARE_HOSTS_GIVEN = bool(env.list("ALLOWED_HOSTS", default=[]))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Hugging Face's libraries read these when they are imported, so they stand in the process before any import.
os.environ.setdefault("HF_HOME", str(DATA / "hub"))
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

INSTALLED_APPS = [
    "labeling.web",
    "labeling.accounts",
    "labeling.projects",
    "labeling.jobs",
    "labeling.llm",
    "labeling.datasets",
    "labeling.specialists",
    "labeling.runs",
    "labeling.labels",
    "labeling.review",
    "labeling.quality",
    "labeling.refinement",
    "labeling.exports",
    "labeling.overview",
    "labeling.pipeline",
    "channels",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "axes",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "labeling.web.middleware.security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "labeling.web.middleware.htmx_login_redirect",
    "labeling.web.middleware.form_login_redirect",
    "labeling.web.middleware.action_errors",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "labeling.conf.urls"
ASGI_APPLICATION = "labeling.conf.asgi.application"
_LOADERS: list[Any] = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "template_partials.templatetags.partials",
                "labeling.web.templatetags.web",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "labeling.overview.context.banners",
            ],
        },
    }
]

_SQLITE_START = (
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA journal_size_limit=27103364;PRAGMA cache_size=-20000"
)


# Whether PostgreSQL keeps the plans of what each key press asks (docs/decisions/0040): not through a pooler that knows
# no prepared statements.
DATABASE_PREPARES = env.bool("DATABASE_PREPARES", default=True)


# Compiling a statement takes longer than the short ones of this site run, and PostgreSQL does it as soon as a table is
# big (docs/decisions/0037). A plan that is kept must use the indexes of a table that was small when it was made, and
# what is prepared is not planned anew for each person (0040).
PLANNING = "-c jit=off -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan"


def _database() -> dict[str, Any]:
    """Django's settings for DATABASE_URL: SQLite with WAL and IMMEDIATE, or PostgreSQL with a connection pool."""
    found: dict[str, Any] = env.db("DATABASE_URL", default=f"sqlite:///{DATA / 'autoannotator.sqlite3'}")
    if found["ENGINE"].endswith("sqlite3"):
        options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": _SQLITE_START}
        return found | {"CONN_MAX_AGE": 0, "OPTIONS": options, "TEST": {"NAME": str(DATA / "test.sqlite3")}}
    # CONN_MAX_AGE > 0 under ASGI piles up connections; the pool is the measured way.
    pool = {"min_size": 1, "max_size": env.int("DATABASE_POOL", 20)}
    plans = {"prepare_threshold": 1} if DATABASE_PREPARES else {}
    return found | {
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": pool, "options": PLANNING} | plans,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "/"
SIGNIN_LINK_AGE_S = PASSWORD_RESET_TIMEOUT = env.int("SIGNIN_LINK_AGE_S", default=3 * 24 * 3600)
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_IPWARE_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
AXES_ENABLE_ACCESS_FAILURE_LOG = False
SESSION_ENGINE = "labeling.accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if AXES_IPWARE_PROXY_COUNT else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Without HTTPS the cookies cannot be "secure" and there is nothing to redirect to: HTTPS=on turns all four on.
SILENCED_SYSTEM_CHECKS = [] if HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]
CSRF_FAILURE_VIEW = "labeling.web.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "report-uri": "/csp-report",
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA / "static"
IS_TESTING = env.bool("AUTOANNOTATOR_TESTING", default=False)
_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
if not (DEBUG or IS_TESTING):
    _STATIC = "whitenoise.storage.CompressedManifestStaticFilesStorage"
WHITENOISE_USE_FINDERS = DEBUG or IS_TESTING
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC},
}

# Files in and out
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=2 * 1024**3)
UPLOAD_FOLDER = DATA / "uploads"
EXPORT_FOLDER = DATA / "exports"
FILE_UPLOAD_HANDLERS = ["labeling.datasets.streaming.LimitedUploadHandler"]
FILE_UPLOAD_TEMP_DIR = str(UPLOAD_FOLDER)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
MODEL_STORE = env.path("MODEL_STORE", default=str(DATA / "models")).root
MODEL_FOLDERS = [*env.list("MODEL_FOLDERS", default=[]), str(DATA / "models-in")]
MODEL_MAX_BYTES = env.int("MODEL_MAX_BYTES", default=5 * 1024**3)
HF_ENDPOINT = env.str("HF_ENDPOINT", default="https://huggingface.co")

# Language models. Addresses that are not public are called only where their host (or host:port) is named here.
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])
# What a new connection proposes; the key is sent to this very address only, by connections without one of their own.
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")

# Requests that a web process works on at once (docs/decisions/0040); the rest waits its turn.
WEB_THREADS = env.int("WEB_THREADS", default=8)
# Of the screen's letters, which have places of their own: two keep a processor busy while one waits for the database.
KEY_THREADS = env.int("KEY_THREADS", default=2)
KEY_PATHS = r"^/p/[^/]+/label/send$"

# Background work (docs/architecture.md, "Work in the background")
LEASE_S = env.float("LEASE_S", default=30.0)
SWEEP_S = env.float("SWEEP_S", default=2.0)
CHUNK_ROWS = env.int("CHUNK_ROWS", default=2048)
CHECKPOINT_S = env.float("CHECKPOINT_S", default=60.0)
LIGHT_HANDS = env.int("LIGHT_HANDS", default=4)
IS_FAKE_BACKEND_ALLOWED = IS_TESTING
CELERY_BROKER_URL = env.str("BROKER_URL", default="filesystem://localhost//")
IS_EMBEDDED_BROKER = CELERY_BROKER_URL.startswith("filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "data_folder_in": str(DATA / "broker" / "queue"),
        "data_folder_out": str(DATA / "broker" / "queue"),
        "control_folder": str(DATA / "broker" / "control"),
        "processed_folder": str(DATA / "broker" / "processed"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
    if IS_EMBEDDED_BROKER
    else {"visibility_timeout": 300, "socket_connect_timeout": 2, "socket_timeout": 5}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not IS_EMBEDDED_BROKER
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_TASK_PUBLISH_RETRY = False

CHANNEL_URL = env.str("CHANNEL_URL", default="")
CHANNEL_LAYERS: dict[str, Any] = {
    "default": (
        {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [CHANNEL_URL], "expiry": 10}}
        if CHANNEL_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

LOG_FORMAT = env.str("LOG_FORMAT", default="console")
_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": [*_PROCESSORS, structlog.processors.format_exc_info],
            "processor": structlog.processors.JSONRenderer()
            if LOG_FORMAT == "json"
            # Rich's tracebacks would write every local variable into the log, keys and texts too, and take 0.2 s each.
            else structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"labeling": {"level": "INFO"}},
}
structlog.configure(
    processors=[
        *_PROCESSORS,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
