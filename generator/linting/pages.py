"""The rules' pages: for the terminal, and docs/rules/ for the project's page on the web."""

from __future__ import annotations

from generator.linting.findings import severity_of
from generator.linting.pack import all_rules
from generator.linting.rule import Rule

FOLDER = "docs/rules"

_INTRODUCTION = """# Rules

What `cloakform lint` says beside cfn-lint. {count} rules: {keycloak} know Keycloak, {aws} know what AWS
refuses at deploy time and cfn-lint accepts. Written by `cloakform schema` from the rules themselves.

```
cloakform lint prod                                  what params and templates give
cloakform lint template.yaml                         any template, YAML or JSON
cloakform lint template.yaml --keycloak-version 26.7.4
cloakform lint --explain E9031                       a rule's page
cfn-lint template.yaml --append-rules generator.linting.cfnlint_rules
```

The last one is cfn-lint itself, installed beside this project: same ids, same lines. E is what can't work or
leaves a door open, W what will bite later, I what is only good to know, said with `--info` (cfn-lint:
`--include-checks I`). cfn-lint gives rules of a `--custom-rules` file ids from E9001 on, too, so the two don't
go together in one run.

Keycloak is found by the image's name, by `kc.sh`, or by its KC_ variables. Its version is the one in the
image's tag, or said by `--keycloak-version`, or in the template:

```yaml
Metadata:
  cfn-lint:
    config:
      configure_rules: {{E9001: {{keycloak_version: 26.7.4}}}}
```

Without a version only rules that hold for all versions speak. A parameter's default is taken for its value; a
rule that would need what only AWS knows says nothing.

Two findings have no rule behind them: {unruled}.

An exception is made as for any rule of cfn-lint: `ignore_checks` in `Metadata.cfn-lint.config`, of the
template or of one resource.

| rule | Keycloak | what is right |
|---|---|---|
"""


UNRULED = {
    "E9598": "a rule of this program failed, so nobody knows what it would have said; please report it",
    "E9599": "cfn-lint knows no region of that name, so the template wasn't linted",
}
"""Id of a finding that no rule makes -> what it means."""


def made() -> dict[str, str]:
    """Path below the project folder -> text, of the index and of every rule's page."""
    rules = all_rules()
    about_keycloak = [one for one in rules if not _about_aws(one)]
    text = _INTRODUCTION.format(
        count=len(rules),
        keycloak=len(about_keycloak),
        aws=len(rules) - len(about_keycloak),
        unruled=", ".join(f"{one} ({meaning})" for one, meaning in UNRULED.items()),
    )
    rows = [f"| [{one.id}]({one.id}.md) | {_versions(one)} | {_cell(one.shortdesc)} |\n" for one in rules]
    pages = {f"{FOLDER}/{one.id}.md": page(one) for one in rules}
    return {f"{FOLDER}/README.md": text + "".join(rows), **pages}


def page(rule: Rule) -> str:
    """A rule's page in Markdown."""
    head = f"# {rule.id}: {rule.shortdesc}\n\n"
    facts = [
        f"Severity: {severity_of(rule.id)}",
        f"Keycloak: {rule.versions}",
        f"Source: <{rule.source_url}>",
    ]
    if _about_aws(rule):
        del facts[1]
    listed = "".join(f"- {one}\n" for one in facts)
    return f"{head}{listed}\n{_markdown(rule)}\n"


def terminal_text(rule: Rule) -> str:
    """A rule's page for a terminal."""
    versions = "" if _about_aws(rule) else f"Keycloak: {rule.versions}\n"
    return (
        f"{rule.id} {severity_of(rule.id)}: {rule.shortdesc}\n\n{rule.text()}\n\n"
        f"{versions}Source: {rule.source_url}\n"
        f"Leave it out: Metadata: {{cfn-lint: {{config: {{ignore_checks: [{rule.id}]}}}}}}"
    )


def _markdown(rule: Rule) -> str:
    """The docstring with its examples fenced."""
    lines: list[str] = []
    fenced = False
    for line in rule.text().splitlines():
        if fenced and line and not line.startswith("    "):
            while not lines[-1]:
                lines.pop()
            lines += ["```", ""]
            fenced = False
        if line.startswith(("Bad", "Good")) and line.endswith(":"):
            lines += [f"**{line}**", "", "```yaml"]
            fenced = True
        elif fenced:
            if line or lines[-1] != "```yaml":
                lines.append(line[4:])
        else:
            lines.append(line)
    if fenced:
        lines.append("```")
    return "\n".join(lines)


def _versions(rule: Rule) -> str:
    return "" if _about_aws(rule) else rule.versions


def _about_aws(rule: Rule) -> bool:
    return rule.id[1:3] == "95"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
