"""CloudFormation's answers as trees, where something is added to them."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from ministack.services.cloudformation.helpers import CFN_NS

ElementTree.register_namespace("", CFN_NS)
Element = ElementTree.Element


def read(body: bytes) -> Element:
    """The tree of an answer."""
    return ElementTree.fromstring(body)


def written(root: Element) -> bytes:
    """An answer again."""
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def find(element: Element, path: str) -> Element | None:
    """The first element of a path of names, from anywhere below."""
    return element.find("." + "".join(f"//{{{CFN_NS}}}{name}" for name in path.split("/")))


def members(element: Element, name: str) -> Iterator[Element]:
    """The members of a list, wherever it is."""
    found = find(element, name)
    return iter(()) if found is None else iter(found.findall(f"{{{CFN_NS}}}member"))


def text(element: Element, name: str) -> str:
    """The text of a member; empty where it isn't there."""
    return element.findtext(f"{{{CFN_NS}}}{name}") or ""


def add(element: Element, name: str, content: str = "") -> Element:
    """A new member, after the others."""
    made = ElementTree.SubElement(element, f"{{{CFN_NS}}}{name}")
    made.text = content or None
    return made


def put(element: Element, name: str, content: str) -> None:
    """Gives a member another text."""
    found = element.find(f"{{{CFN_NS}}}{name}")
    (add(element, name) if found is None else found).text = content
