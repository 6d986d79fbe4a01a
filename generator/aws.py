"""Calls of AWS' API: with the right account, at AWS itself, and with errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from generator.errors import AwsError, CredentialsError, RefusedError

# What a call comes to: seconds until it is given up, and how often it is tried.
_CONNECT, _READ, TRIES = 10, 30, 6

# How AWS' services call credentials that were good and aren't any more.
_EXPIRED = frozenset(
    (
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidToken",
        "TokenRefreshRequired",
        "AuthFailure",
    )
)


class ExpiredError(CredentialsError):
    """AWS no longer takes the credentials: it said no, which is another thing than having none."""

    exit_code = AwsError.exit_code

    def __init__(self, text: str, first: bool = True):
        super().__init__(text)
        self.first = first
        """Whether that was the answer to the first try; otherwise AWS may have done what an earlier one asked."""


class Connection:
    """Clients for one region, whose credentials belong to one account."""

    def __init__(self, region: str, account: str, endpoint_url: str | None = None, tries: int = TRIES):
        """Asks AWS who is calling. `endpoint_url` is where to send every call instead of to AWS; a call is made
        `tries` times before it is given up, with the pauses of the SDK's standard mode in between.

        Raises CredentialsError, AwsError, and RefusedError where the caller's account isn't `account`, or
        where the machine's settings lead somewhere else than to AWS without `endpoint_url`.
        """
        self.region, self.account = region, account
        self.endpoint_url = endpoint_url
        self._tries = tries
        self._clients: dict[str, Any] = {}
        self._session: Any = None
        caller = self.ask("sts", "get_caller_identity").get("Account")
        if caller != account:
            raise RefusedError(
                f"the credentials belong to account {caller}, the environment to {account} (choose others, "
                f"for example with AWS_PROFILE)"
            )

    def ask(self, service: str, operation: str, /, **arguments: Any) -> dict[str, Any]:
        """The answer to one call, `operation` named as boto3 does. Raises CredentialsError or AwsError."""
        with _told(service, operation):
            return getattr(self._client(service), operation)(**arguments)

    def every(self, service: str, operation: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        """What a call lists under `key`, from all of its pages. Raises as `ask`."""
        with _told(service, operation):
            for page in self._client(service).get_paginator(operation).paginate(**arguments):
                yield from page.get(key, ())

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3
            from botocore.config import Config

            if self._session is None:
                self._session = boto3.session.Session(region_name=self.region)
            settings = Config(
                connect_timeout=_CONNECT,
                read_timeout=_READ,
                user_agent_extra="cloakform",
                retries={"mode": "standard", "total_max_attempts": self._tries},
            )
            made = self._session.client(service, config=settings, endpoint_url=self.endpoint_url)
            if self.endpoint_url is None:
                own = self._session.client(service, config=Config(ignore_configured_endpoint_urls=True))
                if made.meta.endpoint_url != own.meta.endpoint_url:
                    raise RefusedError(
                        f"this machine sends calls of {service} to {made.meta.endpoint_url}, not to "
                        f"AWS (say --endpoint-url if that is meant, or unset AWS_ENDPOINT_URL and "
                        f"endpoint_url in ~/.aws/config)"
                    )
            self._clients[service] = made
        return self._clients[service]


@contextmanager
def _told(service: str, operation: str) -> Iterator[None]:
    """Turns what boto3 raises into one line."""
    from botocore import exceptions, parsers

    name = f"{service}:{''.join(word.capitalize() for word in operation.split('_'))}"
    try:
        yield
    except exceptions.ClientError as error:
        said = error.response.get("Error", {})
        code, message = str(said.get("Code", "error")), _one_line(said.get("Message", ""))
        if code in _EXPIRED:
            raise ExpiredError(
                f"{name}: the credentials have expired or are no longer valid ({code}: {message}); log in again",
                not error.response.get("ResponseMetadata", {}).get("RetryAttempts"),
            ) from error
        raise AwsError(f"{name}: {code}: {message}", code, message) from error
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.ProfileNotFound,
        exceptions.CredentialRetrievalError,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
        exceptions.NoAuthTokenError,
        exceptions.LoginTokenLoadError,
    ) as error:
        raise CredentialsError(
            f"no credentials for AWS: {_one_line(str(error))} (set AWS_PROFILE, or log in with "
            f"`aws sso login`)"
        ) from error
    except (exceptions.BotoCoreError, parsers.ResponseParserError) as error:
        # An answer that ends in its middle is no BotoCoreError.
        raise AwsError(f"{name}: {_one_line(str(error))}") from error


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
