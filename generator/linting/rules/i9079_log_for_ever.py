"""I9079: logs that are kept for ever."""

from __future__ import annotations

from collections.abc import Iterator

from generator.document import Resource
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_GROUP = "AWS::Logs::LogGroup"


class LogForEver(KeycloakRule):
    """Keycloak's log is kept for ever.

    A log group without RetentionInDays never forgets. Keycloak's log holds user names and addresses of
    everybody who logs in, which few may keep that long, and storing it costs more every month.

    Bad:

        LogGroup:
          Properties: {RetentionInDays: ~}

    Good:

        LogGroup:
          Properties: {RetentionInDays: 90}
    """

    id = "I9079"
    shortdesc = "The log is kept for a time, not for ever"
    source_url = (
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        group = _group(keycloak)
        if group is None:
            return
        properties = keycloak.view.resolver.properties(group)
        place = properties["RetentionInDays"]
        if not place and place.unknown is None:
            path = (*group.path, "Properties") if properties.keys() else group.path
            yield Hit(
                path,
                f"names and addresses of everybody who logs in are kept for ever: {group.logical_id} has no "
                "end",
                "write RetentionInDays: 90, or as long as you have to keep it",
            )


def _group(keycloak: Keycloak) -> Resource | None:
    place = keycloak.container["LogConfiguration"]["Options"]["awslogs-group"]
    found = place.resource(_GROUP)
    if found is not None or not place.text:
        return found
    resolver = keycloak.view.resolver
    for one in resolver.resources(_GROUP):
        if resolver.properties(one)["LogGroupName"].text == place.text:
            return one
    return None
