"""Templates from their folder, and compiled templates from the cache beside it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import jinja2

from generator.folder import make_cache


class Fault(Exception):
    """Something wrong with a template file as such, or with a name that should have been one."""

    def __init__(self, message: str, fix: str = "", template: str = "", line: int = 0):
        self.message, self.fix, self.template, self.line = message, fix, template, line
        super().__init__(message)


class Folder(jinja2.BaseLoader):
    """Templates by their path below one folder, `/` between the parts; nothing outside it."""

    def __init__(self, root: Path):
        self.root = root
        self._real_root = os.path.realpath(root)

    def get_source(self, environment, template):
        path = self.root / template
        if "\\" in template or not {"", ".", ".."}.isdisjoint(template.split("/")):  # "/x" begins with ""
            raise self._outside(template)
        if not Path(os.path.realpath(path)).is_relative_to(self._real_root):  # a link may point anywhere
            raise self._outside(template)
        try:
            content = path.read_bytes()
            written = path.stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise jinja2.TemplateNotFound(template) from None
        except OSError as error:
            raise Fault(f"the file can't be read: {error.strerror}", template=template) from error
        try:
            source = content.decode("utf-8-sig")  # an editor's byte order mark isn't text
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise Fault("the file isn't UTF-8 text", "save it as UTF-8", template, line) from error
        return source, str(path), lambda: path.is_file() and path.stat().st_mtime_ns == written

    def list_templates(self):
        """Every file below the folder, sorted; hidden files and folders are left out."""
        paths = [path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file()]
        return sorted(path.as_posix() for path in paths if not any(part[0] == "." for part in path.parts))

    def _outside(self, template: str) -> Fault:
        return Fault(
            f"`{template}` isn't a path inside the templates folder",
            "name a template by its path from there, such as `resources/service.yaml.j2`",
        )


class Cache(jinja2.FileSystemBytecodeCache):
    """Compiled templates on disk: compiling takes ten times as long as rendering.

    Content decides, never a date: an entry counts for this source, this compiler of ours and this Jinja (the
    entry itself names Python's version). One that can't be read or written only costs the time to compile.
    """

    def __init__(self, directory: Path):
        super().__init__(str(directory))
        self._compiler = hashlib.sha256(jinja2.__version__.encode())
        for name in ("compiling.py", "dialect.py"):
            self._compiler.update(Path(__file__).with_name(name).read_bytes())

    def get_source_checksum(self, source):
        checksum = self._compiler.copy()
        checksum.update(source.encode())
        return checksum.hexdigest()

    def load_bytecode(self, bucket):
        try:
            super().load_bytecode(bucket)
        except Exception:  # an entry cut short, or not ours, fails in many ways
            bucket.reset()

    def dump_bytecode(self, bucket):
        try:
            make_cache(Path(self.directory))
            super().dump_bytecode(bucket)
        except OSError:
            pass
