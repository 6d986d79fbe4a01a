"""The README is a contract: what it shows is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from generator.cli import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_excerpt_stands_in_the_rendered_template():
    """The YAML that the README shows is part of rendered/prod/template.yaml, byte for byte."""
    excerpt = re.search(r"```yaml\n(  DiscoveryService:.*?)```", README, re.DOTALL)[1]
    assert excerpt in (ROOT / "rendered/prod/template.yaml").read_text("utf-8")


def test_every_command_is_documented():
    """Each subcommand has a row in the README and a sentence of help."""
    for name, command in cli.commands.items():
        assert f"`cloakform {name}" in README, name
        assert command.get_short_help_str(200), name


def test_every_make_target_has_help():
    """`make help` lists each target people type."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    for target in phony:
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target


def test_error_excerpt_is_what_the_program_prints(tmp_path):
    """The error message in the README comes out of the params it was made from, word for word."""
    import shutil
    import subprocess
    import sys

    shutil.copytree(ROOT / "params", tmp_path / "params")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    file = tmp_path / "params/prod.yaml"
    text = file.read_text("utf-8")
    for good, bad in (("memory: 4096 ", "memroy: 4096 "), ("pool_size: 40", "pool_size: 400"),
                      ("multi_az: true", "multi_az: yes"),
                      ("allow_from: [203.0.113.0/24, 198.51.100.16/28]", "allow_from: [10.0.0.0/8]")):
        assert good in text
        text = text.replace(good, bad)
    file.write_text(text, "utf-8")
    run = subprocess.run([sys.executable, "-m", "generator", "--project", str(tmp_path), "render", "prod"], cwd=ROOT,
                         capture_output=True, text=True)
    excerpt = re.search(r"```\n(params/prod\.yaml:14: error:.*?)```", README, re.DOTALL)[1]
    assert run.returncode == 2
    assert run.stderr == excerpt
