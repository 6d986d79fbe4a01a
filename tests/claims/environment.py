"""What this project renders for a version: the container's environment and command, and the image's files."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.document import parse
from tests.claims import place
from tests.cluster.engine import PROJECT
from tests.cluster.steps import ClusterError

ADMIN_PASSWORD = "the first administrator's"
_REPOSITORY = "111111111111.dkr.ecr.eu-central-1.amazonaws.com/keycloak"
# A version of PostgreSQL that all of these Keycloaks support, as the one that runs here.
_PARAMS = {
    "stock": {"extends": "dev.yaml", "database": {"create": {"engine_version": "15"}}},
    "optimized": {
        "extends": "prod.yaml",
        "database": {"create": {"engine_version": "15"}},
        "keycloak": {"image": {"kind": "optimized", "repository": _REPOSITORY}},
    },
}
BASES = tuple(_PARAMS)
"""`stock` is dev with Keycloak's own image, `optimized` is prod with the image of the rendered Dockerfile."""


@dataclass(frozen=True)
class Environment:
    """A rendered environment, ready to be started."""

    version: str
    base: str
    variables: Mapping[str, str]
    """Of the container, secrets included."""
    command: tuple[str, ...]
    build: Mapping[str, str]
    """Variables of the image's build; empty for the stock image."""
    files: Mapping[str, bytes]
    """Files that the Dockerfile copies, by their path in the image."""
    template: Mapping[str, Any]
    """The template's data, for the linter."""

    @property
    def digest(self) -> str:
        """Of all that makes the server what it is."""
        told = [
            sorted(self.variables.items()),
            self.command,
            sorted(self.build.items()),
            sorted(self.files.items()),
        ]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    @property
    def balancer(self) -> str:
        """An address of the balancer, which Keycloak trusts."""
        trusted = self.variables.get("KC_PROXY_TRUSTED_ADDRESSES", "10.40.0.0/24")
        return re.sub(r"\.\d+/.*", ".5", trusted.split(",")[0])

    def changed_template(self, variables: Mapping[str, str | None], command: tuple[str, ...] | None) -> str:
        """The template with the container's environment and command changed; None takes a secret away."""
        data = copy.deepcopy(dict(self.template))
        container = _container(data)
        own = {item["Name"]: item for item in container["Environment"]}
        secrets = {item["Name"]: item for item in container.get("Secrets", ())}
        for name, value in variables.items():
            own.pop(name, None)
            # A password stays a secret, whatever it is.
            if value is None or name not in secrets:
                secrets.pop(name, None)
            if value is not None and name not in secrets:
                own[name] = {"Name": name, "Value": value}
        container["Environment"], container["Secrets"] = list(own.values()), list(secrets.values())
        if command is not None:
            container["Command"] = list(command)
            if not command:
                del container["Command"]
        return json.dumps(data, indent=1)


def rendered(version: str, base: str) -> Environment:
    """What `cloakform render` writes for a version. Raises ClusterError."""
    params = json.loads(json.dumps(_PARAMS[base]))
    params.setdefault("keycloak", {})["version"] = version
    with tempfile.TemporaryDirectory() as folder:
        for name in ("params", "templates"):
            shutil.copytree(PROJECT / name, Path(folder) / name)
        (Path(folder) / f"params/{base}.yaml").write_text(json.dumps(params), "utf-8")
        ran = subprocess.run(
            [sys.executable, "-m", "generator", "--project", folder, "render", base],
            text=True,
            capture_output=True,
            cwd=PROJECT,
            check=False,
        )
        if ran.returncode:
            raise ClusterError(f"render {base} {version}: {ran.stderr.strip()[-2000:]}")
        return _read(version, base, Path(folder) / "rendered" / base)


def _read(version: str, base: str, folder: Path) -> Environment:
    data = parse((folder / "template.yaml").read_text("utf-8")).data
    container = _container(data)
    variables = {item["Name"]: _value(item["Name"], item["Value"]) for item in container["Environment"]}
    for item in container["Secrets"]:
        variables[item["Name"]] = _secret(item["Name"])
    build, files = {}, {}
    if (folder / "image").is_dir():
        for line in (folder / "image/Dockerfile").read_text("utf-8").splitlines():
            if found := re.fullmatch(r'ENV (\w+)="(.*)"', line):
                build[found[1]] = re.sub(r"\\(.)", r"\1", found[2])
            elif found := re.fullmatch(r"COPY --chown=1000:0 (\S+) (/\S+/)", line):
                files[found[2] + found[1]] = (folder / "image" / found[1]).read_bytes()
    return Environment(version, base, variables, tuple(container["Command"]), build, files, data)


def _container(data: Mapping[str, Any]) -> dict[str, Any]:
    tasks = [one for one in data["Resources"].values() if one["Type"] == "AWS::ECS::TaskDefinition"]
    return next(
        one
        for task in tasks
        for one in task["Properties"]["ContainerDefinitions"]
        if one["Name"] == "keycloak"
    )


def _value(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    attribute = (
        ".".join(value.get("Fn::GetAtt", ()))
        if isinstance(value.get("Fn::GetAtt"), list)
        else value.get("Fn::GetAtt")
    )
    known = {"Database.Endpoint.Address": place.DATABASE_NAME, "Database.Endpoint.Port": "5432"}
    if attribute not in known:
        raise ClusterError(f"{name}: {value} is no value that is known here")
    return known[attribute]


def _secret(name: str) -> str:
    if name.endswith("ADMIN_PASSWORD"):
        return ADMIN_PASSWORD
    return {"KC_DB_USERNAME": place.USER, "KC_DB_PASSWORD": place.PASSWORD}[name]
