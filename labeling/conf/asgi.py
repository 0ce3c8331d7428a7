"""HTTP through Django, WebSockets through Channels, both behind the host and session checks."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling.conf.settings")
http = get_asgi_application()

# These need the app registry that get_asgi_application has just filled.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from labeling.datasets.streaming import UploadLimit  # noqa: E402
from labeling.jobs.routing import websocket_urls  # noqa: E402

application = ProtocolTypeRouter(
    {"http": UploadLimit(http), "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urls)))}
)
