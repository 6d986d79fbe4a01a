"""Options, differences and upgrades as lines of text and as Markdown.

A line is a style (`bold`, `dim`, `error`, `warning`, `add`, `remove` or empty) and a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.keycloak import advice
from generator.keycloak.catalog import Catalog, Feature, Option
from generator.keycloak.differences import KINDS, Change, Differences, server
from generator.keycloak.upgrading import Item, Upgrade

Line = tuple[str, str]

_STYLES = {
    "option added": "add",
    "feature added": "add",
    "option removed": "remove",
    "feature removed": "remove",
}


def differences_text(found: Differences) -> Iterator[Line]:
    """What a step changes, one heading for each kind of change."""
    yield "bold", f"Keycloak {found.before} -> {found.after}"
    for kind, heading in KINDS.items():
        changes = found.of(kind)
        if changes:
            yield "", ""
            yield "bold", f"{heading} ({len(changes)})"
        for change in changes:
            yield _STYLES.get(kind, ""), f"  {_named(change)}" + (f": {change.text}" if change.text else "")
            if change.advice:
                yield "dim", f"      {change.advice}"
            if change.source:
                yield "dim", f"      source: {change.source}"
    if not found.changes:
        yield "", "Nothing is known to change."


def differences_markdown(found: Differences) -> str:
    """The same as a page."""
    parts = [f"# Keycloak {found.before} -> {found.after}", *(f"> {_cell(note)}." for note in found.notes)]
    for kind, heading in KINDS.items():
        changes = found.of(kind)
        if changes:
            parts.append(f"## {heading}")
            parts.append(
                _table(
                    ("", "what", "do", "source"),
                    (
                        (
                            f"`{change.name}`" + (" (hidden)" if change.hidden else ""),
                            change.text,
                            change.advice,
                            change.source,
                        )
                        for change in changes
                    ),
                )
            )
    return "\n\n".join(parts if found.changes else [*parts, "Nothing is known to change."]) + "\n"


def _named(change: Change) -> str:
    return change.name + (" (hidden)" if change.hidden else "")


def version_text(catalog: Catalog) -> Iterator[Line]:
    """What a version understands, one line each."""
    yield "bold", f"Keycloak {catalog.version}"
    for fact in server(catalog.version):
        yield "", f"  {fact.name:<28} {fact.value}"
    bugs = advice.known_bugs(catalog.version)
    if bugs:
        yield "bold", f"Known bugs ({len(bugs)})"
    for bug in bugs:
        yield "warning", f"  {bug.say}"
        yield (
            "dim",
            (
                f"      {bug.do + '. ' if bug.do else ''}Gone from {' and '.join(bug.fixed)} on. Source:"
                f" {bug.source}"
            ),
        )
    shown = [option for option in catalog.options if not option.hidden]
    yield "bold", f"Options ({len(shown)}, and {len(catalog.options) - len(shown)} hidden)"
    for option in shown:
        marks = [
            mark for mark, is_so in (("build time", option.build), ("deprecated", option.deprecated)) if is_so
        ]
        default = f" = {option.default}" if option.default is not None else ""
        yield "", f"  {option.key:<48} {option.type}{default}{' (' + ', '.join(marks) + ')' if marks else ''}"
    yield "bold", f"Features ({len(catalog.features)})"
    for feature in catalog.features:
        yield (
            "",
            f"  {feature.versioned:<48} {feature.state}{', deprecated' if _also_deprecated(feature) else ''}",
        )
    yield "bold", "Cache stacks"
    for stack in catalog.stacks:
        yield "", f"  {stack.name}{' (deprecated)' if stack.deprecated else ''}"


def option_text(option: Option, catalog: Catalog) -> Iterator[Line]:
    """Everything that is known of one option of a catalog."""
    yield "bold", f"{option.env}   {option.key}"
    if option.about:
        yield "", f"  {option.about}"
    yield "", f"  type        {option.type}{' (secret)' if option.secret else ''}"
    yield "", f"  set at      {'build time, in the image' if option.build else 'run time, on the task'}"
    yield "", f"  default     {'none that it names' if option.default is None else option.default}"
    if option.values:
        more = ", or another one" if option.open else ""
        yield "", f"  values      {', '.join(option.values)}{more}"
    for name, text in (
        ("condition", option.when),
        ("feature", option.feature),
        ("category", option.category),
    ):
        if text:
            yield "", f"  {name:<11} {text}"
    if option.hidden:
        yield "", "  hidden      Keycloak's own help keeps quiet about it"
    instead = advice.replacement(option.env, catalog.version)
    if option.deprecated:
        yield "warning", f"  deprecated  {option.deprecated}"
    if instead and (option.deprecated or instead.deprecated or instead.removed):
        yield "warning", f"  instead     {instead.say}"
        yield "dim", f"              source: {instead.source}"
    for value in option.deprecated_values:
        of_value = advice.replacement(option.env, catalog.version, value)
        yield "warning", f"  deprecated  {value}: {of_value.say if of_value else option.deprecated_note}"
        if of_value:
            yield "dim", f"              source: {of_value.source}"
    for bug in advice.known_bugs(catalog.version):
        if bug.needs.option == option.env:
            yield "warning", f"  known bug   {bug.say}"
            yield "dim", f"              {bug.do + '; ' if bug.do else ''}source: {bug.source}"


def feature_text(feature: Feature) -> Iterator[Line]:
    """Everything that is known of one feature."""
    yield "bold", f"{feature.versioned}   feature"
    yield "", f"  {feature.label}"
    yield "", f"  state       {feature.state}{', deprecated' if _also_deprecated(feature) else ''}"
    if feature.needs:
        yield "", f"  needs       {', '.join(feature.needs)}"
    if feature.update:
        yield "", f"  update      {feature.update}"
    if feature.fixed:
        yield "", "  fixed       it can't be switched off"


def _also_deprecated(feature: Feature) -> bool:
    return feature.deprecated and feature.state != "deprecated"


_STRATEGIES = {
    "rolling": "can roll: one node at a time",
    "recreate": "has to stop the cluster: all nodes stop before the first new one starts",
}


def upgrade_text(name: str, found: Upgrade) -> Iterator[Line]:
    """The report of a step of the environment `name`."""
    yield "bold", f"{name}: Keycloak {found.before} -> {found.after} {_STRATEGIES[found.strategy]}"
    for item in found.reasons:
        yield from _item_text(item)
    for heading, items in _sections(found):
        yield "", ""
        yield "bold", heading
        for item in items:
            yield from _item_text(item)
    yield "", ""
    yield "bold", "In this order"
    for number, step in enumerate(found.order, 1):
        yield "", f"  {number}. {step}"


def _sections(found: Upgrade) -> Iterator[tuple[str, tuple[Item, ...]]]:
    for heading, items in (
        ("What can't be undone", found.irreversible),
        ("Options in use", found.options),
        ("Set otherwise by the next render", found.rewritten),
        ("What the server does otherwise", found.server),
        ("Known bugs that it will have", found.bugs),
        ("Known bugs that go away", found.fixed),
    ):
        if items:
            yield heading, items


def _item_text(item: Item) -> Iterator[Line]:
    yield "", f"  {_headed(item)}"
    if item.do:
        yield "dim", f"      {item.do}"
    if item.source:
        yield "dim", f"      source: {item.source}"


def _headed(item: Item) -> str:
    head = f"{item.kind} {item.name}" if item.kind in ("set", "unset", "changed") else item.name
    return ": ".join(filter(None, (head, item.text)))


def upgrade_markdown(name: str, found: Upgrade) -> str:
    """The same as a page."""
    parts = [
        f"# {name}: Keycloak {found.before} -> {found.after}",
        *(f"> {_cell(note)}." for note in found.notes),
        f"The step **{_STRATEGIES[found.strategy]}**.",
        _items_table(found.reasons),
    ]
    for heading, items in _sections(found):
        parts += [f"## {heading}", _items_table(items)]
    parts += [
        "## In this order",
        "\n".join(f"{number}. {step}" for number, step in enumerate(found.order, 1)),
    ]
    return "\n\n".join(parts) + "\n"


def _items_table(items: tuple[Item, ...]) -> str:
    return _table(
        ("", "what", "do", "source"),
        ((f"`{item.name}`" if item.name else item.kind, item.text, item.do, item.source) for item in items),
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table without the columns that are empty in every row."""
    rows = list(rows)
    kept = [index for index in range(len(heads)) if index == 0 or any(row[index] for row in rows)]
    lines = [[heads[index] for index in kept], ["---"] * len(kept)]
    lines += [[_cell(row[index]) for index in kept] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Text that neither ends a cell nor becomes markup: options hold `<...>`, values `|`."""
    parts = text.replace("|", "\\|").split("`")
    # Every second part stands between backticks, where `<` is text already.
    return "`".join(part if number % 2 else part.replace("<", "\\<") for number, part in enumerate(parts))
