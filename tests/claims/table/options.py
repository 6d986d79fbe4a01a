"""Options, their values and their spelling."""

from __future__ import annotations

from tests.claims.claim import Claim
from tests.claims.expecting import Ends, JavaOption, Route, Says, SaysNothing, Starts
from tests.claims.table.common import ENDS, OPTIMIZED, V24, V25, V26, V262, V264, V267

CLAIMS = (
    Claim(
        "E9001",
        "KC_ADMIN_HOSTNAME",
        "Keycloak ignores a variable that it doesn't know, without a word in the log",
        (V24, V26, V267),
        (Starts(), SaysNothing("(?i)admin[-_]hostname")),
        OPTIMIZED,
        {"KC_ADMIN_HOSTNAME": "https://sso-admin.example.com"},
        mixes=True,
    ),
    Claim(
        "E9001",
        "--admin-hostname",
        "An unknown option of the command stops the start: `Unknown option: '--...'`",
        (V24, V26, V267),
        (Ends("Unknown option: '--admin-hostname"),),
        command=("start", "--admin-hostname=https://sso-admin.example.com"),
    ),
    Claim(
        "E9100",
        "KC_HTTP_ENABLED=yes",
        "Keycloak checks values when it starts and ends",
        ENDS,
        (Ends("Invalid value for option .*: yes"),),
        variables={"KC_HTTP_ENABLED": "yes"},
    ),
    Claim(
        "E9100",
        "KC_HTTP_ENABLED=TRUE",
        "Booleans are `true` and `false`, in lower case",
        (V24, V26, V267),
        (Ends("Invalid value for option .*: TRUE"),),
        variables={"KC_HTTP_ENABLED": "TRUE"},
    ),
    Claim(
        "E9100",
        "KC_DB=postgresql",
        "Keycloak checks values when it starts and ends with `Invalid value for option "
        "'KC_DB': postgresql. Expected values are: ...`",
        (V25, V26, V264, V267),
        (Ends("Invalid value for option 'KC_DB': postgresql. Expected values are:"),),
        variables={"KC_DB": "postgresql"},
    ),
    Claim(
        "E9100",
        "KC_PROXY_HEADERS=XForwarded",
        "most other values are taken in their exact case, too",
        (V24, V26, V267),
        (Ends("Invalid value for option .*: XForwarded"),),
        variables={"KC_PROXY_HEADERS": "XForwarded"},
    ),
    Claim(
        "E9101",
        "KC_FEATURES=bogus",
        "is an unrecognized feature, it should be one of [...]`: no task ever starts",
        (V24, V26, V267),
        (Ends("bogus'? is an unrecognized feature, it should be one of"),),
        variables={"KC_FEATURES": "bogus"},
    ),
    Claim(
        "E9101",
        "KC_FEATURES=account2",
        "`account2` is gone since 25",
        (V25, V267),
        (Ends("account2'? is an unrecognized feature"),),
        variables={"KC_FEATURES": "account2"},
    ),
    Claim(
        "E9101",
        "KC_FEATURES=js-adapter",
        "`js-adapter` and `hostname:v1` since 26",
        (V26, V267),
        (Ends("js-adapter'? is an unrecognized feature"),),
        variables={"KC_FEATURES": "js-adapter"},
    ),
    Claim(
        "E9101",
        "KC_FEATURES_DISABLED=login:v2",
        "In `features-disabled` names have no version",
        (V26, V267),
        (Ends("login:v2"),),
        variables={"KC_FEATURES_DISABLED": "login:v2"},
    ),
    Claim(
        "E9021",
        "docker on and off",
        "the same feature may not be in both `features` and `features-disabled`: the server doesn't start",
        (V24, V26, V267),
        (Ends("docker"),),
        variables={"KC_FEATURES": "docker", "KC_FEATURES_DISABLED": "docker"},
    ),
    Claim(
        "E9105",
        "proxy-trusted-addresses without proxy-headers",
        "`proxy-trusted-addresses` without `proxy-headers`",
        (V26, V267),
        (Ends("proxy-trusted-addresses available only when"),),
        variables={"KC_PROXY_HEADERS": None},
    ),
    Claim(
        "E9105",
        "an administrator without password",
        "available only when bootstrap admin password is set",
        (V26, V267),
        (Ends("available only when bootstrap admin password is set"),),
        variables={"KC_BOOTSTRAP_ADMIN_PASSWORD": None},
    ),
    Claim(
        "E9105",
        "--log-syslog-endpoint without syslog",
        "any option of the command line whose condition isn't met (`Disabled option`)",
        (V25, V26, V267),
        (Ends("Disabled option: '--log-syslog-endpoint"),),
        command=("start", "--log-syslog-endpoint=syslog.example.com:514"),
    ),
    Claim(
        "W9104",
        "KC_LOG_SYSLOG_ENDPOINT without syslog",
        "from 25 on it mostly says so in the log (`The following used "
        "run time options are UNAVAILABLE and will be ignored`)",
        (V25, V267),
        (Starts(), Says("run time options are UNAVAILABLE and will be ignored")),
        variables={"KC_LOG_SYSLOG_ENDPOINT": "syslog.example.com:514"},
    ),
    Claim(
        "E9106", "no command", "Without it kc.sh prints its help and ends", ENDS, (Ends("kc.sh"),), command=()
    ),
    Claim(
        "E9016",
        '["--verbose start"]',
        "Option: '--verbose start' is not expected to contain whitespace",
        (V24, V26, V267),
        (Ends("Option: '--verbose start' is not expected to contain whitespace"),),
        command=("--verbose start",),
    ),
    Claim(
        "W9107",
        "DB_ADDR, KEYCLOAK_USER, PROXY_ADDRESS_FORWARDING",
        "They are ignored without a word",
        ENDS,
        (Starts(), SaysNothing("DB_ADDR|KEYCLOAK_USER|PROXY_ADDRESS")),
        variables={
            "DB_ADDR": "elsewhere.example.com",
            "KEYCLOAK_USER": "admin",
            "PROXY_ADDRESS_FORWARDING": "true",
        },
    ),
    Claim(
        "W9102",
        "KC_LEGACY_OBSERVABILITY_INTERFACE",
        "The following used options or option values are DEPRECATED and will be removed",
        (V26, V267),
        (Starts(), Says("DEPRECATED.*legacy-observability-interface")),
        variables={"KC_LEGACY_OBSERVABILITY_INTERFACE": "true"},
        ready="http:8080/health/ready",
    ),
    Claim(
        "E9017",
        "two underscores",
        "so the option keeps its default: with "
        "`KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE=false` the node's name stays in the "
        "cookie",
        (V24, V26, V262),
        (Starts(), Route(True), SaysNothing("(?i)should.attach.route")),
        OPTIMIZED,
        {
            "KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE": None,
            "KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE": "false",
        },
        mixes=True,
    ),
    Claim(
        "W9017",
        "KC_SPI_EMAIL_TEMPLATE_MYCUSTOMPROVIDER_ENABLED",
        "The following SPI options are using the legacy "
        "format and are not being treated as build time options",
        (V264, V267),
        (
            Starts(),
            Says("SPI options are using the legacy format and are not being treated as build time options"),
        ),
        OPTIMIZED,
        {"KC_SPI_EMAIL_TEMPLATE_MYCUSTOMPROVIDER_ENABLED": "true"},
    ),
    Claim(
        "W9017",
        "a build option, the stock image",
        "The following SPI options are using the legacy "
        "format and are not being treated as build time options",
        (V264, V267),
        (
            Starts(),
            Says("SPI options are using the legacy format and are not being treated as build time options"),
        ),
        variables={"KC_SPI_EMAIL_TEMPLATE_MYCUSTOMPROVIDER_ENABLED": "true"},
    ),
    Claim(
        "I9017",
        "one underscore",
        "It still works",
        (V264, V267),
        (Starts(), Route(False)),
        OPTIMIZED,
        {
            "KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE": "false",
            "KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE": None,
        },
        mixes=True,
    ),
    Claim(
        "W9024",
        "JAVA_OPTS",
        "JAVA_OPTS already set in environment; overriding default settings",
        ENDS,
        (
            Starts(),
            Says("JAVA_OPTS already set in environment; overriding default settings"),
            JavaOption("-XX:+ExitOnOutOfMemoryError", False),
            JavaOption("-XX:MaxMetaspaceSize", False),
        ),
        OPTIMIZED,
        {"JAVA_OPTS": "-Xmx512m"},
    ),
    Claim(
        "W9024",
        "JAVA_OPTS_APPEND",
        "`JAVA_OPTS_APPEND` is added to the defaults",
        ENDS,
        (JavaOption("-XX:+ExitOnOutOfMemoryError", True), JavaOption("-XX:MaxMetaspaceSize", True)),
        OPTIMIZED,
        found=False,
    ),
)
