"""Writing rendered/: what differs is found and said, and a folder is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from generator.errors import ProjectError
from generator.rendering.write import Difference, compare, orphans, sweep, uninterrupted, write
from tests.cases import PROJECT

FILES = {"a.yaml": b"one: 1\ntwo: 2\n", "b.json": b"{}\n", "image/Dockerfile": b"FROM x\n",
         "image/providers/p.jar": b"\x00\xff\xfe", "image/themes/t/login/t.css": b"a {}\n"}


def tree(root: Path) -> dict[str, bytes]:
    """Every file below rendered/, hidden ones too."""
    folder = root / "rendered"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(root: Path, files: dict[str, bytes]) -> None:
    """Write `files` as `rendered/dev/`."""
    write(root, "dev", files, compare(root, "dev", files))


def as_dev(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"dev/{name}": content for name, content in files.items()}


def kinds(root: Path, files: dict[str, bytes]) -> dict[str, str]:
    return {one.path: one.kind for one in compare(root, "dev", files)}


@pytest.fixture
def root(tmp_path):
    """A project whose rendered/dev/ holds FILES."""
    put(tmp_path, FILES)
    return tmp_path


class TestCompare:
    def test_a_folder_as_rendered_has_no_difference(self, root):
        """What was written is what is found."""
        assert tree(root) == as_dev(FILES)
        assert compare(root, "dev", FILES) == []

    def test_a_missing_folder_misses_every_file(self, tmp_path):
        """Before the first render each file is missing, and comparing makes no folder."""
        assert kinds(tmp_path, FILES) == {f"rendered/dev/{name}": "missing" for name in FILES}
        assert list(tmp_path.iterdir()) == []

    def test_stale_missing_and_extra_files_are_told_apart(self, root):
        """A changed file is stale, one that isn't there missing, one that rendering doesn't make extra; by path."""
        (root / "rendered/dev/a.yaml").write_bytes(b"one: 1\n")
        (root / "rendered/dev/b.json").unlink()
        (root / "rendered/dev/image/old.txt").write_bytes(b"")
        found = compare(root, "dev", FILES)
        assert [(one.path, one.kind) for one in found] == [
            ("rendered/dev/a.yaml", "stale"), ("rendered/dev/b.json", "missing"),
            ("rendered/dev/image/old.txt", "extra")]

    def test_the_diff_leads_from_the_file_to_what_it_should_be(self, root):
        """A unified diff shows with minus what somebody wrote and with plus what rendering gives."""
        (root / "rendered/dev/a.yaml").write_bytes(b"one: 1\ntwo: 22\n")
        (found,) = compare(root, "dev", FILES)
        assert found == Difference("rendered/dev/a.yaml", "stale", (
            "--- rendered/dev/a.yaml\n+++ rendered/dev/a.yaml (as rendered)\n@@ -1,2 +1,2 @@\n"
            " one: 1\n-two: 22\n+two: 2\n"))

    def test_the_diff_says_where_a_last_newline_is_missing(self, root):
        """A file that only lost its last newline differs, and the diff shows how."""
        (root / "rendered/dev/a.yaml").write_bytes(b"one: 1\ntwo: 2")
        (found,) = compare(root, "dev", FILES)
        assert "-two: 2\n\\ No newline at end of file\n+two: 2\n" in found.diff

    @pytest.mark.parametrize("content", [
        pytest.param(b"one: 1\r\ntwo: 2\r\n", id="line ends of Windows"),
        pytest.param(b"\xef\xbb\xbfone: 1\ntwo: 2\n", id="a byte order mark"),
    ])
    def test_bytes_count_not_looks(self, root, content):
        """A file that an editor saved in another way differs, although it looks the same."""
        (root / "rendered/dev/a.yaml").write_bytes(content)
        assert kinds(root, FILES) == {"rendered/dev/a.yaml": "stale"}

    @pytest.mark.parametrize("content", [
        pytest.param(b"\x00\xff\xfd", id="other binary content"), pytest.param(b"text", id="text in its place")])
    def test_binary_files_differ_without_a_diff(self, root, content):
        """A JAR that changed is stale; there is nothing to print of it."""
        (root / "rendered/dev/image/providers/p.jar").write_bytes(content)
        assert compare(root, "dev", FILES) == [Difference("rendered/dev/image/providers/p.jar", "stale", "")]


class TestWrite:
    def test_exactly_the_files_are_there_afterwards(self, root):
        """Stale files are replaced, missing ones made, extra ones removed with the folders they leave empty."""
        files = {"a.yaml": b"new\n", "image/Dockerfile": b"FROM x\n", "more/deep/c.txt": b"c\n"}
        put(root, files)
        assert tree(root) == as_dev(files)
        assert sorted(path.name for path in (root / "rendered/dev").iterdir()) == ["a.yaml", "image", "more"]
        assert not (root / "rendered/dev/image/themes").exists()

    def test_unchanged_files_are_left_alone(self, root):
        """A file that is right keeps its time and its inode; only the one that differs is written."""
        for path in (root / "rendered").rglob("*"):
            os.utime(path, ns=(1, 1))
        before = {name: (root / "rendered/dev" / name).stat() for name in FILES}
        put(root, {**FILES, "b.json": b"[]\n"})
        after = {name: (root / "rendered/dev" / name).stat() for name in FILES}
        changed = [name for name in FILES if (before[name].st_mtime_ns, before[name].st_ino)
                   != (after[name].st_mtime_ns, after[name].st_ino)]
        assert changed == ["b.json"]

    def test_other_environments_are_left_alone(self, root):
        """Writing one environment touches no other, and no file beside them."""
        write(root, "prod", FILES, compare(root, "prod", FILES))
        (root / "rendered/README").write_bytes(b"ours\n")
        put(root, {"a.yaml": b"new\n"})
        assert tree(root) == {"dev/a.yaml": b"new\n", "README": b"ours\n",
                              **{f"prod/{name}": content for name, content in FILES.items()}}

    def test_a_file_gives_way_to_a_folder(self, root):
        """Where rendering makes a folder now, a file of that name is in the way no longer; and the other way round."""
        put(root, {"image": b"a file\n", "a.yaml/part": b"1\n"})
        assert tree(root) == {"dev/image": b"a file\n", "dev/a.yaml/part": b"1\n"}
        put(root, FILES)
        assert tree(root) == as_dev(FILES)

    def test_new_files_have_ordinary_permissions(self, tmp_path):
        """What was staged in a private folder can be read by whoever may read the project."""
        old = os.umask(0o022)
        try:
            put(tmp_path, FILES)
        finally:
            os.umask(old)
        modes = {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "rendered/dev").rglob("*") if path.is_file()}
        assert modes == {"0o644"}
        assert oct((tmp_path / "rendered/dev/image").stat().st_mode & 0o777) == "0o755"


class Interrupting(dict):
    """Files, one of which can't be had."""

    def __init__(self, files, name, error):
        super().__init__(files)
        self.bad = (name, error)

    def __getitem__(self, name):
        if name == self.bad[0]:
            raise self.bad[1]
        return super().__getitem__(name)


NEW = {"a.yaml": b"changed\n", "image/Dockerfile": b"changed\n", "z.txt": b"new\n"}


class TestAllOrNothing:
    @pytest.mark.parametrize("error", [
        pytest.param(KeyboardInterrupt(), id="Ctrl-C"), pytest.param(MemoryError(), id="no memory"),
        pytest.param(OSError(28, "No space left on device"), id="a full disk")])
    def test_trouble_while_staging_leaves_the_old_files(self, root, error):
        """Until everything lies ready beside it, nothing in the folder changes; no temporary folder stays."""
        differences = compare(root, "dev", NEW)
        with pytest.raises(ProjectError if isinstance(error, OSError) else type(error)):
            write(root, "dev", Interrupting(NEW, "z.txt", error), differences)
        assert tree(root) == as_dev(FILES)
        assert [path.name for path in (root / "rendered").iterdir()] == ["dev"]

    def test_a_full_disk_is_a_plain_error(self, root):
        """A real write that the system refuses ends in one sentence, with the old files in place."""
        code = """
import resource, signal, sys
from pathlib import Path
from generator.errors import ProjectError
from generator.rendering.write import compare, write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
files = {"a.yaml": b"changed", "z.txt": bytes(30_000)}
try:
    write(Path(sys.argv[1]), "dev", files, compare(Path(sys.argv[1]), "dev", files))
except ProjectError as error:
    print(error)
"""
        ran = run(code, str(root))
        assert ran.stdout.startswith(f"{root}/rendered/dev can't be written: ")
        assert tree(root) == as_dev(FILES)

    @pytest.mark.parametrize("blocked", [
        pytest.param("image", id="a new file is refused"),
        pytest.param("image/themes/t/login", id="a removal is refused")])
    def test_a_refused_rename_is_taken_back(self, blocked):
        """If a folder inside can't be written, what was replaced before it is put back."""
        with ordinary_user() as root:
            put(root, FILES)
            (root / "rendered/dev" / blocked).chmod(0o555)
            files = {"a.yaml": b"changed\n", "image/Dockerfile": b"changed\n", "image/new.txt": b"new\n"}
            with pytest.raises(ProjectError, match="can't be written: Permission denied"):
                put(root, files)
            assert tree(root) == as_dev(FILES)
            (root / "rendered/dev" / blocked).chmod(0o755)

    def test_a_folder_that_is_read_only_is_a_plain_error(self):
        """Where rendered/ can't be written, one sentence says so, and nothing changed."""
        with ordinary_user() as root:
            put(root, FILES)
            (root / "rendered").chmod(0o555)
            with pytest.raises(ProjectError, match="rendered can't be written: Permission denied"):
                put(root, NEW)
            (root / "rendered").chmod(0o755)
            assert tree(root) == as_dev(FILES)

    def test_a_folder_that_cannot_be_read_is_a_plain_error(self):
        """A folder that hides its files is not taken for an empty one."""
        with ordinary_user() as root:
            put(root, FILES)
            (root / "rendered/dev/image").chmod(0)
            with pytest.raises(ProjectError, match="image can't be read: Permission denied"):
                compare(root, "dev", FILES)
            (root / "rendered/dev/image").chmod(0o755)

    @pytest.mark.parametrize("name", ["rendered", "rendered/dev"])
    def test_a_file_where_the_folder_should_be_is_a_plain_error(self, tmp_path, name):
        """A file that is in the way is named and stays as it is."""
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
        with pytest.raises(ProjectError, match=f"{name} can't be written"):
            put(tmp_path, FILES)
        assert (tmp_path / name).read_bytes() == b"mine"

    CODE = """
import os, signal, sys
from pathlib import Path
from generator.rendering.write import compare, write
root, event, number = Path(sys.argv[1]), sys.argv[2], getattr(signal, sys.argv[3])
files = {f"{n:03}.txt": b"new" for n in range(50)}
differences, seen = compare(root, "dev", files), []
def hook(name, arguments):
    if name == event and "z" not in seen:
        seen.append(1)
        if len(seen) == 10:
            seen.append("z")
            os.kill(os.getpid(), number)
sys.addaudithook(hook)
try:
    write(root, "dev", files, differences)
except KeyboardInterrupt:
    print("interrupted")
"""

    def test_ctrl_c_during_the_renames_waits_until_they_are_done(self, root):
        """A signal that arrives between two renames acts when all are done: the folder is the new one, whole."""
        ran = run(self.CODE, str(root), "os.rename", "SIGINT")
        assert ran.stdout == "interrupted\n"
        assert tree(root) == {f"dev/{n:03}.txt": b"new" for n in range(50)}
        assert [path.name for path in (root / "rendered").iterdir()] == ["dev"]

    def test_sigterm_during_the_renames_waits_too(self, root):
        """Whoever ends the process from outside finds the new folder whole."""
        ran = run(self.CODE, str(root), "os.rename", "SIGTERM", code=-signal.SIGTERM)
        assert ran.stdout == ""
        assert tree(root) == {f"dev/{n:03}.txt": b"new" for n in range(50)}

    def test_ctrl_c_while_staging_leaves_the_old_files(self, root):
        """A signal that arrives while files are staged acts at once: the folder is the old one, whole."""
        ran = run(self.CODE, str(root), "open", "SIGINT")
        assert ran.stdout == "interrupted\n"
        assert tree(root) == as_dev(FILES)
        assert [path.name for path in (root / "rendered").iterdir()] == ["dev"]

    def test_sigterm_while_staging_leaves_the_old_files(self, root):
        """What a killed process leaves beside the old files is swept away by the next one."""
        run(self.CODE, str(root), "open", "SIGTERM", code=-signal.SIGTERM)
        (left,) = [path for path in (root / "rendered").iterdir() if path.name != "dev"]
        assert left.name.startswith(".dev-") and list(left.rglob("*.txt"))
        sweep(root)
        assert [path.name for path in (root / "rendered").iterdir()] == ["dev"]
        assert tree(root) == as_dev(FILES)

    def test_what_somebody_stages_now_is_left_alone(self, root):
        """Sweeping takes nothing away from a process that is still at work; when it is done, nothing is left."""
        code = """
import sys
from pathlib import Path
from generator.rendering.write import compare, write
class Slow(dict):
    def __getitem__(self, name):
        if name == "b.txt":
            print("staging", flush=True)
            sys.stdin.readline()
        return super().__getitem__(name)
root, files = Path(sys.argv[1]), {"a.txt": b"a", "b.txt": b"b"}
write(root, "dev", Slow(files), compare(root, "dev", files))
"""
        with subprocess.Popen([sys.executable, "-c", code, str(root)], cwd=PROJECT, text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == "staging\n"
            sweep(root)
            assert [path.name for path in (root / "rendered").rglob("a.txt")] == ["a.txt"]
            other.communicate("\n")
        assert other.returncode == 0
        assert tree(root) == {"dev/a.txt": b"a", "dev/b.txt": b"b"}

    def test_nothing_else_is_swept(self, root, tmp_path_factory):
        """Only what looks like a staging folder from outside and inside goes: no file, link or folder of the user's."""
        outside = tmp_path_factory.mktemp("outside")
        (outside / "new").mkdir()
        base = root / "rendered"
        for name in (".notes", ".dev-abcdefgh/mine", "dev-abcdefgh/new", ".dev-abcdefg/new"):
            (base / name).mkdir(parents=True)
        (base / ".prod-abcdefgh").write_bytes(b"mine")
        (base / ".qa-abcdefgh").symlink_to(outside)
        before = sorted(base.rglob("*"))
        sweep(root)
        assert sorted(base.rglob("*")) == before and (outside / "new").is_dir()

    def test_nothing_is_swept_through_a_link(self, tmp_path):
        """Where rendered/ is a link, or isn't there, nothing happens."""
        (tmp_path / "aside/.dev-abcdefgh/new").mkdir(parents=True)
        (tmp_path / "rendered").symlink_to("aside")
        sweep(tmp_path)
        assert (tmp_path / "aside/.dev-abcdefgh/new").is_dir()
        (tmp_path / "rendered").unlink()
        sweep(tmp_path)
        assert not (tmp_path / "rendered").exists()

    def test_signals_act_as_before_afterwards(self):
        """Outside of the block Ctrl-C is what it was, and a block without a signal raises nothing."""
        before = signal.getsignal(signal.SIGINT)
        with uninterrupted():
            pass
        assert signal.getsignal(signal.SIGINT) is before
        with pytest.raises(KeyboardInterrupt):
            with uninterrupted():
                signal.raise_signal(signal.SIGINT)
                held = True
        assert held


class TestLinks:
    @pytest.mark.parametrize("name", ["rendered", "rendered/dev", "rendered/dev/image"])
    def test_a_folder_that_is_a_link_is_refused(self, root, tmp_path_factory, name):
        """Nothing is written through a link: what it leads to stays as it is, and the link is named."""
        outside = tmp_path_factory.mktemp("outside")
        (root / name).rename(root / "aside")
        (root / name).symlink_to(outside)
        with pytest.raises(ProjectError, match=f"{name} is a link"):
            put(root, FILES)
        assert list(outside.iterdir()) == []

    def test_a_file_that_is_a_link_is_refused(self, root, tmp_path_factory):
        """A link in a file's place is neither followed nor silently replaced."""
        outside = tmp_path_factory.mktemp("outside") / "a.yaml"
        outside.write_bytes(b"theirs")
        (root / "rendered/dev/a.yaml").unlink()
        (root / "rendered/dev/a.yaml").symlink_to(outside)
        with pytest.raises(ProjectError, match="a.yaml is a link: delete it"):
            put(root, FILES)
        assert outside.read_bytes() == b"theirs"

    def test_an_extra_link_is_removed_not_followed(self, root, tmp_path_factory):
        """A link that rendering doesn't make goes; the file it led to stays."""
        outside = tmp_path_factory.mktemp("outside") / "x"
        outside.write_bytes(b"theirs")
        (root / "rendered/dev/x").symlink_to(outside)
        put(root, FILES)
        assert tree(root) == as_dev(FILES)
        assert outside.read_bytes() == b"theirs"


class TestOrphans:
    def test_folders_without_params_are_found(self, root):
        """A folder of rendered/ that no environment makes is named; hidden ones and files are left alone."""
        for name in ("gone", "older", ".tmp"):
            (root / "rendered" / name).mkdir()
        (root / "rendered/README").touch()
        assert orphans(root, ["dev"]) == ["rendered/gone", "rendered/older"]

    def test_a_project_without_rendered_has_none(self, tmp_path):
        """Before the first render there is nothing to be orphaned."""
        assert orphans(tmp_path, ["dev"]) == []


def run(program: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    """Run Python source in a process of its own; `code` is what it has to end with."""
    ran = subprocess.run([sys.executable, "-c", program, *arguments], cwd=PROJECT, capture_output=True, text=True,
                         check=False, timeout=60)
    assert ran.returncode == code, ran.stderr
    return ran


@contextlib.contextmanager
def ordinary_user():
    """A folder of one's own, without the powers of the superuser, whom permissions don't stop."""
    with tempfile.TemporaryDirectory() as folder:
        superuser = os.geteuid() == 0
        if superuser:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if superuser:
                os.seteuid(0)
