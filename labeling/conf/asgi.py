"""HTTP through Django, WebSockets through Channels, both behind the host and session checks."""

import os
import warnings

from labeling.web.handler import make_handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling.conf.settings")
# Static files are answered by whitenoise with plain iterators; Django reads those in one go and says so each time.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators", Warning)
http = make_handler()

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
