"""Makes the golden files anew: `python -m tests.golden.update` in the project folder. Review what git shows then.

- `small/` is a whole environment: its params, and what rendering them gives, byte for byte.
- `iam.json` lists who may do what in the project's own environments.
"""

from __future__ import annotations

import json
from pathlib import Path

from generator.document import Document, parse
from generator.params import load
from generator.rendering.engine import Engine
from generator.rendering.handover import HandOver, hand_over

GOLDEN = Path(__file__).parent
TEMPLATES = GOLDEN.parents[1] / "templates"
SMALL, IAM = GOLDEN / "small", GOLDEN / "iam.json"
HOW = "if the change is meant, run `python -m tests.golden.update` and review the difference"
LEFT_OUT = ("RUNBOOK.md", "image/cache-cloudmap.xml")
"""Mostly text that doesn't depend on params."""


def rendered(root: Path, name: str) -> HandOver:
    """The hand-over set of an environment whose params lie below `root`, from the project's templates."""
    (outcome,) = [one for one in load.load_all(root) if one.name == name]
    assert outcome.environment is not None, outcome.problems
    return hand_over(outcome.environment, root, Engine(TEMPLATES))


def small() -> dict[str, bytes]:
    """What the golden environment renders to, by path below its folder."""
    files = rendered(SMALL, "small").files
    return {name: content for name, content in files.items() if name not in LEFT_OUT}


def statements(document: Document) -> list[dict]:
    """Every statement of every role: role, effect, actions and resources, with short names for references."""
    found = []
    for role in document.of_type("AWS::IAM::Role"):
        trusted = role.properties["AssumeRolePolicyDocument"]["Statement"]
        found += [{"role": role.logical_id, "effect": one["Effect"], "actions": [one["Action"]],
                   "resources": [one["Principal"]["Service"]]} for one in trusted]
        for policy in role.properties.get("Policies", []):
            for one in policy["PolicyDocument"]["Statement"]:
                actions, resources = one["Action"], one["Resource"]
                found.append({
                    "role": role.logical_id, "effect": one["Effect"],
                    "actions": actions if isinstance(actions, list) else [actions],
                    "resources": [_short(item) for item in (resources if isinstance(resources, list) else [resources])],
                })
    return found


def _short(resource: object) -> str:
    if isinstance(resource, dict):
        ((function, target),) = resource.items()
        return target if function == "Ref" else ".".join(target) if function == "Fn::GetAtt" else str(target)
    return str(resource)


def iam() -> str:
    """The text of `iam.json`, from the templates as they are."""
    project = TEMPLATES.parent
    made = {one.name: statements(parse(rendered(project, one.name).template)) for one in load.load_all(project)}
    return json.dumps(made, indent=1) + "\n"


def main() -> None:
    """Writes every golden file, and takes away what rendering makes no more."""
    folder = SMALL / "rendered" / "small"
    files = small()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    IAM.write_text(iam(), "utf-8")


if __name__ == "__main__":
    main()
