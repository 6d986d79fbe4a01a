"""Parameters, conditions and intrinsic functions, worked out."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from generator.document import Document, Path, Resource
from generator.resolving.place import Place
from generator.resolving.values import (
    NO_VALUE,
    Reference,
    Text,
    Unknown,
    function_of,
    is_known,
    join_text,
    mapping,
    scalar_text,
    whole_number,
)

# `${Name}`, `${Name.Attribute}` and the escape `${!Name}`.
_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{(resolve:[^{}]*)\}\}")

# The letters that AWS gives zones; which of them an account sees is its own, so any region has these three
# here.
_ZONES = "abc"

_ECHOES = {
    ("AWS::EC2::Subnet", "AvailabilityZone"): "AvailabilityZone",
    ("AWS::EC2::Subnet", "CidrBlock"): "CidrBlock",
    ("AWS::EC2::VPC", "CidrBlock"): "CidrBlock",
    ("AWS::ECS::Service", "Name"): "ServiceName",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerName"): "Name",
    ("AWS::SSM::Parameter", "Value"): "Value",
    ("AWS::ServiceDiscovery::Service", "Name"): "Name",
}
"""Attributes that answer with a property of the same resource (the resources' pages in AWS' template
reference)."""

Attributes = Callable[[Reference], "str | None"]
"""Gives a reference a value, or None to leave it a reference."""


class Resolver:
    """Works out the values of one document.

    `parameters` are values given by name. They win over defaults; an export that Fn::ImportValue names and
    the inside of a dynamic reference (`resolve:ssm:/path`) may be given a value in the same way. Of a
    parameter whose type is an AWS::SSM::Parameter::Value the given value is what the store holds, its default
    (the name in the store) says nothing.

    `region`, `account` and `stack_name` are empty where they aren't known. `attributes` may give values to
    references, as somebody does who makes the resources up.
    """

    def __init__(
        self,
        document: Document,
        parameters: Mapping[str, str] | None = None,
        *,
        region: str = "",
        account: str = "",
        stack_name: str = "",
        attributes: Attributes | None = None,
    ):
        self.document = document
        self.region, self.account, self.stack_name = region, account, stack_name
        self._given = dict(parameters or {})
        self._attributes = attributes
        self._conditions: dict[str, bool | Unknown] = {}
        self._open: set[tuple[str, str]] = set()

    def with_attributes(self, attributes: Attributes) -> Resolver:
        """The same with values for references."""
        return Resolver(
            self.document,
            self._given,
            region=self.region,
            account=self.account,
            stack_name=self.stack_name,
            attributes=attributes,
        )

    def value(self, value: Any) -> Any:
        """`value` resolved all the way down: plain data with Reference, Unknown and Text in it where
        something isn't known; NO_VALUE where it is AWS::NoValue. Mappings and lists lose what has no value.
        """
        try:
            return self._value(value)
        except RecursionError:
            return Unknown("it is nested too deeply")

    def known(self, value: Any) -> Any:
        """`value` resolved if all of it is known, else None; a dynamic reference isn't known."""
        resolved = self.value(value)
        return resolved if is_known(resolved) else None

    def condition(self, name: str) -> bool | Unknown:
        """What the condition of that name comes to."""
        if name not in self._conditions:
            written = mapping(self.document.data.get("Conditions")).get(name, NO_VALUE)
            if written is NO_VALUE:
                return Unknown(f"there is no condition {name}")
            try:
                found = self._guarded(("condition", name), lambda: self._truth(written))
            except RecursionError:
                found = Unknown("it is nested too deeply")
            self._conditions[name] = found
        return self._conditions[name]

    def exists(self, logical_id: str) -> bool | Unknown:
        """Whether the stack will have that resource: its condition, if it has one. False for no resource at
        all."""
        resource = self.document.resources.get(logical_id)
        if resource is None:
            return False
        name = resource.attributes.get("Condition")
        return (
            True
            if name is None
            else self.condition(name)
            if isinstance(name, str)
            else Unknown("an odd condition")
        )

    def resources(self, *types: str) -> list[Resource]:
        """The resources of the given types, in the order of the text, without those whose condition is
        false."""
        return [one for one in self.document.of_type(*types) if self.exists(one.logical_id) is not False]

    def place(self, path: Path) -> Place:
        """The place at `path` of the document; an absent one where there is nothing."""
        value: Any = self.document.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                value = NO_VALUE
                break
        return Place(self, tuple(path), value)

    def properties(self, resource: Resource) -> Place:
        """The place of a resource's properties."""
        return Place(self, (*resource.path, "Properties"), resource.properties)

    # --- values ---

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._dynamic(value)
        if isinstance(value, Reference):
            return self._reference(value)
        if isinstance(value, Text):
            return self._joined([self._value(part) for part in value.parts])
        if isinstance(value, list):
            return [one for item in value if (one := self._value(item)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        function = function_of(value)
        if function:
            return self._call(function, value[function])
        found = {key: self._value(inner) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if inner is not NO_VALUE}

    def _dynamic(self, text: str) -> str:
        if "{{" not in text or not self._given:
            return text
        return _DYNAMIC.sub(lambda match: self._given.get(match[1], match[0]), text)

    def _call(self, function: str, argument: Any) -> Any:
        method = _FUNCTIONS.get(function)
        if method is None:
            return Unknown(f"{function} is worked out by AWS")
        return method(self, argument)

    def _guarded(self, key: tuple[str, str], work: Callable[[], Any]) -> Any:
        """What `work` gives; Unknown where it asks for itself."""
        if key in self._open:
            return Unknown(f"the {key[0]} {key[1]} depends on itself")
        self._open.add(key)
        try:
            return work()
        finally:
            self._open.discard(key)

    def _ref(self, argument: Any) -> Any:
        name = self._value(argument)
        if not isinstance(name, str):
            return Unknown("a Ref without a name")
        if name.startswith("AWS::"):
            return self._pseudo(name)
        parameters = mapping(self.document.data.get("Parameters"))
        if name in parameters:
            return self._parameter(name, mapping(parameters[name]))
        return self._reference(Reference(name))

    def _pseudo(self, name: str) -> Any:
        region = self.region
        china, government = region.startswith("cn-"), region.startswith("us-gov-")
        known = {
            "AWS::NoValue": NO_VALUE,
            "AWS::Region": region,
            "AWS::AccountId": self.account,
            "AWS::StackName": self.stack_name,
            "AWS::Partition": region and ("aws-cn" if china else "aws-us-gov" if government else "aws"),
            "AWS::URLSuffix": region and ("amazonaws.com.cn" if china else "amazonaws.com"),
        }
        value = self._given.get(name) or known.get(name)
        return (
            Unknown(f"{name} isn't known before the deployment", name=name) if value in ("", None) else value
        )

    def _parameter(self, name: str, declared: dict[str, Any]) -> Any:
        kind = declared.get("Type")
        kind = kind if isinstance(kind, str) else "String"
        stored = kind.startswith("AWS::SSM::Parameter::Value<")
        if name in self._given:
            value: Any = self._given[name]
        elif stored:
            where = scalar_text(declared.get("Default"))
            reason = (
                f"parameter {name} takes it from {where} in SSM"
                if where
                else f"parameter {name} takes it from SSM"
            )
            return Unknown(reason, name, name)
        elif "Default" in declared:
            value = declared["Default"]
        else:
            return Unknown(f"parameter {name} has no value", name, name)
        text = scalar_text(value)
        if text is None:
            return Unknown(f"parameter {name} has an odd value", name, name)
        if kind == "CommaDelimitedList" or "List<" in kind:
            return [item.strip() for item in text.split(",")] if text else []
        return text

    def _reference(self, reference: Reference) -> Any:
        resource = self.document.resources.get(reference.logical_id)
        if resource is None:
            return Unknown(f"{reference.logical_id} is neither a parameter nor a resource")
        if self.exists(reference.logical_id) is False:
            return Unknown(f"{reference.logical_id} isn't there: its condition is false")
        echo = _ECHOES.get((resource.type, reference.attribute))
        if echo and echo in resource.properties:
            value = self._guarded(
                ("attribute", str(reference)), lambda: self._value(resource.properties[echo])
            )
            if not isinstance(value, Unknown):
                return value
        chosen = self._attributes(reference) if self._attributes else None
        return reference if chosen is None else chosen

    def _get_att(self, argument: Any) -> Any:
        parts = self._value(argument)
        parts = parts.split(".", 1) if isinstance(parts, str) else parts
        if not isinstance(parts, list) or len(parts) < 2 or not all(isinstance(part, str) for part in parts):
            return Unknown("an Fn::GetAtt without resource and attribute")
        return self._reference(Reference(parts[0], ".".join(parts[1:])))

    def _sub(self, argument: Any) -> Any:
        own: dict[str, Any] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            argument, own = argument
        if not isinstance(argument, str):
            return Unknown("an Fn::Sub without text")
        parts: list[Any] = []
        end = 0
        for match in _VARIABLE.finditer(argument):
            parts.append(argument[end : match.start()])
            end = match.end()
            name = match[2].strip()
            if match[1]:
                parts.append(f"${{{match[2]}}}")
            elif name in own:
                parts.append(self._value(own[name]))
            elif "." in name:
                parts.append(self._get_att(name))
            else:
                parts.append(self._ref(name))
        parts.append(argument[end:])
        return self._joined(parts)

    def _joined(self, parts: list[Any]) -> Any:
        """The parts as one text; dynamic references show only now that it is whole."""
        text = join_text(parts)
        return self._dynamic(text) if isinstance(text, str) else text

    def _join(self, argument: Any) -> Any:
        delimiter, items = self._arguments(argument, 2)[:2]
        if isinstance(items, Unknown):
            return items
        if not isinstance(delimiter, str) or not isinstance(items, list):
            return Unknown("an Fn::Join without delimiter and list")
        parts: list[Any] = []
        for item in items:
            parts += [delimiter, item] if parts else [item]
        return self._joined(parts)

    def _arguments(self, argument: Any, count: int) -> list[Any]:
        """The resolved arguments of a function that takes `count`; filled with None."""
        listed = argument if isinstance(argument, list) else [argument]
        return [self._value(one) for one in [*listed, *[None] * count][: max(count, len(listed))]]

    def _select(self, argument: Any) -> Any:
        position, items = self._arguments(argument, 2)[:2]
        if isinstance(items, Unknown):
            return items
        index = whole_number(position)
        if index is None or not isinstance(items, list):
            return Unknown("an Fn::Select without a known position and list")
        if not 0 <= index < len(items):
            return Unknown(f"Fn::Select asks for item {index} of a list of {len(items)}")
        return items[index]

    def _split(self, argument: Any) -> Any:
        delimiter, text = self._arguments(argument, 2)[:2]
        if isinstance(text, Unknown):
            return text
        if isinstance(text, (Reference, Text)):
            return Unknown(f"{text} is known once it is deployed")
        if not isinstance(delimiter, str) or not delimiter or not isinstance(text, str):
            return Unknown("an Fn::Split without delimiter and text")
        return text.split(delimiter)

    def _if(self, argument: Any) -> Any:
        chosen = self.branch(argument)
        return chosen if isinstance(chosen, Unknown) else self._value(argument[chosen])

    def branch(self, argument: Any) -> int | Unknown:
        """Which item of an Fn::If's list holds: 1 or 2."""
        if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
            return Unknown("an Fn::If without condition and two values")
        truth = self.condition(argument[0])
        return truth if isinstance(truth, Unknown) else 1 if truth else 2

    def _find_in_map(self, argument: Any) -> Any:
        found = self.mapped(argument)
        return found if isinstance(found, Unknown) else self._value(found[1])

    def mapped(self, argument: Any) -> tuple[Path, Any] | Unknown:
        """(path, value) of what an Fn::FindInMap finds."""
        if not isinstance(argument, list) or len(argument) < 3:
            return Unknown("an Fn::FindInMap without map and two keys")
        keys = [self.value(one) for one in argument[:3]]
        odd = next((key for key in keys if isinstance(key, Unknown)), None)
        if odd is not None:
            return odd
        names = [scalar_text(key) for key in keys]
        found: Any = self.document.data.get("Mappings")
        for name in names:
            found = mapping(found).get(name, NO_VALUE)
        if found is not NO_VALUE:
            return ("Mappings", *names), found
        fallback = argument[3] if len(argument) > 3 else None
        if isinstance(fallback, dict) and "DefaultValue" in fallback:
            return (), fallback["DefaultValue"]
        return Unknown(f"the mapping {'.'.join(map(str, names))} isn't there")

    def _get_azs(self, argument: Any) -> Any:
        region = self._value(argument) or self._pseudo("AWS::Region")
        return [region + zone for zone in _ZONES] if isinstance(region, str) else region

    def _cidr(self, argument: Any) -> Any:
        block, count, bits = self._arguments(argument, 3)[:3]
        if isinstance(block, Unknown):
            return block
        if isinstance(block, (Reference, Text)):
            return Unknown(f"{block} is known once it is deployed")
        how_many, width = whole_number(count), whole_number(8 if bits is None else bits)
        try:
            network = ipaddress.ip_network(str(block), strict=False)
            prefix = network.max_prefixlen - width
            if not 1 <= how_many <= 256 or not network.prefixlen <= prefix <= network.max_prefixlen:
                raise ValueError
            found = [str(one) for one in itertools.islice(network.subnets(new_prefix=prefix), how_many)]
        except (ValueError, TypeError):
            return Unknown("an Fn::Cidr without block, count and bits that fit")
        return (
            found
            if len(found) == how_many
            else Unknown(f"{block} doesn't hold {how_many} networks of that size")
        )

    def _base64(self, argument: Any) -> Any:
        text = self._value(argument)
        if isinstance(text, str):
            return base64.b64encode(text.encode("utf-8", "replace")).decode()
        return (
            text if isinstance(text, Unknown) else Unknown("Fn::Base64 of what is known once it is deployed")
        )

    def _import_value(self, argument: Any) -> Any:
        name = self._value(argument)
        if isinstance(name, str):
            given = self._given.get(name)
            return Unknown(f"another stack exports it as {name}", name=name) if given is None else given
        return Unknown("another stack exports it", name=str(name))

    def _length(self, argument: Any) -> Any:
        items = self._value(argument)
        if isinstance(items, (list, Unknown)):
            return items if isinstance(items, Unknown) else len(items)
        return Unknown("an Fn::Length without a list")

    def _to_json(self, argument: Any) -> Any:
        value = self._value(argument)
        if value is NO_VALUE or not is_known(value):
            return Unknown("Fn::ToJsonString of what is known once it is deployed")
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    # --- conditions ---

    def _truth(self, written: Any) -> bool | Unknown:
        if not isinstance(written, dict) or len(written) != 1:
            return Unknown("a condition that is no condition function")
        function, argument = next(iter(written.items()))
        if function == "Condition" and isinstance(argument, str):
            return self.condition(argument)
        if function == "Fn::Equals":
            return self._equals(argument)
        if function not in ("Fn::And", "Fn::Or", "Fn::Not") or not isinstance(argument, list) or not argument:
            return Unknown("a condition that is no condition function")
        found = [self._truth(one) for one in argument]
        if function == "Fn::Not":
            return found[0] if isinstance(found[0], Unknown) else not found[0]
        # One is enough to settle it, whatever the others come to.
        settling = function == "Fn::Or"
        if settling in found:
            return settling
        return next((one for one in found if isinstance(one, Unknown)), not settling)

    def _equals(self, argument: Any) -> bool | Unknown:
        if not isinstance(argument, list) or len(argument) != 2:
            return Unknown("an Fn::Equals without two values")
        left, right = (self._value(one) for one in argument)
        for side in (left, right):
            if isinstance(side, Unknown):
                return side
            if not is_known(side):
                return Unknown(f"{side} isn't known before the deployment")
        texts = scalar_text(left), scalar_text(right)
        return texts[0] == texts[1] if None not in texts else bool(left == right)


_FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::Join": Resolver._join,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::GetAZs": Resolver._get_azs,
    "Fn::Cidr": Resolver._cidr,
    "Fn::Base64": Resolver._base64,
    "Fn::ImportValue": Resolver._import_value,
    "Fn::Length": Resolver._length,
    "Fn::ToJsonString": Resolver._to_json,
}
