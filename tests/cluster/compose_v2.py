"""Compose v2, which Debian hasn't: built from its Go modules, for test runs that try both."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.cluster.engine import folder
from tests.cluster.steps import ClusterError, output, step

VERSION = "v2.40.3"
_MODULE = "github.com/docker/compose/v2"
_GO = "1.24"


def build() -> Path:
    """Docker's plugin for Compose v2, to be given to Engine.with_compose. Built once, in four minutes or
    more.

    Raises ClusterError, also where there is no Go.
    """
    plugin = folder() / f"downloads/compose-{VERSION}/docker-compose"
    if plugin.exists():
        return plugin
    if shutil.which("go") is None:
        raise ClusterError(f"Compose v2 is built with Go {_GO} or newer, which isn't on PATH")
    plugin.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    with tempfile.TemporaryDirectory(dir=plugin.parent) as place, step(f"building Compose {VERSION}"):
        # `go install` refuses a module that excludes others; as a dependency of an empty one it builds.
        module = Path(place)
        (module / "go.mod").write_text(f"module compose\n\ngo {_GO}\n", "utf-8")
        output(["go", "get", f"{_MODULE}/cmd@{VERSION}"], environment=environment, cwd=module)
        output(["go", "build", "-ldflags", f"-s -w -X {_MODULE}/internal.Version={VERSION}",
                "-o", "docker-compose", f"{_MODULE}/cmd"], environment=environment, cwd=module)
        (module / "docker-compose").replace(plugin)
    return plugin
