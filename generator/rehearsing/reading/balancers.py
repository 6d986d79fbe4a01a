"""Application Load Balancers: listeners, rules in their order, target groups."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from generator.document import Resource
from generator.rehearsing.reading.groups import Groups
from generator.rehearsing.reading.madeup import BALANCER, MadeUp
from generator.rehearsing.reading.networks import Networks
from generator.rehearsing.reading.scene import Scene
from generator.rehearsing.topology import Action, Condition, Listener, MutualTls, Rule, TargetGroup
from generator.resolving import Place, Reference
from generator.rule_fields import RULE_FIELDS

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
REVOCATION = "AWS::ElasticLoadBalancingV2::TrustStoreRevocation"

EXISTING = "ExistingBalancer"

_CONFIG_KEYS = {
    "forward": "ForwardConfig",
    "fixed-response": "FixedResponseConfig",
    "redirect": "RedirectConfig",
}
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}")
_CODES = re.compile(r"[0-9]{3}(-[0-9]{3})?(,[0-9]{3}(-[0-9]{3})?)*")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?charset=[A-Za-z0-9-]+)?")
_COOKIE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_METHOD = re.compile(r"[A-Z_-]{1,40}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ADDRESS = re.compile(r"https://(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:(?P<port>[0-9]{1,5}))?(/|$)")
_XFF = ("append", "preserve", "remove")
# Parts of the headers that tell of a certificate, as listener attributes name them.
_MUTUAL_HEADERS = {"": "", "serial_number": "Serial-Number", "issuer": "Issuer", "subject": "Subject",
                   "validity": "Validity", "leaf": "Leaf"}


@dataclass(frozen=True)
class Draft:
    """A balancer that has no address yet."""

    logical_id: str
    listeners: tuple[Listener, ...]
    groups: tuple[str, ...]
    subnets: tuple[str, ...]
    internal: bool = False
    forwarded_for: str = "append"
    idle_timeout: int = 60
    preserve_host: bool = False
    drop_invalid_headers: bool = False
    dns_name: str = ""
    line: int = 0


class Balancers:
    """The target groups that a service registers with, and the balancers in front of them."""

    def __init__(self, scene: Scene, made_up: MadeUp, groups: Groups, networks: Networks):
        self._scene = scene
        self._made_up = made_up
        self._groups = groups
        self._networks = networks

    # --- target groups ---

    def target_groups(self, service: Resource) -> tuple[TargetGroup, ...]:
        """Those that the service registers its tasks with, each with the port that it registers."""
        scene = self._scene
        found = []
        for entry in scene.known_list(
            scene.resolver.properties(service)["LoadBalancers"], "the service's target groups"
        ):
            if entry["LoadBalancerName"] and not entry["TargetGroupArn"]:
                scene.note("A Classic Load Balancer isn't rehearsed", entry)
                continue
            place = entry["TargetGroupArn"]
            # Whichever container listens there: the containers of a task share its address.
            port = scene.port(entry["ContainerPort"], "the target's port", 8080)
            group = place.resource(TARGET_GROUP)
            if group is not None:
                found.append(self._target_group(group, port))
            else:
                known = scene.identity(place, "the target group")
                scene.note(
                    f"The template doesn't hold the target group {known}: it is taken with AWS' defaults",
                    place,
                )
                found.append(
                    TargetGroup(known, port, health_port=port, line=place.line, health_line=place.line)
                )
        return tuple({one.logical_id: one for one in found}.values())

    def _target_group(self, group: Resource, port: int) -> TargetGroup:
        scene = self._scene
        properties = scene.resolver.properties(group)
        what = f"the {{}} of {group.logical_id}"
        kind = scene.text(properties["TargetType"], what.format("target type"), "instance")
        if kind != "ip":
            message = (
                f"{group.logical_id} takes targets of the type {kind}; tasks have addresses of their own"
            )
            scene.problem(properties["TargetType"], message, "write TargetType: ip")
        health = properties["HealthCheckPort"]
        health_port = (
            port
            if (health.text or "traffic-port") == "traffic-port" and not health.unknown
            else (scene.port(health, what.format("health check port"), port))
        )
        attributes = self._attributes(properties["TargetGroupAttributes"], what)
        if attributes.integer("slow_start.duration_seconds", 0):
            scene.note(f"The slow start of {group.logical_id} is left out", group.line)
        version = scene.text(properties["ProtocolVersion"], what.format("protocol version"), "HTTP1")
        if version != "HTTP1":
            scene.note(
                f"{group.logical_id} speaks {version} with its targets; HTTP/1.1 is rehearsed", group.line
            )
        sticky = attributes.flag("stickiness.enabled", False)
        by_cookie = sticky and attributes.text("stickiness.type", "lb_cookie") == "app_cookie"
        duration = f"stickiness.{'app' if by_cookie else 'lb'}_cookie.duration_seconds"
        codes = scene.text(properties["Matcher"]["HttpCode"], what.format("healthy codes"), "200").replace(
            " ", ""
        )
        path = scene.text(properties["HealthCheckPath"], what.format("health check path"), "/")
        cookie = attributes.text("stickiness.app_cookie.cookie_name", "") if by_cookie else ""
        for place, value, pattern in (
            (properties["Matcher"], codes, _CODES),
            (properties["HealthCheckPath"], path, re.compile(r"/[!-~]*")),
            (properties["TargetGroupAttributes"], cookie or "none", _COOKIE),
        ):
            if not pattern.fullmatch(value):
                scene.problem(
                    place, f"{group.logical_id}: {value!r} is nothing that a target group can have here"
                )
        protocols = ("HTTP", "HTTPS")
        first = next((key for key in properties.keys() if key.startswith("HealthCheck")), "")
        return TargetGroup(
            group.logical_id,
            port,
            protocol=scene.choice(properties["Protocol"], what.format("protocol"), protocols, "HTTP"),
            health_port=health_port,
            health_path=path,
            health_protocol=scene.choice(
                properties["HealthCheckProtocol"], what.format("health check"), protocols, "HTTP"
            ),
            health_codes=codes,
            interval=scene.integer(
                properties["HealthCheckIntervalSeconds"], what.format("interval"), 30, least=5, most=300
            ),
            timeout=scene.integer(
                properties["HealthCheckTimeoutSeconds"], what.format("timeout"), 5, least=2, most=120
            ),
            healthy=scene.integer(
                properties["HealthyThresholdCount"], what.format("threshold"), 5, least=2, most=10
            ),
            unhealthy=scene.integer(
                properties["UnhealthyThresholdCount"], what.format("threshold"), 2, least=2, most=10
            ),
            stickiness=attributes.integer(duration, 86400) if sticky else None,
            application_cookie=cookie,
            deregistration_delay=attributes.integer("deregistration_delay.timeout_seconds", 300),
            algorithm=attributes.text("load_balancing.algorithm.type", "round_robin"),
            line=group.line,
            health_line=properties["HealthCheckPath"].line
            if properties["HealthCheckPath"]
            else properties[first].line,
        )

    # --- balancers ---

    def drafts(self, targets: tuple[TargetGroup, ...], task_groups: tuple[str, ...]) -> list[Draft]:
        """The balancers whose listeners send requests to `targets`, in the order of the text."""
        scene, resolver = self._scene, self._scene.resolver
        wanted = {one.logical_id for one in targets}
        rules: dict[str, list[Resource]] = {}
        for rule in resolver.resources(RULE):
            place = resolver.properties(rule)["ListenerArn"]
            rules.setdefault(scene.identity(place, f"the listener of {rule.logical_id}"), []).append(rule)
        listeners: dict[str, list[Resource]] = {}
        for listener in resolver.resources(LISTENER):
            place = resolver.properties(listener)["LoadBalancerArn"]
            balancer = scene.identity(place, f"the balancer of {listener.logical_id}")
            listeners.setdefault(balancer, []).append(listener)
        owned = {one.logical_id: one for one in resolver.resources(BALANCER)}
        found = []
        for name, its in listeners.items():
            if not any(self._sends(one, rules.get(one.logical_id, []), wanted) for one in its):
                continue
            if name in owned and self._is_network(owned[name]):
                message = f"{name} is left out: only Application Load Balancers are rehearsed"
                scene.note(message, owned[name].line)
                continue
            made = tuple(self._listener(one, rules.get(one.logical_id, [])) for one in its)
            made = tuple(sorted(made, key=lambda one: one.port))
            port = targets[0].port
            found.append(
                self._draft(owned[name], made)
                if name in owned
                else self._existing(name, made, task_groups, port)
            )
        here = {one.logical_id for one in resolver.resources(LISTENER)}
        for name, its in rules.items():
            if name and name not in here and self._sends(None, its, wanted):
                found.append(self._shared(name, its, task_groups, targets[0].port))
        missing = [one for one in targets if one.logical_id not in scene.document.resources]
        if not found and missing:
            found.append(self._for_target(missing[0], task_groups))
        if not found:
            scene.note("No listener sends requests to the service, so there is no balancer")
        return found

    def _is_network(self, balancer: Resource) -> bool:
        return self._scene.resolver.properties(balancer)["Type"].text in ("network", "gateway")

    def _sends(self, listener: Resource | None, rules: list[Resource], wanted: set[str]) -> bool:
        """Whether a listener or its rules forward to one of the target groups."""
        resolver = self._scene.resolver
        actions = [(rule, "Actions") for rule in rules] + ([(listener, "DefaultActions")] if listener else [])
        for resource, key in actions:
            for action in resolver.properties(resource)[key]:
                places = [
                    action["TargetGroupArn"],
                    *(one["TargetGroupArn"] for one in action["ForwardConfig"]["TargetGroups"]),
                ]
                if any(place and self._target_name(place) in wanted for place in places):
                    return True
        return False

    def _target_name(self, place: Place) -> str:
        value = place.value
        return (
            value.logical_id
            if isinstance(value, Reference)
            else self._scene.identity(place, "the target group")
        )

    def _draft(self, balancer: Resource, listeners: tuple[Listener, ...]) -> Draft:
        scene = self._scene
        properties = scene.resolver.properties(balancer)
        what = f"the {{}} of {balancer.logical_id}"
        attributes = self._attributes(properties["LoadBalancerAttributes"], what)
        subnets = properties["Subnets"]
        if subnets:
            names = self._networks.use(subnets, what.format("subnet"))
        else:
            mapped = scene.known_list(properties["SubnetMappings"], what.format("subnets"))
            names = tuple(
                name for one in mapped for name in self._networks.use(one["SubnetId"], what.format("subnet"))
            )
        mode = attributes.text("routing.http.xff_header_processing.mode", "append")
        if mode not in _XFF:
            scene.problem(
                properties["LoadBalancerAttributes"], f"{mode!r} is no way to handle X-Forwarded-For"
            )
        if scene.resolver.resources("AWS::WAFv2::WebACLAssociation"):
            scene.note("The web ACL in front of the balancer is left out")
        return Draft(
            balancer.logical_id,
            listeners,
            self._groups.of(properties["SecurityGroups"], balancer.logical_id),
            names or self._networks.make_up("balancer-subnet", balancer.line),
            internal=scene.text(properties["Scheme"], what.format("scheme"), "internet-facing") == "internal",
            forwarded_for=mode,
            idle_timeout=attributes.integer("idle_timeout.timeout_seconds", 60),
            preserve_host=attributes.flag("routing.http.preserve_host_header.enabled", False),
            drop_invalid_headers=attributes.flag("routing.http.drop_invalid_header_fields.enabled", False),
            dns_name=self._made_up(Reference(balancer.logical_id, "DNSName")),
            line=balancer.line,
        )

    def _existing(
        self, name: str, listeners: tuple[Listener, ...], task_groups: tuple[str, ...], port: int
    ) -> Draft:
        scene = self._scene
        line = listeners[0].line
        groups = self._groups.callers(task_groups, port) or self._groups.open("balancer", line)
        scene.note(
            f"The template doesn't hold the balancer {name or EXISTING}: one with AWS' defaults is taken",
            line,
        )
        return Draft(
            name or EXISTING, listeners, groups, self._networks.make_up("balancer-subnet", line), line=line
        )

    def _shared(self, name: str, rules: list[Resource], task_groups: tuple[str, ...], port: int) -> Draft:
        """A balancer around rules whose listener is in another stack."""
        made = (*self._rules(rules), Rule(name, Action("fixed-response", status=404)))
        line = rules[0].line
        self._scene.note(
            f"The template doesn't hold the listener {name}: HTTPS on 443 is taken, with 404 by default", line
        )
        listener = Listener(name, "HTTPS", 443, made, line=line)
        return self._existing(EXISTING, (listener,), task_groups, port)

    def _for_target(self, target: TargetGroup, task_groups: tuple[str, ...]) -> Draft:
        """A balancer for a target group of another stack."""
        rule = Rule(target.logical_id, Action("forward", ((target.logical_id, 1),)), line=target.line)
        listener = Listener(EXISTING, "HTTPS", 443, (rule,), line=target.line)
        return self._existing(EXISTING, (listener,), task_groups, target.port)

    # --- listeners and rules ---

    def _listener(self, listener: Resource, rules: list[Resource]) -> Listener:
        scene = self._scene
        properties = scene.resolver.properties(listener)
        what = f"the {{}} of {listener.logical_id}"
        protocol = scene.choice(properties["Protocol"], what.format("protocol"), ("HTTP", "HTTPS"), "HTTP")
        actions = scene.known_list(properties["DefaultActions"], what.format("default actions"))
        default = Rule(
            listener.logical_id,
            self._action(actions, properties, listener),
            line=properties["DefaultActions"].line,
        )
        port = scene.port(properties["Port"], what.format("port"), 443 if protocol == "HTTPS" else 80)
        made = (*self._rules(rules), default)
        mutual = self._mutual_tls(properties, what)
        if mutual is not None:
            mutual = replace(mutual, host=self._asked_for(made, port))
        return Listener(listener.logical_id, protocol, port, made, mutual, listener.line)

    def _asked_for(self, rules: tuple[Rule, ...], port: int) -> str:
        """The host that clients ask for at a listener: the first one that its rules name, else that of an output with
        an address at its port; empty where there is neither."""
        for rule in rules:
            for condition in rule.conditions:
                if condition.field == "host-header":
                    for value in condition.values:
                        if _HOST.fullmatch(value):
                            return value
        resolver = self._scene.resolver
        outputs = self._scene.document.data.get("Outputs")
        for name in outputs if isinstance(outputs, dict) else ():
            found = _ADDRESS.match(resolver.place(("Outputs",))[name]["Value"].text or "")
            if found and int(found["port"] or 443) == port:
                return found["host"]
        return ""

    def _mutual_tls(self, properties: Place, what: str) -> MutualTls | None:
        """What a listener does about client certificates; None where it asks for none."""
        scene = self._scene
        mutual = properties["MutualAuthentication"]
        mode = scene.choice(
            mutual["Mode"], what.format("client certificates"), ("off", "verify", "passthrough"), "off"
        )
        if mode == "off":
            return None
        trust = mutual["TrustStoreArn"]
        attributes = self._attributes(properties["ListenerAttributes"], what)
        names = []
        for written, part in _MUTUAL_HEADERS.items():
            key = f"x_amzn_mtls_clientcert{f'_{written}' if written else ''}"
            name = attributes.text(f"routing.http.request.{key}.header_name", "")
            if name and not _HEADER.fullmatch(name):
                scene.problem(properties["ListenerAttributes"], f"{name!r} is no name of a header")
            elif name:
                names.append((part, name))
        return MutualTls(
            mode,
            scene.identity(trust, what.format("trust store")) if trust else "",
            mutual.line,
            revocation=self._revokes(trust, what),
            ignores_expiry=scene.flag(mutual["IgnoreClientCertificateExpiry"], what.format("expiry"), False),
            advertises=scene.choice(mutual["AdvertiseTrustStoreCaNames"], what.format("authorities"),
                                    ("on", "off"), "off") == "on",
            headers=tuple(names),
        )

    def _revokes(self, trust: Place, what: str) -> bool:
        """Whether a trust store has revocation lists, as far as the template tells."""
        scene = self._scene
        store = scene.identity(trust, what.format("trust store")) if trust else ""
        for resource in scene.resolver.resources(REVOCATION):
            properties = scene.resolver.properties(resource)
            theirs = properties["TrustStoreArn"]
            if store and theirs and list(properties["RevocationContents"]) \
                    and scene.identity(theirs, f"the trust store of {resource.logical_id}") == store:
                return True
        return False

    def _rules(self, rules: list[Resource]) -> list[Rule]:
        scene = self._scene
        found = []
        for rule in rules:
            properties = scene.resolver.properties(rule)
            what = f"the {{}} of {rule.logical_id}"
            if properties["Transforms"]:
                scene.note(
                    f"{rule.logical_id} rewrites requests, which isn't rehearsed", properties["Transforms"]
                )
            place = properties["Priority"]
            priority = scene.integer(place, what.format("priority"), 50_000, least=1, most=50_000)
            actions = scene.known_list(properties["Actions"], what.format("actions"))
            conditions = scene.known_list(properties["Conditions"], what.format("conditions"))
            made = tuple(one for place in conditions if (one := self._condition(place, rule)) is not None)
            found.append(
                Rule(rule.logical_id, self._action(actions, properties, rule), made, priority, rule.line)
            )
        return sorted(found, key=lambda one: one.priority or 0)

    def _action(self, actions: list[Place], properties: Place, owner: Resource) -> Action:
        """The action that answers; one of another type, which stands in front of it, can't be rehearsed."""
        scene = self._scene
        what = f"the {{}} of {owner.logical_id}"
        if not actions:
            scene.problem(properties, f"{owner.logical_id} has no actions")
            return Action("fixed-response", status=503)
        kinds = [scene.text(one["Type"], what.format("action"), "forward") for one in actions]
        place, kind = actions[-1], kinds[-1]
        other = next((one for one in kinds if one not in _CONFIG_KEYS), None)
        if other is not None:
            scene.note(f"{owner.logical_id} does {other}, which isn't rehearsed", place)
            return Action(other, self._targets(place, what), line=place.line)
        config = place[_CONFIG_KEYS[kind]]
        if kind == "forward":
            targets = self._targets(place, what)
            if not targets:
                scene.problem(place, f"{owner.logical_id} forwards to no target group")
            return Action(kind, targets, line=place.line)
        if kind == "fixed-response":
            content = scene.text(config["ContentType"], what.format("content type"))
            if content and not _CONTENT_TYPE.fullmatch(content):
                scene.problem(config["ContentType"], f"{content!r} is no content type")
            return Action(
                kind,
                status=self._status(config["StatusCode"], what, (2, 4, 5)),
                content_type=content,
                body=scene.text(config["MessageBody"], what.format("body"), lines=True),
                line=place.line,
            )
        defaults = Action(kind)
        parts = {
            name: scene.text(
                config[name.capitalize()], what.format(f"redirect's {name}"), getattr(defaults, name)
            )
            for name in ("protocol", "host", "port", "path", "query")
        }
        return Action(kind, status=self._status(config["StatusCode"], what, (3,)), line=place.line, **parts)

    def _targets(self, place: Place, what: str) -> tuple[tuple[str, int], ...]:
        scene = self._scene
        weighted = scene.known_list(place["ForwardConfig"]["TargetGroups"], what.format("target groups"))
        found = [
            (
                self._target_name(one["TargetGroupArn"]),
                scene.integer(one["Weight"], what.format("weight"), 1, most=999),
            )
            for one in weighted
        ]
        if not found and place["TargetGroupArn"]:
            found = [(self._target_name(place["TargetGroupArn"]), 1)]
        return tuple(found)

    def _status(self, place: Place, what: str, classes: tuple[int, ...]) -> int:
        """The number in `404` or `HTTP_301`."""
        text = self._scene.text(place, what.format("status"), "0").removeprefix("HTTP_")
        number = int(text) if re.fullmatch(r"[0-9]{3}", text) else 0
        if number // 100 not in classes:
            self._scene.problem(place, f"{what.format('status')} is {text!r}")
        return number

    def _condition(self, place: Place, rule: Resource) -> Condition | None:
        scene = self._scene
        what = f"a condition of {rule.logical_id}"
        written = [field for field, key in RULE_FIELDS.items() if place[key]]
        field = scene.text(place["Field"], what, written[0] if written else "")
        if field not in RULE_FIELDS:
            scene.problem(place, f"{what} is for {field!r}", f"write one of {', '.join(RULE_FIELDS)}")
            return None
        config = place[RULE_FIELDS[field]]
        header = ""
        if field == "http-header":
            header = scene.text(config["HttpHeaderName"], what)
            if not _HEADER.fullmatch(header):
                scene.problem(config, f"{what} is for the header {header!r}")
        values, regexes = [], []
        for holder, key, found in (
            (place, "Values", values),
            (config, "Values", values),
            (place, "RegexValues", regexes),
            (config, "RegexValues", regexes),
        ):
            for one in scene.known_list(holder[key], what):
                text = self._pair(one, what) if field == "query-string" else scene.text(one, what)
                self._check(field, text, one, what)
                found.append(text)
        if not values and not regexes:
            scene.problem(place, f"{what} has no values")
        return Condition(field, tuple(values), tuple(regexes), header, place.line)

    def _pair(self, place: Place, what: str) -> str:
        """`key=value` of a query string's condition; `=value` where any key will do."""
        if "Value" not in place.keys():
            return self._scene.text(place, what)
        return f"{self._scene.text(place['Key'], what)}={self._scene.text(place['Value'], what)}"

    def _check(self, field: str, text: str, place: Place, what: str) -> None:
        if field == "source-ip" and text:
            try:
                ipaddress.ip_network(text, strict=False)
            except ValueError:
                self._scene.problem(place, f"{what}: {text!r} is no network")
        if field == "http-request-method" and text and not _METHOD.fullmatch(text):
            self._scene.problem(place, f"{what}: {text!r} is no method")

    def _attributes(self, place: Place, what: str) -> _Attributes:
        return _Attributes(self._scene, place, what)


class _Attributes:
    """A list of `{Key, Value}`."""

    def __init__(self, scene: Scene, place: Place, what: str):
        self._scene = scene
        self._what = what
        listed = scene.known_list(place, what.format("attributes"))
        self._places = {key: one["Value"] for one in listed if (key := one["Key"].text)}

    def text(self, key: str, default: str) -> str:
        place = self._places.get(key)
        return default if place is None else self._scene.text(place, self._what.format(key), default)

    def integer(self, key: str, default: int) -> int:
        place = self._places.get(key)
        return default if place is None else self._scene.integer(place, self._what.format(key), default)

    def flag(self, key: str, default: bool) -> bool:
        place = self._places.get(key)
        return default if place is None else self._scene.flag(place, self._what.format(key), default)
