"""An Application Load Balancer as a configuration of HAProxy's, and what is said to it while it runs.

Facts about the balancer are from the "User Guide for Application Load Balancers" (its pages are named where
they matter); facts about HAProxy from its configuration manual, and from trying 2.6, 3.0 and 3.4. Not
reproduced: desync mitigation, rewrites of rules ("transforms"), stickiness of weighted target groups, slow
start, WAF.
"""

from __future__ import annotations

from generator.rehearsing.balancer.configuration import CONNECT, configuration
from generator.rehearsing.balancer.log import Request, parse_log
from generator.rehearsing.balancer.running import (
    deregister,
    disconnect,
    paths_command,
    register,
    states,
    states_command,
)
from generator.rehearsing.balancer.targets import STICKY_COOKIE, backend

__all__ = [
    "CONNECT",
    "STICKY_COOKIE",
    "Request",
    "backend",
    "configuration",
    "deregister",
    "disconnect",
    "parse_log",
    "paths_command",
    "register",
    "states",
    "states_command",
]
