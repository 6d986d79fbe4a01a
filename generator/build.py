"""Params to checked hand-over sets: what rendering, linting and writing have to do with each other.

The only module above the rooms besides the command line; it prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generator import linting
from generator.errors import ParamsError, Problem, ProjectError, TemplateError
from generator.params import load
from generator.params.load import Environment, Outcome
from generator.rendering import write
from generator.rendering.engine import Engine
from generator.rendering.handover import HandOver, hand_over
from generator.rendering.write import Difference

STOCK_IMAGE_RULES = ("W9015", "W9028")
"""Findings that say of a rendered template what a warning about `keycloak.image.kind` has said of its params."""

SIZE_RULES = ("W9595",)
"""Findings about a template that is too large for a request; a bucket answers them."""


@dataclass(frozen=True)
class Built:
    """What came of one environment."""

    name: str
    hand_over: HandOver | None
    """None where params or a template are wrong."""
    problems: tuple[Problem, ...]
    """Errors and warnings of params and templates."""
    findings: tuple[linting.Finding, ...]
    """What the linter says about template.yaml."""
    differences: tuple[Difference, ...]
    """What `rendered/<env>/` holds otherwise."""

    @property
    def errors(self) -> int:
        """Problems and findings that keep it from being written."""
        return (sum(problem.severity == "error" for problem in self.problems)
                + sum(finding.severity == "error" for finding in self.findings))

    @property
    def warnings(self) -> int:
        """Problems and findings that don't."""
        return (sum(problem.severity == "warning" for problem in self.problems)
                + sum(finding.severity == "warning" for finding in self.findings))

    @property
    def resources(self) -> int:
        """Resources in template.yaml."""
        lines = self.hand_over.template.splitlines() if self.hand_over else []
        return sum(line.startswith("    Type: AWS::") for line in lines)

    @property
    def size(self) -> int:
        """Bytes of template.yaml."""
        return len(self.hand_over.files["template.yaml"]) if self.hand_over else 0


def outcomes(root: Path, names: tuple[str, ...] = ()) -> list[Outcome]:
    """Params of the environments `names`, of all by default.

    Raises ProjectError for a name that no params file has.
    """
    every = load.load_all(root)
    if not every:
        raise ProjectError("params/ holds no environment yet (start one with `cloakform new dev`)")
    unknown = sorted(set(names) - {outcome.name for outcome in every})
    if unknown:
        import difflib

        known = [outcome.name for outcome in every]
        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ProjectError(f"there is no environment {unknown[0]!r} ({hint})")
    # A shared base with a problem keeps every environment from being rendered: its problems are shown for all.
    return [outcome for outcome in every if not names or outcome.name in names]


def build(root: Path, names: tuple[str, ...] = (), *, use_cache: bool = True, info: bool = False,
          progress: Callable[[str], None] = lambda text: None) -> list[Built]:
    """Renders and lints environments in memory and compares them with `rendered/`; writes nothing but the cache.

    `info` asks for findings that are only good to know, too. `progress` is told what is going on. Raises
    ProjectError where the project can't be used at all; everything that is wrong with one environment is in its
    Built.
    """
    progress("reading params")
    engine = Engine(root / "templates")
    rendered: list[tuple[Outcome, HandOver | None, list[Problem]]] = []
    for outcome in outcomes(root, names):
        problems = list(outcome.problems)
        made = None
        if outcome.environment is not None:
            progress(f"rendering {outcome.name}")
            problems += outcome.environment.warnings
            try:
                made = hand_over(outcome.environment, root, engine)
            except (ParamsError, TemplateError) as error:
                problems += error.problems
        rendered.append((outcome, made, problems))
    findings = _lint(root, [(outcome.environment, made) for outcome, made, _ in rendered if made is not None],
                     use_cache, info, progress)
    return [Built(outcome.name, made, tuple(dict.fromkeys(problems)), findings.get(outcome.name, ()),
                  tuple(write.compare(root, outcome.name, made.files)) if made else ())
            for outcome, made, problems in rendered]


def _lint(root: Path, made: list[tuple[Environment, HandOver]], use_cache: bool, info: bool,
          progress: Callable[[str], None]) -> dict[str, tuple[linting.Finding, ...]]:
    """Findings of each environment, with the template line and the params key behind each."""
    if made:
        progress(f"linting {len(made)} template{'s' if len(made) > 1 else ''}")
    cache = linting.Cache(root, enabled=use_cache)
    jobs = [linting.Job(one.template, f"{write.FOLDER}/{one.environment}/template.yaml", environment.settings.region,
                        environment.settings.keycloak.version, info)
            for environment, one in made]
    found = {}
    for (environment, one), job, findings in zip(made, jobs, linting.lint_many(jobs, cache=cache)):
        findings = list(findings) + list(linting.guard_text(one.template, file=job.file))
        if environment.settings.stack.template_bucket is not None:
            # The bucket is there for this very case.
            findings = [finding for finding in findings if finding.rule not in SIZE_RULES]
        if any(problem.key == "keycloak.image.kind" for problem in environment.warnings):
            findings = [finding for finding in findings if finding.rule not in STOCK_IMAGE_RULES]
        found[environment.name] = tuple(linting.with_origins(findings, one.origins, _place(environment)))
    return found


def _place(environment: Environment) -> Callable[[str], tuple[str, int] | None]:
    """Where a params key is set; None for a default."""
    def place(key: str) -> tuple[str, int] | None:
        found = environment.tree.get(key)
        return (found.chain[-1].file, found.chain[-1].line) if found is not None else None
    return place


def write_out(root: Path, built: list[Built]) -> list[str]:
    """Writes every environment without an error whose files differ; returns their names."""
    write.sweep(root)
    written = []
    for one in built:
        if one.hand_over is not None and not one.errors and one.differences:
            write.write(root, one.name, one.hand_over.files, list(one.differences))
            written.append(one.name)
    return written
