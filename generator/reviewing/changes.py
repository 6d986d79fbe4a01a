"""What is otherwise in another template: resources and properties, compared by what they mean.

Comments, order and form are no change; items of lists are told apart by their names or by what is in them,
never by their places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generator.document import Document, Resource
from generator.resolving import Resolver
from generator.reviewing.values import (
    HIDDEN,
    SECRET,
    Node,
    Values,
    keyed,
    paired,
    shown,
)
from generator.showing.literals import hides

_SECTIONS = ("Parameters", "Outputs", "Transform", "Rules", "Metadata", "Description")
"""Parts of a template beside its resources that are compared; mappings and conditions show in the resources
that use them."""


@dataclass(frozen=True)
class Change:
    """One value that is otherwise."""

    path: tuple[str, ...]
    """Names of properties below the resource, `[KC_DB]` for the item of that name; `Properties` isn't among
    them. An attribute of the resource itself (DeletionPolicy, DependsOn) is a path of one, see
    `attribute`."""
    before: str | None
    """How it was, as one line of text; None where it wasn't there. Secrets are `(hidden)`."""
    after: str | None
    before_line: int
    """Line in the text before, of the nearest thing around it if it wasn't there; from 1."""
    after_line: int
    attribute: bool = False
    """Whether it is about the resource itself and not one of its properties."""

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    @property
    def name(self) -> str:
        """`ContainerDefinitions[keycloak].Environment[KC_DB]`."""
        return dotted(self.path)

    @property
    def properties(self) -> tuple[str, ...]:
        """The path without the names of items: `("ContainerDefinitions", "Environment")`."""
        return tuple(step for step in self.path if not step.startswith("["))


@dataclass(frozen=True)
class ResourceChange:
    """One resource that is otherwise, or a part of the template beside the resources."""

    logical_id: str
    type: str
    """The type afterwards, or what it was; empty for a part beside the resources."""
    kind: str
    """added, removed, changed; `type` where it stays in name only and is of another type."""
    changes: tuple[Change, ...]
    """Of one that stays; in the order of their names."""
    before: Resource | None
    after: Resource | None
    renamed: str = ""
    """The resource that this one looks like under another name: of an added one the removed, and the other
    way round."""

    @property
    def line(self) -> int:
        """Line in the text after, in the one before for what is gone."""
        found = self.after or self.before
        return found.line if found else next((one.after_line for one in self.changes), 0)


@dataclass(frozen=True)
class Changes:
    """All that is otherwise."""

    resources: tuple[ResourceChange, ...]
    """In the order of the text after; removed ones at the end, in the order of the text before."""
    sections: tuple[ResourceChange, ...]
    """Parameters, Outputs and the like; `logical_id` is the section's name."""

    def of(self, logical_id: str) -> ResourceChange | None:
        """What is otherwise in one resource."""
        return next((one for one in self.resources if one.logical_id == logical_id), None)

    def __bool__(self) -> bool:
        return bool(self.resources or self.sections)


@dataclass(frozen=True)
class Side:
    """A template with what is known about where it is deployed."""

    document: Document
    resolver: Resolver
    given: tuple[tuple[str, str], ...] = ()
    """The parameters that were given a value."""
    rewrite: Callable[[str], str] | None = None
    """Changes each literal before it is compared."""

    @classmethod
    def of(
        cls,
        document: Document,
        parameters: dict[str, str] | None = None,
        *,
        region: str = "",
        account: str = "",
        stack_name: str = "",
        rewrite: Callable[[str], str] | None = None,
    ) -> Side:
        """A template; `parameters` are values by name."""
        resolver = Resolver(document, parameters, region=region, account=account, stack_name=stack_name)
        return cls(document, resolver, tuple(sorted((parameters or {}).items())), rewrite)

    def values(self, other: Side) -> Values:
        """Its values, with the pseudo parameters worked out that both sides agree about."""
        mine, its = self.resolver, other.resolver
        known = {
            name
            for name, one, two in (
                ("AWS::Region", mine.region, its.region),
                ("AWS::AccountId", mine.account, its.account),
                ("AWS::StackName", mine.stack_name, its.stack_name),
            )
            if one and one == two
        }
        if "AWS::Region" in known:
            known |= {"AWS::Partition", "AWS::URLSuffix"}
        return Values(self.document, mine, known=frozenset(known), rewrite=self.rewrite)


def dotted(path: tuple[str, ...]) -> str:
    """A path as text."""
    return "".join(step if step.startswith("[") else f".{step}" for step in path).lstrip(".")


def compare(before: Side, after: Side) -> Changes:
    """What is otherwise in `after`. Nothing here raises on odd templates."""
    one, other = before.values(after), after.values(before)
    old, new = _present(before), _present(after)
    alike = _alike(before, after)
    found = []
    for logical_id, resource in new.items():
        if logical_id not in old:
            found.append(ResourceChange(logical_id, resource.type, "added", (), None, resource))
            continue
        was = old[logical_id]
        if (
            alike
            and was.type == resource.type
            and was.properties == resource.properties
            and (was.attributes == resource.attributes)
        ):
            continue  # written alike, and what is around it means the same
        changes = tuple(_resource(one, other, was, resource))
        if was.type != resource.type:
            found.append(ResourceChange(logical_id, resource.type, "type", changes, was, resource))
        elif changes:
            found.append(ResourceChange(logical_id, resource.type, "changed", changes, was, resource))
    found += [
        ResourceChange(logical_id, resource.type, "removed", (), resource, None)
        for logical_id, resource in old.items()
        if logical_id not in new
    ]
    sections = tuple(
        ResourceChange(name, "", "changed", changes, None, None)
        for name in _SECTIONS
        if (changes := tuple(_section(one, other, name)))
    )
    return Changes(tuple(_renames(found, one, other)), sections)


def _present(side: Side) -> dict[str, Resource]:
    """The resources without those whose condition is known not to hold."""
    return {
        name: one for name, one in side.document.resources.items() if side.resolver.exists(name) is not False
    }


def compare_data(before: Document, after: Document) -> tuple[Change, ...]:
    """What is otherwise in a mapping that is no template (stack.json)."""
    one, other = Values(before, Resolver(before)), Values(after, Resolver(after))
    sides = one.of(before.data, ()), other.of(after.data, ())
    return tuple(_differences(one, other, (), "", *sides, (), ()))


def _alike(before: Side, after: Side) -> bool:
    """Whether a value that is written alike on both sides means the same."""
    one, other = before.resolver, after.resolver
    return (
        before.rewrite is None is after.rewrite
        and before.given == after.given
        and (one.region, one.account, one.stack_name) == (other.region, other.account, other.stack_name)
        and all(
            before.document.data.get(name) == after.document.data.get(name)
            for name in ("Parameters", "Mappings", "Conditions")
        )
    )


def _resource(one: Values, other: Values, was: Resource, resource: Resource) -> Iterator[Change]:
    for key in sorted(was.attributes.keys() | resource.attributes.keys()):
        sides = []
        for values, side in ((one, was), (other, resource)):
            path = (*side.path, key)
            if key == "Condition" and key in side.attributes:
                sides.append(values.condition(side.attributes[key], path))
            else:
                sides.append(values.of(side.attributes[key], path, key) if key in side.attributes else None)
        yield from _differences(one, other, (key,), key, *sides, was.path, resource.path, attribute=True)
    mine, its = one.properties(was), other.properties(resource)
    yield from _differences(one, other, (), "", mine, its, was.path, resource.path)


def _section(one: Values, other: Values, name: str) -> Iterator[Change]:
    sides = []
    for values in (one, other):
        section = values.document.data.get(name)
        sides.append(None if section in (None, {}) else values.of(section, (name,)))
    paths = ((name,), (name,))
    if name == "Parameters":
        sides = [_parameters(side) for side in sides]
    yield from _differences(one, other, (), "", *sides, *paths)


def _parameters(node: Node | None) -> Node | None:
    """Parameters; what a NoEcho one has as its default is nobody's business."""
    if node is None or node.kind != "mapping":
        return node
    items = {}
    for name, one in node.items.items():
        quiet, default = one.of("NoEcho"), one.of("Default")
        if quiet is not None and (quiet.text or "").lower() == "true" and default is not None:
            hidden = Node("function", default.value, default.path, function=SECRET)
            inner = {**one.items, "Default": hidden}
            one = Node("mapping", one.value, one.path, items=inner)
        items[name] = one
    return Node("mapping", node.value, node.path, items=items)


def _differences(
    one: Values,
    other: Values,
    path: tuple[str, ...],
    name: str,
    was: Node | None,
    now: Node | None,
    was_near,
    now_near,
    attribute: bool = False,
) -> Iterator[Change]:
    """The changes below `path`; `was_near` and `now_near` are the nearest places in both documents."""
    if was is None and now is None or was is not None and now is not None and was.value == now.value:
        return
    was_near, now_near = was.path if was else was_near, now.path if now else now_near
    if was is not None and now is not None and was.kind == now.kind == "mapping":
        sides: tuple[dict[str, Node], ...] = (was.items, now.items)
        steps = {key: (key, key) for key in (*now.items, *was.items)}
    elif was is None and now is not None and now.kind == "mapping" and not path:
        sides, steps = ({}, now.items), {key: (key, key) for key in now.items}
    elif now is None and was is not None and was.kind == "mapping" and not path:
        sides, steps = (was.items, {}), {key: (key, key) for key in was.items}
    elif _listlike(was) and _listlike(now) and (items := _items(name, was, now)) is not None:
        sides = items
        steps = {key: (f"[{key}]", "") for key in (*items[1], *items[0])}
    else:
        yield _change(one, other, path, was, now, was_near, now_near, attribute)
        return
    before_count = 0
    for key, (step, inner) in sorted(steps.items()):
        pair = [side.get(key) for side in sides]
        values = [paired(item) if item is not None and step.startswith("[") else None for item in pair]
        if any(value is not None for value in values) and all(
            value is not None or item is None for value, item in zip(values, pair)
        ):
            pair = values
        for change in _differences(
            one, other, (*path, step), inner, *pair, was_near, now_near, attribute=attribute
        ):
            before_count += 1
            yield change
    if not before_count:  # only their order, or how often one is there
        yield _change(one, other, path, was, now, was_near, now_near, attribute)


def _listlike(node: Node | None) -> bool:
    return node is not None and node.kind in ("list", "bag")


def _items(name: str, was: Node, now: Node) -> tuple[dict[str, Node], dict[str, Node]] | None:
    """The items of both lists by what tells them apart; None where the lists are compared as a whole: plain
    values whose order counts (a command's words)."""
    every = [*was.listed, *now.listed]
    if was.kind == now.kind == "list":
        if not all(one.kind == "mapping" for one in every):
            return None
        if len(was.listed) == len(now.listed) == 1:
            return {"1": was.listed[0]}, {"1": now.listed[0]}
    sides = keyed(name, was, now)
    if sides[0].keys() == sides[1].keys():
        return sides
    gone, new = sides[0].keys() - sides[1].keys(), sides[1].keys() - sides[0].keys()
    by_content = name in ("Statement", "Actions", "DefaultActions") or was.kind == "list"
    if len(gone) == len(new) == 1 and by_content and all(one.kind == "mapping" for one in every):
        # One is left on either side: it was changed, not taken away and brought back. What both have is its
        # name.
        old, fresh = gone.pop(), new.pop()
        one, other = sides[0][old], sides[1][fresh]
        both = {key: node for key, node in one.items.items() if _same(node, other.items.get(key))}
        name = shown(Node("mapping", None, (), items=both))
        if both and name not in sides[0] and not _named_item(one, old):
            return {name if key == old else key: item for key, item in sides[0].items()}, {
                name if key == fresh else key: item for key, item in sides[1].items()
            }
    return sides


def _same(one: Node, other: Node | None) -> bool:
    return other is not None and one.value == other.value


def _named_item(item: Node, key: str) -> bool:
    """Whether an item is known by a name of its own and not by what is in it."""
    return any(inner.text == key for inner in item.items.values())


def _change(one, other, path, was, now, was_near, now_near, attribute) -> Change:
    told = []
    for node in (was, now):
        text = None if node is None else shown(node, hides, path)
        told.append(text)
    if told[0] == told[1] and was is not None and now is not None:
        told[1] = f"{told[1]} (another one)" if HIDDEN in (told[1] or "") else f"{told[1]} (in another order)"
    lines = one.document.line(was_near), other.document.line(now_near)
    return Change(path, told[0], told[1], *lines, attribute)


def _renames(found: list[ResourceChange], one: Values, other: Values) -> Iterator[ResourceChange]:
    """The changes, with those told that look like one resource under another name."""
    removed = [change for change in found if change.kind == "removed"]
    heirs: dict[str, str] = {}
    for change in found:
        if change.kind != "added":
            continue
        best = (0.0, "")
        for gone in removed:
            if gone.type == change.type and gone.logical_id not in heirs.values():
                best = max(best, (_likeness(one, other, gone.before, change.after), gone.logical_id))
        if best[0] >= 0.6:
            heirs[change.logical_id] = best[1]
    back = {old: new for new, old in heirs.items()}
    for change in found:
        twin = heirs.get(change.logical_id) or back.get(change.logical_id, "")
        kinds = ("added", "removed")
        yield (
            change
            if not twin or change.kind not in kinds
            else ResourceChange(
                change.logical_id, change.type, change.kind, change.changes, change.before, change.after, twin
            )
        )


def _likeness(one: Values, other: Values, was: Resource, now: Resource) -> float:
    """How much two resources have in common: 0 to 1, the share of equal properties."""
    sides = []
    for values, resource in ((one, was), (other, now)):
        node = values.properties(resource)
        sides.append({key: inner.value for key, inner in node.items.items() if key != "Tags"} if node else {})
    keys = sides[0].keys() | sides[1].keys()
    if not keys:
        return 1.0
    return sum(sides[0].get(key) == sides[1].get(key) for key in keys) / len(keys)
