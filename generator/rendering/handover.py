"""The hand-over set of an environment: everything that somebody without this tool needs, as file name -> bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.errors import ParamsError, Problem
from generator.keycloak import image
from generator.keycloak.certificates import AUTHORITIES_FOLDER
from generator.keycloak.environment import own_jgroups_stack, stack_name, verifies_database
from generator.limits import TEMPLATE_BODY
from generator.params.load import Environment
from generator.rendering import context as contexts
from generator.rendering.engine import Engine, Origin
from generator.rendering.renaming import renamed_prose, renamed_template
from generator.rendering.tracking import track

DATA_TYPES = ("AWS::RDS::DBInstance", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup",
              "AWS::ServiceDiscovery::PrivateDnsNamespace", "AWS::CertificateManager::Certificate")


@dataclass(frozen=True)
class HandOver:
    """What `rendered/<env>/` holds."""

    environment: str
    files: Mapping[str, bytes]
    """Path below `rendered/<env>/`, with slashes -> content."""
    origins: tuple[Origin, ...]
    """Where each line of template.yaml comes from."""
    inputs: tuple[str, ...]
    """The user's own files that went in, besides params and templates: providers, themes, authorities."""

    @property
    def template(self) -> str:
        """Text of template.yaml."""
        return self.files["template.yaml"].decode("utf-8")


def hand_over(environment: Environment, root: Path, engine: Engine) -> HandOver:
    """Renders everything of one environment in memory.

    Raises TemplateError where a template can't be rendered, ParamsError where a provider or theme that was there when
    params were read can't be read any more, or where `stack.logical_ids` can't be done.
    """
    settings = environment.settings
    names = contexts.build(track(settings), environment.catalog, environment.name)
    names["sources"] = ", ".join(environment.tree.files)
    rendered = engine.render("keycloak.yaml.j2", names, name=environment.name)
    text = renamed_template(rendered.text, environment)
    names["needs_bucket"] = len(text.encode("utf-8")) > TEMPLATE_BODY
    names["template_option"] = "--template-body file://template.yaml"
    if names["needs_bucket"]:
        bucket = settings.stack.template_bucket or "BUCKET"
        url = f"https://{bucket}.s3.{settings.region}.amazonaws.com/{names['stack']}.yaml"
        names["template_option"] = f'--template-url "{url}"'
    tags = [{"Key": key, "Value": value} for key, value in names["tags"]]
    files: dict[str, bytes] = {"template.yaml": text.encode("utf-8")}
    files["parameters.json"] = _json([])
    files["tags.json"] = _json(tags)
    files["stack.json"] = _json(_stack(environment, _data_ids(text)))
    for name in ("deployment.yaml", "RUNBOOK.md"):
        files[name] = renamed_prose(engine.render(f"{name}.j2", names, name=environment.name).text,
                                    environment).encode("utf-8")
    if names["optimized"]:
        files.update(_image(environment, root, engine, names))
    image_params = settings.keycloak.image
    authorities = [settings.built_in_authorities] if settings.built_in_authorities else []
    return HandOver(environment.name, dict(sorted(files.items())), rendered.origins,
                    tuple(map(str, [*image_params.providers, *image_params.themes, *authorities])))


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _data_ids(text: str) -> list[str]:
    """Logical ids of what holds data, in the order of the template."""
    found, logical_id = [], ""
    for line in text.splitlines():
        if line.startswith("  ") and not line.startswith("   ") and line.endswith(":"):
            logical_id = line.strip()[:-1]
        elif line.startswith("    Type: ") and line.split(": ", 1)[1] in DATA_TYPES:
            found.append(logical_id)
    return found


def _stack(environment: Environment, data_ids: list[str]) -> dict:
    """What a deploy needs to know, so that it reads nothing but rendered/."""
    settings, stack = environment.settings, environment.settings.stack
    policy = None
    if stack.protected:
        policy = {"Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*",
             "Resource": [f"LogicalResourceId/{logical_id}" for logical_id in data_ids]},
        ]}
    return {
        "generated_from": list(environment.tree.files),
        "stack_name": str(stack_name(settings, environment.name)),
        "account": settings.account,
        "region": settings.region,
        "capabilities": ["CAPABILITY_IAM"],
        "termination_protection": stack.protected,
        "stack_policy": policy,
        "service_role": stack.service_role,
        "template_bucket": stack.template_bucket,
        "notifications": list(stack.notifications),
        "keycloak_version": settings.keycloak.version,
        "image": settings.image_uri,
        "holds_data": data_ids,
    }


def _image(environment: Environment, root: Path, engine: Engine, names: dict) -> dict[str, bytes]:
    """The folder `image/`: a Dockerfile and every file it copies."""
    settings = environment.settings
    found = {f"image/{name}": text.encode("utf-8") for name, text in image.files(
        environment.catalog, settings.region, own_jgroups_stack(settings), verifies_database(settings)).items()}
    found.update(_own_files(environment, root))
    found["image/Dockerfile"] = engine.render("image/Dockerfile.j2", names, name=environment.name).text.encode("utf-8")
    return found


def _own_files(environment: Environment, root: Path) -> dict[str, bytes]:
    """The user's own providers, themes and authorities, by their place in the hand-over set."""
    found = {}
    settings = environment.settings
    wanted = [(("keycloak", "image", name, index), name, read, path)
              for name, read in (("providers", _file), ("themes", _theme))
              for index, path in enumerate(getattr(settings.keycloak.image, name))]
    if settings.built_in_authorities:
        wanted.append((("load_balancer", "client_certificates", "authorities"), AUTHORITIES_FOLDER, _file,
                       settings.built_in_authorities))
    for key, name, read, path in wanted:
        try:
            found.update({f"image/{name}/{file}": content for file, content in read(root / path)})
        except OSError as error:
            place = environment.tree.where(key)
            lost = os.path.relpath(error.filename, root)
            raise ParamsError([Problem(
                place.file, place.line, ".".join(map(str, key)),
                f"{lost} can't be read: {error.strerror}", "put it back, or take the line out")]) from error
    return found


def _file(file: Path) -> Iterator[tuple[str, bytes]]:
    yield file.name, file.read_bytes()


def _theme(folder: Path) -> Iterator[tuple[str, bytes]]:
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            file = Path(parent) / name
            yield f"{folder.name}/{file.relative_to(folder).as_posix()}", file.read_bytes()


def _refuse(error: OSError) -> None:
    raise error
