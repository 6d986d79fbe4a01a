"""No secret gets into what is shown."""

from __future__ import annotations

import pytest

from generator.showing.hiding import HIDDEN, Secrets, clean

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize("text", [
    f"Authorization: Bearer {TOKEN}", f'{{"access_token":"{TOKEN}","expires_in":60}}',
    "Location: https://x/callback?state=abc&code=s3cretcode.1.2&session_state=s3cret",
    "POST /login-actions/authenticate?session_code=s3cretcode&execution=s3cret&tab_id=s3cret",
    '{"password": "s3cret"}', "client_secret=s3cret&grant_type=password",
    "Set-Cookie: AUTH_SESSION_ID=s3cret.x; Path=/", "Cookie: KEYCLOAK_IDENTITY=s3cret; AWSALB=s3cret",
    "Cookie: KC_RESTART=s3cret; AWSALBCORS=s3cret", "temp-admin / known-secret"])
def test_secrets_are_taken_out(text):
    """Tokens, codes, passwords and cookies, whether known by value or by where they stand."""
    secrets = Secrets()
    secrets.add("known-secret", None, "")
    shown = secrets.hide(text)
    assert "s3cret" not in shown and "known-secret" not in shown and "eyJ" not in shown and HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "GET /realms/x/protocol/openid-connect/token: HTTP 200",
        "token: HTTP 502",
        "active: true",
        "https://sso.example.com/realms/master/.well-known/openid-configuration",
        "view of 2",
        "HTTP 400 invalid_grant",
    ],
)
def test_ordinary_text_is_left_alone(text):
    """What isn't secret stays readable."""
    secrets = Secrets()
    secrets.add("abc", "known-secret")
    assert secrets.hide(text) == text


def test_a_longer_secret_is_hidden_whole():
    """One secret may begin with another one."""
    secrets = Secrets()
    secrets.add("abcd", "abcd-efgh")
    assert secrets.hide("abcd-efgh abcd") == f"{HIDDEN} {HIDDEN}"


def test_control_characters_don_t_reach_a_terminal():
    """Escape sequences and line breaks are no text; other languages are."""
    assert clean("a\x1b[31mb\nc\x00\u202e ü 日") == "a\ufffd[31mb\ufffdc\ufffd\ufffd ü 日"


def test_a_password_with_blanks_is_hidden_whole():
    """What JSON quotes is hidden up to its quotation mark, blanks and escaped marks included; the rest stays."""
    told = Secrets().hide('{"password": "two words \\" and more", "user": "ann"}')
    assert told == f'{{"password": "{HIDDEN}", "user": "ann"}}'
