"""`python -m labeling.pipeline.serve FD`: one web process on a socket that `up` opened and keeps open.

So a web process that dies frees no port, and the requests that come meanwhile wait for its successor.
"""

import socket
import sys

import uvicorn

GRACE_S = 5  # chosen: long enough for a page, short enough for a person who stops the server


def main() -> None:
    """Serve the site until SIGTERM."""
    config = uvicorn.Config(
        "labeling.conf.asgi:application",
        http="httptools",
        ws="websockets-sansio",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,  # Django reads them itself, and only behind TRUSTED_PROXIES
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
