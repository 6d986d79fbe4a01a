"""A link that opens the console's page for a new stack."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from generator.deploying import links, places
from generator.deploying.target import DeployError, Target

TEMPLATE = """
Parameters:
  Password: {Type: String, NoEcho: true}
  Host: {Type: String}
Resources: {}
"""
URL = "https://my-bucket.s3.eu-central-1.amazonaws.com/a/template.yaml"
TARGET = Target(
    "dev",
    "111111111111",
    "eu-central-1",
    "keycloak-dev",
    TEMPLATE,
    {},
    {"Password": "hunter2", "Host": "a&b=c d/ü#?"},
    (),
    False,
    None,
    None,
    None,
    (),
    {"template.yaml": "0" * 64},
)


def fragment(url: str) -> tuple[str, dict[str, str]]:
    """The console's own path, and what is filled in."""
    path, _, query = urlsplit(url).fragment.partition("?")
    return path, dict(parse_qsl(query, strict_parsing=True))


def test_the_link_fills_the_console_in():
    """The link leads to the quick-create page of the environment's region, with name, template and
    parameters."""
    made = links.quick_create(TARGET, URL)
    parts = urlsplit(made.url)
    assert (parts.scheme, parts.hostname, parts.path) == (
        "https",
        "eu-central-1.console.aws.amazon.com",
        "/cloudformation/home",
    )
    assert parts.query == "region=eu-central-1"
    assert fragment(made.url) == (
        "/stacks/quickcreate",
        {"templateURL": URL, "stackName": "keycloak-dev", "param_Host": "a&b=c d/ü#?"},
    )


def test_everything_in_it_is_percent_encoded():
    """No character of a value can end the value or the link."""
    url = links.quick_create(TARGET, URL).url
    assert url.endswith("param_Host=a%26b%3Dc%20d%2F%C3%BC%23%3F")
    assert url.isascii() and " " not in url


def test_a_noecho_parameter_is_never_in_it():
    """A secret's value isn't in a link that people send around; who opens it is told to type it."""
    made = links.quick_create(TARGET, URL)
    assert made.asked == ("Password",)
    assert "hunter2" not in made.url and "Password" not in made.url


def test_no_link_from_a_template_that_can_not_be_read():
    """Where nobody knows which parameters are secret, there is no link."""
    with pytest.raises(DeployError, match="can't be read"):
        links.quick_create(replace(TARGET, template="a: [b"), URL)


@pytest.mark.parametrize(
    ("region", "console", "bucket"),
    [
        ("us-east-1", "us-east-1.console.aws.amazon.com", "b.s3.us-east-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn", "b.s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com", "b.s3.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu", "b.s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_other_partitions_have_other_hosts(region, console, bucket):
    """In China, GovCloud and the European Sovereign Cloud the console and S3 have other names."""
    target = replace(TARGET, region=region)
    url = places.template_url(target, "b")
    assert urlsplit(url).hostname == bucket
    assert urlsplit(links.quick_create(target, url).url).hostname == console


def test_a_bucket_with_dots_gets_a_path():
    """A bucket with dots in its name has no certificate for a host of its own, so it is named in the path."""
    assert places.template_url(TARGET, "my.bucket") == (
        f"https://s3.eu-central-1.amazonaws.com/my.bucket/cloakform/keycloak-dev/{'0' * 64}.yaml"
    )


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://s3.eu-central-1.amazonaws.com/bucket/template.yaml",
        "https://s3.amazonaws.com/bucket/template.yaml",
        "https://my.bucket.s3-eu-west-1.amazonaws.com/template.yaml",
        "https://b.s3.dualstack.eu-central-1.amazonaws.com/template.yaml",
    ],
)
def test_every_form_of_an_address_in_s3_is_taken(url):
    """Whatever form the console or a tool gave the template's URL."""
    assert fragment(links.quick_create(TARGET, url).url)[1]["templateURL"] == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://my-bucket.s3.eu-central-1.amazonaws.com/template.yaml",
        "s3://my-bucket/template.yaml",
        "https://example.com/template.yaml",
        "https://s3.amazonaws.com.example.com/template.yaml",
        "https://my-bucket.s3.eu-central-1.amazonaws.com/",
        "https://[::1/template.yaml",
    ],
)
def test_what_cloudformation_reads_nothing_from_is_refused(url):
    """A URL that CloudFormation can't read is refused here, not in the console."""
    with pytest.raises(DeployError, match="no URL of a template in S3"):
        links.quick_create(TARGET, url)


def test_a_signed_url_is_refused():
    """A signature would go to everybody who gets the link."""
    with pytest.raises(DeployError, match="query"):
        links.quick_create(TARGET, f"{URL}?X-Amz-Signature=abc")
