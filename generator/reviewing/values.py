"""Values of a template as what they mean, whatever form they are written in.

`!Ref X` and `!Sub "${X}"` are one value here, so are `8080` and `"8080"`, a list of one and its only item
where CloudFormation takes both, and a parameter and what it is set to. Every value knows where it is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from generator.document import Document, Path, Resource
from generator.resolving import NO_VALUE, Resolver, Unknown, is_known, scalar_text
from generator.showing.literals import no_echo

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")

# Lists whose order says nothing; one item may stand without the list around it.
_BAGS = frozenset(
    """Action NotAction Resource NotResource Principal NotPrincipal AWS Service Federated Subnets SubnetIds
    SecurityGroups SecurityGroupIds SecurityGroupIngress SecurityGroupEgress VPCSecurityGroups
    VpcSecurityGroupIds DBSecurityGroups Values RequiresCompatibilities EnableCloudwatchLogsExports
    ManagedPolicyArns Policies SubjectAlternativeNames AlarmActions OKActions InsufficientDataActions
    DependsOn Roles Users Groups CapacityProviders AvailabilityZones Tags Statement Environment Secrets
    PortMappings Ulimits Dimensions LoadBalancerAttributes TargetGroupAttributes ListenerAttributes
    ContainerDefinitions Volumes MountPoints ClusterSettings ServiceRegistries LoadBalancers Subscription
    Certificates DomainValidationOptions DnsRecords Conditions Rules RuleActionOverrides ExcludedRules
    RouteTableIds PrivateDnsNames Aliases ResourceRecords SubnetMappings CidrIps Addresses
    MetricTransformations EnabledMetrics NotificationArns SystemControls VolumeConfigurations
    Capabilities""".split()
)

_KEYS: dict[str, tuple[str, ...]] = {
    "PortMappings": ("ContainerPort", "Protocol"),
    "MountPoints": ("ContainerPath",),
    "LoadBalancers": ("ContainerName", "ContainerPort"),
    "Subscription": ("Protocol", "Endpoint"),
    "DnsRecords": ("Type",),
    "DomainValidationOptions": ("DomainName",),
    "DependsOn": ("ContainerName",),
    "Certificates": ("CertificateArn",),
    "MetricTransformations": ("MetricNamespace", "MetricName"),
    "Policies": ("PolicyName",),
    "Statement": ("Sid",),
}
"""What tells the items of a list apart, by the list's name."""

_USUAL_KEYS = ("Name", "Key", "Field", "Sid", "PolicyName", "Id", "ContainerName", "LogicalResourceId")

# Beside what they are keyed by, such items have one value: the variable's, the tag's.
_PAIRED = (frozenset(("Name", "Value")), frozenset(("Key", "Value")), frozenset(("Name", "ValueFrom")))

# Read first where a mapping is written as a line.
_FIRST = ("Sid", "Effect", "Name", "Key", "Field", "Type", "ContainerName", "IpProtocol")

_RULES = ("SecurityGroupIngress", "SecurityGroupEgress")


@dataclass(frozen=True, eq=False)
class Node:
    """A value. Two values mean the same if their `value`s are equal."""

    kind: str
    """text, function, mapping, list, bag (a list whose order says nothing)."""
    value: Hashable
    path: Path
    """Where it is written in its document."""
    items: dict[str, Node] = field(default_factory=dict)
    """Of a mapping."""
    listed: tuple[Node, ...] = ()
    """Of a list or a bag."""
    function: str = ""
    """Of a function: Ref, Fn::GetAtt, Fn::Sub for text that is known in parts, or any other."""
    parts: tuple[Any, ...] = ()
    """Of a function: what it is about; str and Node."""

    @property
    def text(self) -> str | None:
        """The text that it is; None for anything else."""
        return self.value if self.kind == "text" and isinstance(self.value, str) else None

    def of(self, key: str) -> Node | None:
        """What a mapping has under a key."""
        return self.items.get(key)

    def listing(self) -> tuple[Node, ...]:
        """The items of a list or a bag; itself for anything else."""
        return self.listed if self.kind in ("list", "bag") else (self,)


class Values:
    """What the values of one document mean.

    Parameters that have a value, mappings and conditions that can be told are worked out. `known` are the
    pseudo parameters to be worked out as well; `rewrite` may change each literal text (an environment's own
    name, where two environments are compared).
    """

    def __init__(
        self,
        document: Document,
        resolver: Resolver,
        *,
        known: frozenset[str] = frozenset(),
        rewrite: Callable[[str], str] | None = None,
    ):
        self.document, self.resolver = document, resolver
        self._known = known
        self._rewrite = rewrite
        self._open: list[str] = []
        self._resources: dict[str, Node | None] = {}

    def properties(self, resource: Resource) -> Node | None:
        """What the properties of a resource mean: a mapping."""
        if resource.logical_id not in self._resources:
            path = (*resource.path, "Properties")
            self._resources[resource.logical_id] = self.of(resource.properties, path)
        return self._resources[resource.logical_id]

    def of(self, value: Any, path: Path, name: str = "") -> Node | None:
        """What `value`, written at `path` under the name `name`, means; None where it has no value."""
        try:
            return self._node(value, path, name)
        except RecursionError:
            return self._text("(nested too deeply)", path)

    def condition(self, name: Any, path: Path) -> Node | None:
        """What the condition of that name asks for; None where it is known to hold."""
        if not isinstance(name, str):
            return self.of(name, path)
        truth = self.resolver.condition(name)
        return None if truth is True else self._asked(name, path)

    def _asked(self, name: str, path: Path) -> Node:
        section = self.document.data.get("Conditions")
        written = section.get(name) if isinstance(section, dict) else None
        if written is None or name in self._open:
            return self._function("Condition", (name,), path)
        self._open.append(name)
        try:
            return self._node(written, ("Conditions", name), "") or self._text("", path)
        finally:
            self._open.pop()

    # --- building ---

    def _text(self, text: str, path: Path) -> Node:
        return Node("text", self._rewrite(text) if self._rewrite else text, path)

    def _function(self, name: str, parts: tuple[Any, ...], path: Path) -> Node:
        value = (name, *(part.value if isinstance(part, Node) else part for part in parts))
        return Node("function", value, path, function=name, parts=parts)

    def _node(self, value: Any, path: Path, name: str) -> Node | None:
        if isinstance(value, dict):
            if len(value) == 1:
                function, argument = next(iter(value.items()))
                if function == "Ref" or isinstance(function, str) and function.startswith("Fn::"):
                    return self._call(function, argument, path, name)
                if function == "Condition" and isinstance(argument, str) and path[:1] == ("Conditions",):
                    truth = self.resolver.condition(argument)
                    return (
                        self._text(str(truth).lower(), path)
                        if isinstance(truth, bool)
                        else self._asked(argument, path)
                    )
            items = {str(key): self._node(inner, (*path, key), str(key)) for key, inner in value.items()}
            made = self._mapping({key: inner for key, inner in items.items() if inner is not None}, path)
            return self._list([made], path, name) if name == "Statement" else made
        if isinstance(value, list):
            nodes = [self._node(inner, (*path, place), "") for place, inner in enumerate(value)]
            return self._list([one for one in nodes if one is not None], path, name)
        if value is None:
            return Node("text", None, path)
        text = scalar_text(value)
        made = self._text(str(value) if text is None else text, path)
        return self._list([made], path, name) if name in _BAGS else made

    def _mapping(self, items: dict[str, Node], path: Path) -> Node:
        value = ("mapping", frozenset((key, inner.value) for key, inner in items.items()))
        return Node("mapping", value, path, items=items)

    def _list(self, nodes: list[Node], path: Path, name: str) -> Node:
        # A Fn::If or a parameter may bring a whole list.
        if name not in _BAGS:
            return Node("list", ("list", *(one.value for one in nodes)), path, listed=tuple(nodes))
        flat = [inner for one in nodes for inner in (one.listed if one.kind in ("list", "bag") else (one,))]
        bag = frozenset(Counter(one.value for one in flat).items())
        return Node("bag", ("bag", bag), path, listed=tuple(flat))

    def _call(self, function: str, argument: Any, path: Path, name: str) -> Node | None:
        here = (*path, function)
        if function == "Ref" and isinstance(argument, str):
            return self._ref(argument, path, name)
        if function == "Fn::GetAtt":
            parts = argument.split(".", 1) if isinstance(argument, str) else argument
            if isinstance(parts, list) and len(parts) >= 2 and all(isinstance(one, str) for one in parts):
                return self._wrapped(
                    self._function("Fn::GetAtt", (parts[0], ".".join(parts[1:])), path), path, name
                )
        elif function == "Fn::Sub":
            return self._wrapped(self._sub(argument, path), path, name)
        elif function == "Fn::Join":
            joined = self._join(argument, path)
            if joined is not None:
                return self._wrapped(joined, path, name)
        elif function == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            chosen = self.resolver.branch(argument)
            if not isinstance(chosen, Unknown):
                return self._node(argument[chosen], (*here, chosen), name)
            asked = self._asked(argument[0], path) if isinstance(argument[0], str) else argument[0]
            sides = [self._node(argument[one], (*here, one), name) for one in (1, 2)]
            parts = tuple("AWS::NoValue" if one is None else one for one in sides)
            return self._function("Fn::If", (asked if isinstance(asked, Node) else str(asked), *parts), path)
        elif function == "Fn::FindInMap" and isinstance(argument, list):
            found = self.resolver.mapped(argument)
            if isinstance(found, tuple):
                return self._node(found[1], found[0] or path, name)
        elif function == "Fn::GetAZs" and argument in ("", {"Ref": "AWS::Region"}):
            return self._function(function, ("",), path)
        elif function in ("Fn::Select", "Fn::Split", "Fn::Length"):
            settled = self.resolver.value({function: argument})
            if not _mentions_pseudo(argument) and is_known(settled) and settled is not NO_VALUE:
                return self._node(settled, path, name)
        inner = self._node(argument, here, "")
        return self._wrapped(self._function(function, () if inner is None else (inner,), path), path, name)

    def _wrapped(self, node: Node, path: Path, name: str) -> Node:
        """One value as the list of one that it stands for."""
        return self._list([node], path, name) if name in _BAGS else node

    def _ref(self, target: str, path: Path, name: str) -> Node | None:
        if target == "AWS::NoValue":
            return None
        parameters = self.document.data.get("Parameters")
        worked_out = (
            target in self._known
            if target.startswith("AWS::")
            else isinstance(parameters, dict) and target in parameters
        )
        if worked_out:
            settled = self.resolver.value({"Ref": target})
            if is_known(settled) and settled is not NO_VALUE:
                if not target.startswith("AWS::") and no_echo(parameters[target]):
                    return self._wrapped(
                        Node("function", (SECRET, str(settled)), path, function=SECRET), path, name
                    )
                return self._node(settled, path, name)
        return self._wrapped(self._function("Ref", (target,), path), path, name)

    def _sub(self, argument: Any, path: Path) -> Node:
        own: dict[str, Any] = {}
        template = argument
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            template, own = argument
        if not isinstance(template, str):
            inner = self._node(argument, (*path, "Fn::Sub"), "")
            return self._function("Fn::Sub", () if inner is None else (inner,), path)
        parts: list[Any] = []
        end = 0
        for match in _VARIABLE.finditer(template):
            parts.append(template[end : match.start()])
            end = match.end()
            variable = match[2].strip()
            if match[1]:
                parts.append(f"${{{match[2]}}}")
            elif variable in own:
                parts.append(self._node(own[variable], (*path, "Fn::Sub", 1, variable), ""))
            elif "." in variable:
                parts.append(self._function("Fn::GetAtt", tuple(variable.split(".", 1)), path))
            else:
                parts.append(self._ref(variable, path, ""))
        return self._joined([*parts, template[end:]], path)

    def _join(self, argument: Any, path: Path) -> Node | None:
        """A Fn::Join as text; None where its list isn't written out."""
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            return None
        listed = self._node(argument[1], (*path, "Fn::Join", 1), "")
        if listed is None or listed.kind != "list" or any(one.kind == "mapping" for one in listed.listed):
            return None
        parts: list[Any] = []
        for one in listed.listed:
            parts += [argument[0], one] if parts else [one]
        return self._joined(parts, path)

    def _joined(self, parts: list[Any], path: Path) -> Node:
        flat: list[Any] = []
        for part in parts:
            inner = part.parts if isinstance(part, Node) and part.function == "Fn::Sub" else (part,)
            for piece in inner:
                text = piece if isinstance(piece, str) else piece.text if isinstance(piece, Node) else ""
                if text is None:
                    flat.append(piece)
                elif flat and isinstance(flat[-1], str):
                    flat[-1] += text
                elif text:
                    flat.append(text)
        if not flat:
            return self._text("", path)
        if len(flat) == 1:
            return self._text(flat[0], path) if isinstance(flat[0], str) else flat[0]
        if self._rewrite:
            flat = [self._rewrite(one) if isinstance(one, str) else one for one in flat]
        return self._function("Fn::Sub", tuple(flat), path)


def paired(node: Node) -> Node | None:
    """The one value that an item such as `{Name: KC_DB, Value: postgres}` gives to its key; None for
    others.
    """
    if node.kind == "mapping" and frozenset(node.items) in _PAIRED:
        return next(inner for key, inner in node.items.items() if key.startswith("Value"))
    return None


def keyed(name: str, *lists: Node) -> tuple[dict[str, Node], ...]:
    """The items of lists of the name `name`, each by what tells it apart.

    It is the item's name or key where all items of all lists have one of their own, else what is in it; never
    its place. Of a security group's rules the description tells nothing apart.
    """
    for keys in (_KEYS[name],) if name in _KEYS else tuple((key,) for key in _USUAL_KEYS):
        named = [[_named(item, name, keys) for item in one.listed] for one in lists]
        if all(None not in one and len(set(one)) == len(one) for one in named):
            return tuple(dict(zip(keys_of, one.listed)) for keys_of, one in zip(named, lists))
    if name in _KEYS and name != "Statement":
        return keyed("", *lists)
    return tuple(_by_content(name, one) for one in lists)


def _named(item: Node, name: str, keys: tuple[str, ...]) -> str | None:
    if item.kind != "mapping":
        return None
    if keys == ("Field",) and "HttpHeaderConfig" in item.items:
        header = item.items["HttpHeaderConfig"].of("HttpHeaderName")
        return f"http-header {header.text}" if header is not None and header.text else None
    found = [item.items.get(key) for key in keys]
    if found[0] is None or found[0].value is None:
        return None
    if keys == ("ContainerPort", "Protocol") and (found[1] is None or found[1].text == "tcp"):
        found = found[:1]
    return " ".join(str(shown(one)) for one in found if one is not None)


def _by_content(name: str, one: Node) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for item in one.listed:
        told = item
        if name in _RULES and item.kind == "mapping":
            rest = {key: inner for key, inner in item.items.items() if key != "Description"}
            told = Node("mapping", item.value, item.path, items=rest)
        key = base = shown(told)
        count = 1
        while key in found:
            count += 1
            key = f"{base} ({count})"
        found[key] = item
    return found


def shown(node: Node | None, hide: Callable[[tuple[str, ...], str], bool] | None = None, path=()) -> str:
    """A value as a line of text: `!Ref X`, `!Sub "${X}.local"`, `{Type: A, TTL: 10}`. Mappings and bags come
    in an order of their own, whatever the text's is. `hide` says of a literal at a path whether nobody may
    see it."""
    if node is None:
        return ""
    if node.kind == "text":
        if node.value is None:
            return "null"
        return HIDDEN if hide is not None and hide(path, str(node.value)) else str(node.value)
    if node.kind == "mapping":
        pair = paired(node)
        if pair is not None:
            key = next(inner for name, inner in node.items.items() if not name.startswith("Value"))
            name = next(name for name in node.items if not name.startswith("Value"))
            value_name = next(name for name in node.items if name.startswith("Value"))
            text = shown(pair, hide, (*path, f"[{shown(key)}]"))
            return f"{{{name}: {shown(key)}, {value_name}: {text}}}"
        keys = sorted(node.items, key=lambda key: (key not in _FIRST, key))
        return "{" + ", ".join(f"{key}: {shown(node.items[key], hide, (*path, key))}" for key in keys) + "}"
    if node.kind in ("list", "bag"):
        texts = [shown(one, hide, path) for one in node.listed]
        if node.kind == "bag" and len(texts) == 1 and node.listed[0].kind == "text":
            return texts[0]
        return "[" + ", ".join(sorted(texts) if node.kind == "bag" else texts) + "]"
    return _called(node, hide, path)


HIDDEN = "(hidden)"

SECRET = "secret"
"""Function of a value that nobody may see: what a NoEcho parameter is set to."""


def _called(node: Node, hide, path) -> str:
    parts = node.parts
    if node.function == SECRET:
        return HIDDEN
    if _names(node):
        return f"!{node.function.removeprefix('Fn::')} {'.'.join(parts)}"
    if node.function == "Fn::Sub" and not (len(parts) == 1 and isinstance(parts[0], Node)):
        text = "".join(one if isinstance(one, str) else f"${{{_inside(one, hide, path)}}}" for one in parts)
        if hide is not None and any(isinstance(one, str) and hide(path, one) for one in parts):
            return HIDDEN
        return f'!Sub "{text}"'
    inner = ", ".join(one if isinstance(one, str) else shown(one, hide, path) for one in parts)
    return f"!{node.function.removeprefix('Fn::')} {inner}"


def _inside(node: Node, hide, path) -> str:
    return ".".join(node.parts) if _names(node) else shown(node, hide, path)


def _names(node: Node) -> bool:
    """Whether it is a reference in its right shape: a template may hold any."""
    return node.function in ("Ref", "Fn::GetAtt") and all(isinstance(one, str) for one in node.parts)


def _mentions_pseudo(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_mentions_pseudo(one) for one in value.values()) or "Fn::GetAZs" in value
    if isinstance(value, list):
        return any(_mentions_pseudo(one) for one in value)
    return isinstance(value, str) and "AWS::" in value
