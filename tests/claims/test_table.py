"""The table of claims; the claims themselves are tried by `make test-claims`, on the real server."""

from __future__ import annotations

from collections import Counter

import pytest

from generator.linting import pack
from generator.linting.rule import KeycloakRule
from tests.claims import page, table, trying
from tests.claims.claim import Claim
from tests.claims.trying import Verdict


def test_every_claim_is_in_the_rules_own_words():
    """What is tried on the server is what the rule's page tells a reader, word for word."""
    trying.check(table.CLAIMS)


def test_a_claim_that_no_page_makes_is_noticed():
    """A page that is written anew leaves no claim behind that tries what nobody says any more."""
    invented = Claim("E9005", "", "the server sings", ("26.7.4",), ())
    with pytest.raises(Exception, match="the server sings"):
        trying.check([invented])


def test_no_two_claims_have_one_name():
    """A result in docs/claims.md is one claim's alone."""
    names = Counter(claim.name(version) for claim in table.CLAIMS for version in claim.versions)
    assert [name for name, count in names.items() if count > 1] == []


def test_a_rule_is_tried_on_versions_that_it_speaks_about():
    """A variant that a rule has to find is of a version that the rule holds for."""
    wrong = []
    for claim in table.CLAIMS:
        rule = pack.rule(claim.rule) if claim.rule and claim.found else None
        if isinstance(rule, KeycloakRule):
            for version in claim.versions:
                parts = tuple(int(part) for part in version.split("."))
                if parts < rule.since or (rule.before and parts >= rule.before):
                    wrong.append(claim.name(version))
    assert wrong == []


def test_the_page_says_what_holds_and_what_does_not():
    """A reader of the page sees each verdict; a claim that was changed since isn't shown with the old one."""
    claim = next(one for one in table.CLAIMS if one.rule)
    name = claim.name(claim.versions[0])
    fine = page.page([claim], {name: Verdict(True, "it did so", "2030-01-02", claim.digest)})
    assert "| it did so | holds | 2030-01-02 |" in fine
    wrong = page.page([claim], {name: Verdict(False, "it did otherwise", "2030-01-02", claim.digest)})
    assert "**doesn't hold**" in wrong
    other = page.page([claim], {name: Verdict(True, "it did so", "2030-01-02", "of before")})
    assert "it did so" not in other


def test_a_bar_of_the_log_does_not_break_the_table():
    """A line of the server's log stands in one cell, whatever is in it."""
    claim = table.CLAIMS[0]
    told = page.page(
        [claim], {claim.name(claim.versions[0]): Verdict(True, "a|b\nc", "2030-01-02", claim.digest)}
    )
    assert "a\\|b c" in told
