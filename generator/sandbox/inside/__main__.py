"""`python -m inside aws`: the local AWS, where GATEWAY_PORT says. `python -m inside proxy URL`: microburst
before URL.

Either ends when its standard input is closed, which also happens where whoever started it was killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def follow() -> None:
    """Ends this process with whoever holds the other end of standard input."""

    def wait() -> None:
        # Not through sys.stdin: its lock would keep this process from ending.
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        # Whatever is still under way isn't waited for: nobody wants it any more.
        threading.Event().wait(2)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def aws() -> None:
    """ministack, with everything of this package."""
    from ministack import app

    from . import changesets, control, fixed, lacking, operations, refusing, tasks

    for module in (lacking, fixed, operations, refusing, changesets, tasks):
        module.install()
    app.app = control.wrapped(app.app)
    app.main()


def proxy(upstream: str) -> None:
    """microburst, on a port that is free."""
    import socket

    from aiohttp import web
    from microburst.app import make_app
    from microburst.core.pipeline import Microburst
    from microburst.detection import host

    # Which service an address means: it reads the models of all services at the first request, which takes
    # seconds. Here every address is this machine's, and the signature tells the service.
    host._endpoint_prefix_map = dict
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"Running on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    web.run_app(make_app(Microburst(upstream, resign=False)), sock=listening, print=None)


role, *rest = sys.argv[1:]
# ministack reads the command line as well.
del sys.argv[1:]
follow()
proxy(*rest) if role == "proxy" else aws()
