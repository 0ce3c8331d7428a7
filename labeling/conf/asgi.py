"""HTTP through Django, WebSockets through Channels, both behind the host and session checks."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling.conf.settings")
http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 (needs the app registry)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 (needs the app registry)
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402 (needs the app registry)

from labeling.datasets.streaming import UploadLimit  # noqa: E402 (needs the app registry)
from labeling.jobs.routing import websocket_urls  # noqa: E402 (needs the app registry)

application = ProtocolTypeRouter(
    {
        "http": UploadLimit(http),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urls))),
    }
)
