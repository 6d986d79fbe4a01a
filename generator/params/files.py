"""Files of the user's that an image is built from: whether they are there, and whether all of them would arrive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from generator.params.model import Settings
from generator.params.rules.base import Complaint


def complaints(settings: Settings, root: Path) -> Iterator[Complaint]:
    """What keeps providers, themes and authorities, paths below the project folder `root`, out of an image."""
    yield from _authorities(settings.load_balancer.client_certificates.authorities, root)
    image = settings.keycloak.image
    for name, what, wanted in (("providers", "file", Path.is_file), ("themes", "folder", Path.is_dir)):
        taken: dict[str, str] = {}
        for index, path in enumerate(getattr(image, name)):
            key = f"keycloak.image.{name}.{index}"
            place = root / path
            if not wanted(place) or not place.resolve().is_relative_to(root.resolve()):
                yield Complaint(key, f"there is no {what} {path} in the project folder",
                                "put it there, or take the line out")
                continue
            first = taken.setdefault(place.name, path)
            if first != path or index != list(getattr(image, name)).index(path):
                yield Complaint(key, f"{first} is called {place.name} too: in the image one would take the other's "
                                "place", "rename one of them, or take the line out")
            if name == "themes":
                yield from _theme(key, path, place)


def _authorities(path: str | None, root: Path) -> Iterator[Complaint]:
    if path is None:
        return
    key, place = "load_balancer.client_certificates.authorities", root / path
    if not place.is_file() or not place.resolve().is_relative_to(root.resolve()):
        yield Complaint(key, f"there is no file {path} in the project folder", "put it there, or take the line out")
        return
    try:
        text = place.read_bytes()
    except OSError as error:
        yield Complaint(key, f"{path} can't be read: {error.strerror}", "let whoever renders read it")
        return
    if b"PRIVATE KEY" in text:
        yield Complaint(key, f"{path} holds a private key, which would stand in the image", "keep certificates only")
    elif b"-----BEGIN CERTIFICATE-----" not in text:
        yield Complaint(key, f"{path} holds no certificate in PEM", "write the authorities as PEM, one after another")


def _theme(key: str, path: str, place: Path) -> Iterator[Complaint]:
    links, files = [], 0
    for parent, folders, names in os.walk(place):
        links += [one for one in (Path(parent) / name for name in sorted([*folders, *names])) if one.is_symlink()]
        files += len(names)
    for link in links:
        yield Complaint(key, f"{link.relative_to(place).as_posix()} in {path} is a link, which is not followed",
                        "put the file itself there")
    if not files:
        yield Complaint(key, f"there is no file in the folder {path}", "put the theme there, or take the line out")
