"""The hand-over set: everything that somebody without this tool needs, and nothing that contradicts the template."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from generator import __version__
from generator.errors import ParamsError
from generator.params import load
from generator.params.secrets import secret_in
from generator.rendering.engine import Engine
from generator.rendering.handover import DATA_TYPES, hand_over
from tests.cases import CASES, ENVIRONMENTS, FILES, PROJECT, merged, write_project

NAMES = sorted([*CASES, *ENVIRONMENTS])
every_case = pytest.mark.parametrize("name", NAMES)
ALWAYS = {"RUNBOOK.md", "deployment.yaml", "parameters.json", "stack.json", "tags.json", "template.yaml"}


def read(whole, name: str):
    """A JSON file of the set."""
    return json.loads(whole.hand_over.files[name])


class TestFiles:
    @every_case
    def test_the_set_is_whole(self, name, wholes):
        """Template, parameters, tags, stack, deployment file and runbook always; an image folder for an own image."""
        whole = wholes[name]
        files, image = set(whole.hand_over.files), whole.settings.keycloak.image
        assert {one for one in files if not one.startswith("image/")} == ALWAYS
        expected = set()
        if image.kind == "optimized":
            expected.add("image/Dockerfile")
            if whole.settings.keycloak.discovery == "dns":
                expected.add("image/cache-cloudmap.xml")
            expected |= {"image/providers/theme.jar"} if image.providers else set()
            expected |= {"image/themes/theme/login/theme.properties"} if image.themes else set()
            expected |= {"image/truststores/ca.pem"} if whole.settings.built_in_authorities else set()
        assert files - ALWAYS - {"image/rds-bundle.pem"} == expected

    @every_case
    def test_text_is_plain(self, name, wholes):
        """Every text file is UTF-8 with newlines only and ends in exactly one."""
        for path, content in wholes[name].hand_over.files.items():
            if path.startswith("image/providers/"):
                continue
            text = content.decode("utf-8")
            assert "\r" not in text and "\0" not in text, path
            assert text.endswith("\n") and not text.endswith("\n\n"), path

    def test_files_are_in_order(self, wholes):
        """The set lists its files by name, so whatever walks over it does so in the same order."""
        for name in NAMES:
            assert list(wholes[name].hand_over.files) == sorted(wholes[name].hand_over.files)

    @every_case
    def test_no_secret_stands_in_any_file(self, name, wholes):
        """No line of any file has the shape of a secret: keys, tokens, addresses with a password."""
        for path, content in wholes[name].hand_over.files.items():
            for line in content.decode("utf-8", "replace").splitlines():
                assert secret_in("", line) is None, f"{path}: {line}"

    @every_case
    def test_nothing_tells_of_time_or_machine(self, name, wholes):
        """No date but those of AWS's formats, and no version of this tool, stands in a rendered file."""
        for path, content in wholes[name].hand_over.files.items():
            if path == "image/rds-bundle.pem":
                continue  # AWS's own, with the dates of its certificates
            text = content.decode("utf-8", "replace")
            dates = set(re.findall(r"\b20\d\d-\d\d(?:-\d\d)?\b", text))
            assert dates <= {"2010-09-09", "2012-10-17", "2021-06"}, path
            assert not re.search(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])", text), path
            assert str(PROJECT) not in text, path


class TestJson:
    @every_case
    def test_parameters_are_an_empty_list(self, name, wholes):
        """The template has no parameters, and the file says so in the form the CLI takes."""
        assert wholes[name].hand_over.files["parameters.json"] == b"[]\n"

    @every_case
    def test_tags_are_those_of_the_resources(self, name, wholes):
        """The stack's tags are those that resources carry, in the same order."""
        whole = wholes[name]
        resource = whole.document.resources["TaskDefinition"]
        assert read(whole, "tags.json") == resource.properties["Tags"]
        assert read(whole, "tags.json")[0] == {"Key": "Environment", "Value": name}

    @every_case
    def test_stack_json_is_what_params_say(self, name, wholes):
        """Whoever deploys reads account, region, name and protection from the set, never from params."""
        whole = wholes[name]
        stack, settings = read(whole, "stack.json"), whole.settings
        assert stack["account"] == settings.account and stack["region"] == settings.region
        assert stack["stack_name"] == (settings.stack.name or f"keycloak-{name}")
        assert stack["generated_from"] == list(whole.environment.tree.files)
        assert stack["capabilities"] == ["CAPABILITY_IAM"]
        assert stack["keycloak_version"] == settings.keycloak.version
        assert stack["template_bucket"] == settings.stack.template_bucket
        assert stack["service_role"] == settings.stack.service_role
        assert stack["notifications"] == settings.stack.notifications
        image = whole.document.resources["TaskDefinition"].properties["ContainerDefinitions"][0]["Image"]
        assert stack["image"] == image

    @every_case
    def test_capabilities_are_all_that_the_template_needs(self, name, wholes):
        """Roles have no names of ours, so CAPABILITY_IAM is enough; no macro asks for more."""
        document = wholes[name].document
        assert all("RoleName" not in role.properties for role in document.of_type("AWS::IAM::Role"))
        assert "Transform" not in document.data

    @every_case
    def test_what_holds_data_is_listed(self, name, wholes):
        """The list names exactly the resources of the template whose loss loses data."""
        whole = wholes[name]
        listed = read(whole, "stack.json")["holds_data"]
        assert listed == [one.logical_id for one in whole.document.of_type(*DATA_TYPES)]
        assert {"LogGroup", "BootstrapAdminSecret"} <= set(listed)

    @every_case
    def test_a_protected_stack_refuses_to_lose_data(self, name, wholes):
        """Protection is termination protection and a policy against replacing or deleting what holds data."""
        stack, protected = read(wholes[name], "stack.json"), wholes[name].settings.stack.protected
        assert stack["termination_protection"] is protected
        if not protected:
            assert stack["stack_policy"] is None
            return
        allow, deny = stack["stack_policy"]["Statement"]
        assert (allow["Effect"], allow["Action"], allow["Resource"]) == ("Allow", "Update:*", "*")
        assert (deny["Effect"], deny["Action"]) == ("Deny", ["Update:Replace", "Update:Delete"])
        assert deny["Resource"] == [f"LogicalResourceId/{one}" for one in stack["holds_data"]]

    @every_case
    def test_git_sync_finds_template_and_tags(self, name, wholes):
        """The deployment file of CloudFormation Git sync names the template by its path in the repository."""
        made = yaml.safe_load(wholes[name].hand_over.files["deployment.yaml"])
        assert made == {"template-file-path": f"rendered/{name}/template.yaml", "parameters": {},
                        "tags": {tag["Key"]: tag["Value"] for tag in read(wholes[name], "tags.json")}}


class TestImage:
    IMAGES = [name for name in NAMES if name in ENVIRONMENTS or CASES[name]["keycloak"].get("image", {}).get("kind")]

    @pytest.mark.parametrize("name", IMAGES)
    def test_whatever_the_dockerfile_copies_is_in_the_folder(self, name, wholes):
        """The folder builds by itself: each source of a COPY is in it, and nothing else is."""
        files = wholes[name].hand_over.files
        if wholes[name].settings.keycloak.image.kind == "stock":
            assert not any(path.startswith("image/") for path in files)
            return
        copied = re.findall(r"^COPY --chown=1000:0 (\S+) ", files["image/Dockerfile"].decode(), re.MULTILINE)
        there = {path.split("/")[1] + "/" * (path.count("/") > 1) for path in files if path.startswith("image/")}
        assert sorted(copied) == sorted(there - {"Dockerfile"})

    @pytest.mark.parametrize("name", IMAGES)
    def test_the_base_is_the_version_of_the_params(self, name, wholes):
        """Both stages start from the official image of keycloak.version, from the registry that params name."""
        keycloak = wholes[name].settings.keycloak
        if keycloak.image.kind == "optimized":
            text = wholes[name].hand_over.files["image/Dockerfile"].decode()
            base = f"{keycloak.image.base}:{keycloak.version}"
            assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == [f"{base} AS builder", base]

    @every_case
    def test_a_checked_certificate_has_its_authority(self, name, wholes):
        """`verify-full` goes with the region's authorities in the image, and only with them."""
        whole = wholes[name]
        variables = {one["Name"]: one.get("Value") for one in whole.document.resources["TaskDefinition"]
                     .properties["ContainerDefinitions"][0]["Environment"]}
        bundle = whole.hand_over.files.get("image/rds-bundle.pem")
        assert ("sslmode=verify-full" in variables["KC_DB_URL_PROPERTIES"]) == (bundle is not None)
        assert "sslmode=" in variables["KC_DB_URL_PROPERTIES"]
        if bundle:
            assert bundle.count(b"-----BEGIN CERTIFICATE-----") == bundle.count(b"-----END CERTIFICATE-----") > 0
            assert b"sslrootcert=/opt/keycloak/conf/rds-bundle.pem" in variables["KC_DB_URL_PROPERTIES"].encode()

    def test_files_of_the_user_arrive_unchanged(self, wholes):
        """Providers and themes are copied byte for byte, and known as inputs of the environment."""
        (name, *_) = [name for name in CASES if CASES[name]["keycloak"].get("image", {}).get("providers")]
        made = wholes[name].hand_over
        assert made.files["image/providers/theme.jar"] == FILES["files/theme.jar"]
        assert made.files["image/themes/theme/login/theme.properties"] == FILES["files/theme/login/theme.properties"]
        assert made.inputs[:2] == ("files/theme.jar", "files/theme")

    def test_authorities_arrive_where_keycloak_looks_for_them(self, wholes):
        """Where Keycloak itself checks certificates, the authorities are in the image; nowhere else are they."""
        for name in NAMES:
            whole = wholes[name]
            made, there = whole.hand_over, bool(whole.settings.built_in_authorities)
            assert ("files/ca.pem" in made.inputs) == there == ("image/truststores/ca.pem" in made.files)
            copied = b"COPY --chown=1000:0 truststores/ /opt/keycloak/conf/truststores/\n"
            assert (copied in made.files.get("image/Dockerfile", b"")) == there
            if there:
                assert made.files["image/truststores/ca.pem"] == FILES["files/ca.pem"]
                assert re.search(rb"ENV KC_SPI_CLIENT_AUTHENTICATOR_+CLIENT_X509_+ENABLED=\"false\"",
                                 made.files["image/Dockerfile"])

    def test_the_runbook_speaks_of_certificates_where_there_are_any(self, wholes):
        """How to roll authorities, revoke and set a flow up stands there; without certificates there is no word."""
        for name in NAMES:
            whole = wholes[name]
            text = whole.hand_over.files["RUNBOOK.md"].decode()
            mode = whole.settings.load_balancer.client_certificates.mode
            assert ("## 11. Client certificates" in text) == (mode != "off")
            if mode in ("required", "optional"):
                for word in ("Roll the authorities", "**Revoke.**", "Frontend URL", "What is logged"):
                    assert word in text
                assert ("anybody logs in as anybody" in text) == (mode == "optional")
                old = whole.settings.keycloak.version.startswith("24.")
                assert ("Frontend URL* (measured" in text) == old
                assert ("Check CRL with distribution point" in text) == (mode == "optional" and not old)
            if mode == "proxy":
                assert all(word in text for word in ("overwrites", "Nobody else", "198.51.100.7/32"))

    @pytest.fixture
    def project(self, tmp_path):
        """A project with one environment that has a provider and a theme."""
        (name, *_) = [name for name in CASES if CASES[name]["keycloak"].get("image", {}).get("providers")]
        write_project(tmp_path, {"own": CASES[name]})
        return tmp_path

    @staticmethod
    def outcome(project):
        (found,) = load.load_all(project)
        return found

    @pytest.mark.parametrize("path, key", [
        pytest.param("files/theme.jar", "keycloak.image.providers.0", id="a provider"),
        pytest.param("files/theme", "keycloak.image.themes.0", id="a theme")])
    def test_what_vanishes_is_named(self, project, path, key):
        """A file that goes between reading params and rendering is a problem of the line that names it."""
        environment = self.outcome(project).environment
        (project / path).rename(project / "elsewhere")
        with pytest.raises(ParamsError) as caught:
            hand_over(environment, project, Engine(PROJECT / "templates"))
        (problem,) = caught.value.problems
        assert problem.key == key and problem.message == f"{path} can't be read: No such file or directory"
        assert path in (project / problem.file).read_text().splitlines()[problem.line - 1]

    @pytest.mark.parametrize("path, message", [
        pytest.param("files/theme.jar", "there is no file files/theme.jar", id="a missing provider"),
        pytest.param("files/theme", "there is no folder files/theme", id="a missing theme"),
    ])
    def test_missing_files_are_a_problem_of_the_params(self, project, path, message):
        """What the image needs and isn't there is said with the line of the params that names it."""
        (shutil.rmtree if (project / path).is_dir() else type(project).unlink)(project / path)
        (problem,) = [one for one in self.outcome(project).problems if one.severity == "error"]
        assert message in problem.message
        line = (project / problem.file).read_text().splitlines()[problem.line - 1]
        assert path in line

    def test_two_providers_of_one_name_are_refused(self, project):
        """They would be one file in the image, and one of them would silently be missing."""
        self.rewrite(project, providers=["files/theme.jar", "files/more/theme.jar"])
        (project / "files/more").mkdir()
        (project / "files/more/theme.jar").write_bytes(b"other")
        (problem,) = [one for one in self.outcome(project).problems if one.severity == "error"]
        assert problem.key == "keycloak.image.providers.1" and "theme.jar" in problem.message

    def test_a_theme_without_files_is_refused(self, project):
        """An empty folder copies nothing, and the build would fail on it."""
        (project / "files/theme/login/theme.properties").unlink()
        (problem,) = [one for one in self.outcome(project).problems if one.severity == "error"]
        assert problem.key == "keycloak.image.themes.0" and "no file" in problem.message

    def test_a_link_in_a_theme_is_refused(self, project, tmp_path_factory):
        """A link would carry files from outside of the project into the image, or be left out of it."""
        outside = tmp_path_factory.mktemp("outside")
        (outside / "private").write_text("not for an image")
        (project / "files/theme/login/link").symlink_to(outside / "private")
        (problem,) = [one for one in self.outcome(project).problems if one.severity == "error"]
        assert problem.key == "keycloak.image.themes.0" and "login/link" in problem.message

    @staticmethod
    def rewrite(project, **image):
        params = json.loads((project / "params/own.yaml").read_text())
        write_project(project, {"own": merged(params, {"keycloak": {"image": image}})})


class TestRunbook:
    @every_case
    def test_every_output_it_asks_for_is_there(self, name, wholes):
        """`output NAME` in a command names an output of this very template."""
        runbook = wholes[name].hand_over.files["RUNBOOK.md"].decode()
        asked = set(re.findall(r"\$\(output (\w+)\)", runbook)) | set(re.findall(r"`output (\w+)`", runbook))
        assert "ServiceName" in asked
        assert asked <= set(wholes[name].document.data["Outputs"])

    def test_every_command_is_shell(self, wholes, tmp_path):
        """bash reads every block of commands of every runbook without complaint."""
        blocks = {block for name in NAMES for block in re.findall(
            r"^```sh\n(.*?)^```$", wholes[name].hand_over.files["RUNBOOK.md"].decode(), re.MULTILINE | re.DOTALL)}
        assert len(blocks) > 20
        script = tmp_path / "all.sh"
        script.write_text("\n".join(sorted(blocks)))
        ran = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")

    @every_case
    def test_it_names_the_files_that_are_there(self, name, wholes):
        """The table of files and the commands speak of files of this set."""
        runbook = wholes[name].hand_over.files["RUNBOOK.md"].decode()
        files = set(wholes[name].hand_over.files)
        named = set(re.findall(r"file://([\w.-]+\.(?:yaml|json))", runbook))
        table = set(re.findall(r"^\| `([\w./]+)`(?:, `([\w.]+)`)? \|", runbook, re.MULTILINE))
        named |= {one for row in table for one in row if one}
        assert {"template.yaml", "stack.json", "tags.json"} <= named
        for one in named:
            assert one in files or any(path.startswith(one) for path in files), one

    def test_steps_that_believe_any_certificate_are_named(self, wholes, tmp_path):
        """The look at X.509 steps names those that lack the setting, or have none at all, leaves the clients' own
        step out, which every realm has, and says what it couldn't read."""
        name = next(one for one in NAMES if wholes[one].settings.load_balancer.client_certificates.mode == "optional")
        (script,) = re.findall(r"^```sh\n(get\(\).*?)^```$", wholes[name].hand_over.files["RUNBOOK.md"].decode(),
                               re.MULTILINE | re.DOTALL)
        user, own, setting = "auth-x509-client-username-form", "client-x509", "x509-cert-auth.revalidate-certificate-enabled"
        answers = {
            "": [{"realm": "my shop"}, {"realm": "gone"}],
            "/my%20shop/authentication/flows": [{"alias": one} for one in ("on", "off", "bare", "clients")],
            "/my%20shop/authentication/flows/on/executions": [{"providerId": user, "authenticationConfig": "1"}],
            "/my%20shop/authentication/flows/off/executions": [{"displayName": "a subflow"},
                                                               {"providerId": user, "authenticationConfig": "2"}],
            "/my%20shop/authentication/flows/bare/executions": [{"providerId": "direct-grant-auth-x509-username"}],
            "/my%20shop/authentication/flows/clients/executions": [{"providerId": own}],
            "/my%20shop/authentication/config/1": {"config": {setting: "true"}},
            "/my%20shop/authentication/config/2": {"config": {setting: "false"}},
        }
        for path, answer in answers.items():
            (tmp_path / f"{path.replace('/', '_')}.json").write_text(json.dumps(answer, separators=(",", ":")))
        stubs = (
            "admin_token() { echo token; }; bearer() { :; }\n"
            'curl() { for url; do :; done; cat "$(printf %s.json "${url#https://x/admin/realms}" | tr / _)" 2>/dev/null; }\n'
        )
        ran = subprocess.run(["sh", "-c", stubs + script], env={"ADMIN": "https://x", "PATH": os.environ["PATH"]},
                             cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.stdout.splitlines() == [
            "lacks it: my%20shop, off", "lacks it: my%20shop, bare", "realms looked at: 2"
        ]
        assert ran.stderr.splitlines() == ["not read: /gone/authentication/flows"]
