"""What each check objects to, and what it leaves alone: changes of the good template.

A bad case is (check, phrase, changes, path of the finding, words of its message or fix); the path is written as in
`bending.bent`, without the resource's `Properties`. A good case is (check, phrase, changes).
"""

from __future__ import annotations

from bending import GONE, GOOD

_RULE = GOOD["Resources"]["ListenerRule"]
_PATHS = "ListenerRule.Conditions.1.PathPatternConfig.Values"
_HOSTS = "ListenerRule.Conditions.0.HostHeaderConfig.Values"
_CONTAINER = "TaskDefinition.ContainerDefinitions.0"
_SIDECAR = {"Name": "side", "Image": "example.com/side:1", "Essential": False}
_ENVIRONMENT = {"Name": "KC_DB", "Value": "postgres"}
_SECRET = {"Name": "KC_DB_PASSWORD", "ValueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-abcdef"}
_SECOND_BALANCER = {
    "AdminLoadBalancer": "LoadBalancer",
    "AdminLoadBalancer.Name": "sso-admin",
    "AdminListener": "Listener",
    "AdminListener.LoadBalancerArn": {"Ref": "AdminLoadBalancer"},
}
_FORWARD = {"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroup"}}
_CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/{}1234567-89ab-cdef-0123-456789abcdef"


def _firewall(**rule) -> dict:
    visible = {"CloudWatchMetricsEnabled": True, "SampledRequestsEnabled": True, "MetricName": "sso"}
    group = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
    first = {"Name": "a", "Priority": 0, "OverrideAction": {"None": {}}, "Statement": group, "VisibilityConfig": visible}
    second = {**first, "Name": "b", "Priority": 1, **rule}
    return {
        "Type": "AWS::WAFv2::WebACL",
        "Properties": {
            "Scope": "REGIONAL",
            "DefaultAction": {"Allow": {}},
            "VisibilityConfig": visible,
            "Rules": [first, {key: value for key, value in second.items() if value is not None}],
        },
    }


def _dashboard(body) -> dict:
    return {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": body}}


def _rules(count: int) -> dict:
    changes = {}
    for number in range(1, count):
        changes[f"Rule{number}"] = "ListenerRule"
        changes[f"Rule{number}.Priority"] = 100 + number
    return changes


def _policy(characters: int) -> dict:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::{'b' * 50}/*"]}
    document = {"Version": "2012-10-17", "Statement": [statement] * (characters // 110)}
    return {"PolicyName": f"p{characters}", "PolicyDocument": document}


_TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]

BAD = [
    # Fargate services
    ("E9501", "a placement strategy", {"Service.PlacementStrategies": [{"Type": "spread", "Field": "host"}]},
     "Service.PlacementStrategies", "not supported on Fargate"),
    ("E9501", "a placement constraint by capacity provider", {
        "Service.LaunchType": GONE,
        "Service.CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}],
        "Service.PlacementConstraints": [{"Type": "distinctInstance"}],
    }, "Service.PlacementConstraints", "not supported on Fargate"),
    ("E9502", "a container that isn't there", {"Service.LoadBalancers.0.ContainerName": "keycloack"},
     "Service.LoadBalancers.0.ContainerName", "write keycloak"),
    ("E9502", "a port that isn't mapped", {"Service.LoadBalancers.0.ContainerPort": 8443},
     "Service.LoadBalancers.0.ContainerPort", "its ports: 8080, 9000"),
    ("E9502", "a container without ports", {f"{_CONTAINER}.PortMappings": GONE},
     "Service.LoadBalancers.0.ContainerPort", "its ports: none"),
    ("E9503", "a registered container that isn't there", {
        "Service.ServiceRegistries.0.ContainerName": "x", "Service.ServiceRegistries.0.ContainerPort": 8080,
    }, "Service.ServiceRegistries.0.ContainerName", "no container 'x'"),
    ("E9503", "a registered port that isn't mapped", {
        "Service.ServiceRegistries.0.ContainerName": "keycloak", "Service.ServiceRegistries.0.ContainerPort": 1,
    }, "Service.ServiceRegistries.0.ContainerPort", "maps no port 1"),
    ("E9503", "two registries", {
        "Service.ServiceRegistries.1": {"RegistryArn": "arn:aws:servicediscovery:eu-central-1:123456789012:service/srv-a"},
    }, "Service.ServiceRegistries.1", "ECS supports one"),
    ("E9503", "two ways to name the port", {
        "Service.ServiceRegistries.0.ContainerName": "keycloak", "Service.ServiceRegistries.0.ContainerPort": 8080,
        "Service.ServiceRegistries.0.Port": 8080,
    }, "Service.ServiceRegistries.0.Port", "exclude each other"),
    ("E9504", "neither one more nor one less", {"Service.DeploymentConfiguration.MaximumPercent": 100},
     "Service.DeploymentConfiguration.MaximumPercent", "no task may be stopped or started"),
    ("E9504", "fewer than wanted", {
        "Service.DeploymentConfiguration.MaximumPercent": 50, "Service.DeploymentConfiguration.MinimumHealthyPercent": 0,
    }, "Service.DeploymentConfiguration.MaximumPercent", "fewer tasks than DesiredCount"),
    ("E9504", "no room after rounding", {"Service.DeploymentConfiguration.MaximumPercent": 149},
     "Service.DeploymentConfiguration.MaximumPercent", "write 150 or more"),
    ("E9504", "no room to stop the only one", {
        "Service.DesiredCount": 1, "Service.DeploymentConfiguration.MinimumHealthyPercent": 50,
        "Service.DeploymentConfiguration.MaximumPercent": 100,
    }, "Service.DeploymentConfiguration.MaximumPercent", "none can be replaced"),
    ("E9505", "rebalancing without room", {
        "Service.AvailabilityZoneRebalancing": "ENABLED", "Service.DeploymentConfiguration.MaximumPercent": 100,
        "Service.DeploymentConfiguration.MinimumHealthyPercent": 0,
    }, "Service.AvailabilityZoneRebalancing", "MaximumPercent 100"),
    ("E9506", "targets by instance", {"TargetGroup.TargetType": "instance"}, "TargetGroup.TargetType", "TargetType: ip"),
    ("E9506", "targets by default", {"TargetGroup.TargetType": GONE}, "TargetGroup.TargetType",
     "target type instance"),
    ("E9506", "targets by instance for a task of its own address", {
        "TargetGroup.TargetType": "instance", "Service.LaunchType": GONE,
    }, "TargetGroup.TargetType", "TargetType: ip"),
    ("E9507", "no DependsOn", {"Service@DependsOn": GONE}, "Service.LoadBalancers.0.TargetGroupArn",
     "add ListenerRule to its DependsOn"),
    ("E9507", "waiting for a listener that forwards elsewhere", {"Service@DependsOn": "Listener"},
     "Service.LoadBalancers.0.TargetGroupArn", "add ListenerRule to its DependsOn"),
    ("E9507", "nothing forwards", {"ListenerRule.Actions": [{"Type": "redirect", "RedirectConfig": {
        "StatusCode": "HTTP_302", "Path": "/x"}}]}, "Service.LoadBalancers.0.TargetGroupArn", "no listener or rule"),
    ("E9508", "launch type and providers", {
        "Service.CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}],
    }, "Service.CapacityProviderStrategy", "together with LaunchType"),
    ("E9508", "two bases", {"Service.LaunchType": GONE, "Service.CapacityProviderStrategy": [
        {"CapacityProvider": "FARGATE", "Base": 1, "Weight": 1}, {"CapacityProvider": "FARGATE_SPOT", "Base": 1},
    ]}, "Service.CapacityProviderStrategy.1.Base", "only one"),
    ("E9508", "no weight", {"Service.LaunchType": GONE, "Service.CapacityProviderStrategy": [
        {"CapacityProvider": "FARGATE", "Base": 1}, {"CapacityProvider": "FARGATE_SPOT", "Weight": 0},
    ]}, "Service.CapacityProviderStrategy", "Weight above 0"),
    ("E9509", "a range upside down", {"ScalableTarget.MinCapacity": 9}, "ScalableTarget.MinCapacity", "above MaxCapacity 4"),
    # Containers
    ("E9511", "two minutes and more to stop", {f"{_CONTAINER}.StopTimeout": 121}, f"{_CONTAINER}.StopTimeout", "write 120"),
    ("E9511", "no time to start", {f"{_CONTAINER}.StartTimeout": 1}, f"{_CONTAINER}.StartTimeout", "write 2"),
    ("E9512", "too many checks", {f"{_CONTAINER}.HealthCheck.Interval": 4}, f"{_CONTAINER}.HealthCheck.Interval", "5 to 300"),
    ("E9512", "a check without end", {f"{_CONTAINER}.HealthCheck.Timeout": 61}, f"{_CONTAINER}.HealthCheck.Timeout", "2 to 60"),
    ("E9512", "too patient", {f"{_CONTAINER}.HealthCheck.Retries": 11}, f"{_CONTAINER}.HealthCheck.Retries", "1 to 10"),
    ("E9512", "too late", {f"{_CONTAINER}.HealthCheck.StartPeriod": "301"}, f"{_CONTAINER}.HealthCheck.StartPeriod", "0 to 300"),
    ("E9512", "a bare command", {f"{_CONTAINER}.HealthCheck.Command": ["curl", "-f"]},
     f"{_CONTAINER}.HealthCheck.Command", "starts with curl"),
    ("E9512", "no command", {f"{_CONTAINER}.HealthCheck.Command": []}, f"{_CONTAINER}.HealthCheck.Command", "nothing"),
    ("E9513", "a blank in a container's name", {
        f"{_CONTAINER}.Name": "key cloak", "Service.LoadBalancers.0.ContainerName": "key cloak",
    }, f"{_CONTAINER}.Name", "'key cloak'"),
    ("E9513", "capitals in a port's name", {f"{_CONTAINER}.PortMappings.0.Name": "HTTP"},
     f"{_CONTAINER}.PortMappings.0.Name", "up to 64 lowercase letters"),
    ("E9513", "a dot in a family", {"TaskDefinition.Family": "sso.prod"}, "TaskDefinition.Family", "up to 255"),
    ("E9513", "a dot in a service's name", {"Service.ServiceName": "sso.prod"}, "Service.ServiceName", "'sso.prod'"),
    ("E9513", "a dot in a cluster's name", {"Cluster.ClusterName": "sso.prod"}, "Cluster.ClusterName", "'sso.prod'"),
    ("E9514", "two containers of one name", {"TaskDefinition.ContainerDefinitions.1": {**_SIDECAR, "Name": "keycloak"}},
     "TaskDefinition.ContainerDefinitions.1.Name", "a second container"),
    ("E9514", "a port mapped twice", {f"{_CONTAINER}.PortMappings.1.ContainerPort": 8080},
     f"{_CONTAINER}.PortMappings.1", "8080/tcp is mapped twice"),
    ("E9515", "a secret and a variable of one name", {
        f"{_CONTAINER}.Environment": [_ENVIRONMENT], f"{_CONTAINER}.Secrets": [{**_SECRET, "Name": "KC_DB"}],
    }, f"{_CONTAINER}.Secrets.0.Name", "KC_DB is an environment variable already"),
    ("E9515", "two secrets of one name", {f"{_CONTAINER}.Secrets": [_SECRET, {**_SECRET, "ValueFrom": "other"}]},
     f"{_CONTAINER}.Secrets.1.Name", "is a secret already"),
    ("E9516", "logs without a role", {"TaskDefinition.ExecutionRoleArn": GONE}, _CONTAINER, "awslogs"),
    ("E9516", "secrets without a role", {
        "TaskDefinition.ExecutionRoleArn": GONE, f"{_CONTAINER}.LogConfiguration": GONE, f"{_CONTAINER}.Secrets": [_SECRET],
    }, _CONTAINER, "has secrets"),
    ("E9516", "an ECR image without a role", {
        "TaskDefinition.ExecutionRoleArn": GONE, f"{_CONTAINER}.LogConfiguration": GONE,
        f"{_CONTAINER}.Image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.4.0",
    }, _CONTAINER, "comes from ECR"),
    ("E9517", "waiting for nobody", {f"{_CONTAINER}.DependsOn": [{"ContainerName": "side", "Condition": "START"}]},
     f"{_CONTAINER}.DependsOn.0.ContainerName", "no container 'side'"),
    ("E9517", "waiting for health that is never checked", {
        "TaskDefinition.ContainerDefinitions.1": _SIDECAR,
        f"{_CONTAINER}.DependsOn": [{"ContainerName": "side", "Condition": "HEALTHY"}],
    }, f"{_CONTAINER}.DependsOn.0.Condition", "never becomes HEALTHY"),
    ("E9517", "waiting for the end of an essential one", {
        "TaskDefinition.ContainerDefinitions.1": {**_SIDECAR, "Essential": True},
        f"{_CONTAINER}.DependsOn": [{"ContainerName": "side", "Condition": "SUCCESS"}],
    }, f"{_CONTAINER}.DependsOn.0.Condition", "side is essential"),
    ("E9518", "privileges", {f"{_CONTAINER}.Privileged": True}, f"{_CONTAINER}.Privileged", "not supported"),
    ("E9518", "links", {f"{_CONTAINER}.Links": ["side"]}, f"{_CONTAINER}.Links", "not supported"),
    ("E9518", "swap", {f"{_CONTAINER}.LinuxParameters.Swappiness": 10}, f"{_CONTAINER}.LinuxParameters.Swappiness", "not supported"),
    ("E9518", "a capability", {f"{_CONTAINER}.LinuxParameters.Capabilities.Add": ["NET_ADMIN"]},
     f"{_CONTAINER}.LinuxParameters.Capabilities.Add.0", "not NET_ADMIN"),
    ("E9519", "a small disk", {"TaskDefinition.EphemeralStorage.SizeInGiB": 20}, "TaskDefinition.EphemeralStorage.SizeInGiB", "21 to 200"),
    ("E9519", "more memory than there is", {f"{_CONTAINER}.Memory": 4096}, "TaskDefinition.Memory", "4096 MiB of a task of 2048"),
    ("E9519", "more CPU than there is", {f"{_CONTAINER}.Cpu": 2048}, "TaskDefinition.Cpu", "2048 CPU units of a task of 1024"),
    ("E9519", "more reserved than allowed", {f"{_CONTAINER}.Memory": 1024, f"{_CONTAINER}.MemoryReservation": 2048},
     f"{_CONTAINER}.MemoryReservation", "above Memory 1024"),
    # Listener rules
    ("E9531", "six values over two conditions", {_PATHS: ["/a", "/b", "/c", "/d", "/e"]}, "ListenerRule.Conditions",
     "6 condition values"),
    ("E9531", "six values, some of them expressions", {
        _PATHS: ["/a", "/b"], "ListenerRule.Conditions.2": {
            "Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X", "RegexValues": ["^a$", "^b$", "^c$"]},
        },
    }, "ListenerRule.Conditions", "6 condition values"),
    ("W9532", "four values in a condition", {_PATHS: ["/a", "/b", "/c", "/d"]}, "ListenerRule.Conditions.1", "at most 3"),
    ("E9533", "six wildcards", {_PATHS: ["/*/?/*", "/a/*/*/*"]}, "ListenerRule.Conditions", "6 wildcards"),
    ("E9534", "a per cent sign in a path", {_PATHS: ["/%2e*"]}, f"{_PATHS}.0", "other characters"),
    ("E9534", "a blank in a path", {_PATHS: ["/a", "/a b"]}, f"{_PATHS}.1", "other characters"),
    ("E9534", "a long path", {_PATHS: ["/" + "a" * 128]}, f"{_PATHS}.0", "129 characters"),
    ("E9534", "no path", {_PATHS: [""]}, f"{_PATHS}.0", "empty"),
    ("E9534", "a host without a dot", {_HOSTS: ["localhost"]}, f"{_HOSTS}.0", "no dot"),
    ("E9534", "a host that ends in digits", {_HOSTS: ["10.0.0.1"]}, f"{_HOSTS}.0", "behind its last dot"),
    ("E9534", "a host with a port", {_HOSTS: ["sso.example.com:443"]}, f"{_HOSTS}.0", "other characters"),
    ("E9534", "a long host", {_HOSTS: ["a" * 125 + ".com"]}, f"{_HOSTS}.0", "129 characters"),
    ("E9534", "a long expression", {
        "ListenerRule.Conditions.1": {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^" + "a" * 128]}},
    }, "ListenerRule.Conditions.1.PathPatternConfig.RegexValues.0", "129 characters"),
    ("E9534", "an address without a prefix length", {
        "ListenerRule.Conditions.1": {"Field": "source-ip", "SourceIpConfig": {"Values": ["203.0.113.7"]}},
    }, "ListenerRule.Conditions.1.SourceIpConfig.Values.0", "no network"),
    ("E9534", "a method in small letters", {
        "ListenerRule.Conditions.1": {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}},
    }, "ListenerRule.Conditions.1.HttpRequestMethodConfig.Values.0", "capitals"),
    ("E9535", "two path conditions", {"ListenerRule.Conditions.2": _RULE["Properties"]["Conditions"][1]},
     "ListenerRule.Conditions.2", "one path-pattern condition"),
    ("E9535", "no condition", {"ListenerRule.Conditions": []}, "ListenerRule.Conditions", "at least one"),
    ("E9535", "a field there isn't", {"ListenerRule.Conditions.1.Field": "path-patern"}, "ListenerRule.Conditions.1.Field",
     "write path-pattern"),
    ("E9535", "a condition without values", {"ListenerRule.Conditions.1.PathPatternConfig": GONE},
     "ListenerRule.Conditions.1", "no values"),
    ("E9535", "values of another kind", {"ListenerRule.Conditions.1": {
        "Field": "path-pattern", "Values": ["/a"], "HostHeaderConfig": {"Values": ["sso.example.com"]},
    }}, "ListenerRule.Conditions.1.HostHeaderConfig", "doesn't belong to path-pattern"),
    ("E9535", "two values in the old place", {"ListenerRule.Conditions.1": {"Field": "path-pattern", "Values": ["/a", "/b"]}},
     "ListenerRule.Conditions.1.Values", "below PathPatternConfig"),
    ("E9535", "a header's name with a colon", {"ListenerRule.Conditions.1": {
        "Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X:", "Values": ["a"]},
    }}, "ListenerRule.Conditions.1.HttpHeaderConfig.HttpHeaderName", "no header name"),
    ("E9535", "the host as a header", {"ListenerRule.Conditions.1": {
        "Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Host", "Values": ["a"]},
    }}, "ListenerRule.Conditions.1.HttpHeaderConfig.HttpHeaderName", "host-header condition"),
    ("E9536", "a priority twice", {"Twin": "ListenerRule"}, "Twin.Priority", "ListenerRule has priority 10 already"),
    ("E9536", "a priority twice, once in quotes", {"Twin": "ListenerRule", "Twin.Priority": "10"}, "Twin.Priority", "priority 10"),
    ("W9537", "101 rules", _rules(101), "Rule100", "101 rules"),
    ("E9538", "two ends", {"ListenerRule.Actions.1": {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {
        "StatusCode": "404"}}}, "ListenerRule.Actions.1", "a second action"),
    ("E9538", "no end", {"ListenerRule.Actions": [{"Type": "authenticate-cognito", "AuthenticateCognitoConfig": {
        "UserPoolArn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a",
        "UserPoolClientId": "c", "UserPoolDomain": "d"}}]}, "ListenerRule.Actions.0", "ends the rule"),
    ("E9538", "forwarding to nothing", {"ListenerRule.Actions.0": {"Type": "forward"}}, "ListenerRule.Actions.0", "no target group"),
    ("E9538", "answering nothing", {"Listener.DefaultActions.0": {"Type": "fixed-response"}}, "Listener.DefaultActions.0", "without"),
    ("E9538", "an answer of an odd type", {"Listener.DefaultActions.0.FixedResponseConfig.ContentType": "text/xml"},
     "Listener.DefaultActions.0.FixedResponseConfig.ContentType", "AWS takes text/plain"),
    ("E9538", "redirecting in a circle", {"Listener.DefaultActions.0": {
        "Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Host": "#{host}", "Query": "a=b"}}},
     "Listener.DefaultActions.0.RedirectConfig", "for ever"),
    ("E9539", "two certificates", {"Listener.Certificates.1": {"CertificateArn": _CERTIFICATE.format(1)}},
     "Listener.Certificates.1", "a listener takes one"),
    ("E9540", "one target group behind two balancers", {
        **_SECOND_BALANCER, "AdminListener.DefaultActions": [_FORWARD],
    }, "AdminListener.DefaultActions.0", "is behind"),
    # Target groups and attributes
    ("E9541", "as long as the interval", {"TargetGroup.HealthCheckTimeoutSeconds": 10}, "TargetGroup.HealthCheckTimeoutSeconds", "10 s"),
    ("E9541", "the default timeout", {
        "TargetGroup.HealthCheckTimeoutSeconds": GONE, "TargetGroup.HealthCheckIntervalSeconds": 5,
    }, "TargetGroup.HealthCheckIntervalSeconds", "timeout of 5 s"),
    ("E9541", "the default interval", {
        "TargetGroup.HealthCheckTimeoutSeconds": 60, "TargetGroup.HealthCheckIntervalSeconds": GONE,
    }, "TargetGroup.HealthCheckTimeoutSeconds", "interval of 30 s"),
    ("E9542", "a path without a slash", {"TargetGroup.HealthCheckPath": "health"}, "TargetGroup.HealthCheckPath", "write /health"),
    ("E9542", "a port by name", {"TargetGroup.HealthCheckPort": "management"}, "TargetGroup.HealthCheckPort", "no port"),
    ("E9542", "a port too high", {"TargetGroup.HealthCheckPort": "90000"}, "TargetGroup.HealthCheckPort", "65535"),
    ("E9542", "codes too high", {"TargetGroup.Matcher.HttpCode": "200-599"}, "TargetGroup.Matcher.HttpCode", "499"),
    ("E9542", "codes with a blank", {"TargetGroup.Matcher.HttpCode": "200, 204"}, "TargetGroup.Matcher.HttpCode", "no list"),
    ("E9543", "a long target group", {"TargetGroup.Name": "a" * 33}, "TargetGroup.Name", "33 characters"),
    ("E9543", "a long balancer", {"LoadBalancer.Name": "a" * 33}, "LoadBalancer.Name", "33 characters"),
    ("E9543", "a name of AWS's own", {"LoadBalancer.Name": "internal-sso"}, "LoadBalancer.Name", "AWS keeps"),
    ("E9543", "an underscore", {"TargetGroup.Name": "sso_prod"}, "TargetGroup.Name", "other characters"),
    ("E9543", "a hyphen at the end", {"LoadBalancer.Name": "sso-"}, "LoadBalancer.Name", "other characters"),
    ("E9544", "a slip in a target group's key", {"TargetGroup.TargetGroupAttributes.0.Key": "stickyness.enabled"},
     "TargetGroup.TargetGroupAttributes.0.Key", "write stickiness.enabled"),
    ("E9544", "a slip in a balancer's key", {"LoadBalancer.LoadBalancerAttributes.0.Key": "idle_timeout.timeout_second"},
     "LoadBalancer.LoadBalancerAttributes.0.Key", "write idle_timeout.timeout_seconds"),
    ("E9544", "a key twice", {"TargetGroup.TargetGroupAttributes.1": {"Key": "stickiness.enabled", "Value": "true"}},
     "TargetGroup.TargetGroupAttributes.1.Key", "twice"),
    ("E9545", "a type of stickiness there isn't", {"TargetGroup.TargetGroupAttributes.1.Value": "cookie"},
     "TargetGroup.TargetGroupAttributes.1.Value", "takes lb_cookie, app_cookie"),
    ("E9545", "two hours to drain", {"TargetGroup.TargetGroupAttributes.2.Value": "7200"},
     "TargetGroup.TargetGroupAttributes.2.Value", "0 to 3600"),
    ("E9545", "words for a number", {"LoadBalancer.LoadBalancerAttributes.0.Value": "one minute"},
     "LoadBalancer.LoadBalancerAttributes.0.Value", "1 to 4000"),
    ("E9545", "yes for true", {"LoadBalancer.LoadBalancerAttributes.1.Value": "yes"},
     "LoadBalancer.LoadBalancerAttributes.1.Value", "takes true, false"),
    ("W9546", "a key nobody knows", {"LoadBalancer.LoadBalancerAttributes.0": {"Key": "quantum.enabled", "Value": "true"}},
     "LoadBalancer.LoadBalancerAttributes.0.Key", "no known attribute"),
    ("E9547", "logs without a bucket", {"LoadBalancer.LoadBalancerAttributes.2": {"Key": "access_logs.s3.enabled", "Value": "true"}},
     "LoadBalancer.LoadBalancerAttributes.2", "add access_logs.s3.bucket"),
    # Networks
    ("E9551", "ports the wrong way round", {"TaskSecurityGroupInFromLoadBalancer.FromPort": 9000},
     "TaskSecurityGroupInFromLoadBalancer.FromPort", "above ToPort 8080"),
    ("E9551", "a port there isn't", {"LoadBalancerSecurityGroup.SecurityGroupIngress.0.ToPort": 70000},
     "LoadBalancerSecurityGroup.SecurityGroupIngress.0.ToPort", "no port 70000"),
    ("E9552", "an apostrophe", {"TaskSecurityGroupInFromLoadBalancer.Description": "the balancer's"},
     "TaskSecurityGroupInFromLoadBalancer.Description", "doesn't take"),
    ("E9552", "a dash of print", {"LoadBalancerSecurityGroup.SecurityGroupIngress.0.Description": "HTTPS – world"},
     "LoadBalancerSecurityGroup.SecurityGroupIngress.0.Description", "–"),
    ("E9552", "a long description", {"TaskSecurityGroupInFromLoadBalancer.Description": "a" * 256},
     "TaskSecurityGroupInFromLoadBalancer.Description", "256 characters"),
    ("E9552", "a group called like an id", {"TaskSecurityGroup.GroupName": "sg-tasks"}, "TaskSecurityGroup.GroupName", "sg-"),
    ("E9553", "a rule twice", {
        "Twin": "TaskSecurityGroupInFromLoadBalancer", "Twin.Description": "again",
        "Twin.GroupId": {"Ref": "TaskSecurityGroup"},
    }, "Twin", "the same rule as TaskSecurityGroupInFromLoadBalancer"),
    ("E9553", "a rule inside and outside", {"Twin": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": {"Ref": "LoadBalancerSecurityGroup"}, "IpProtocol": "6", "FromPort": 443, "ToPort": 443,
        "CidrIp": "0.0.0.0/0"}}}, "Twin", "the same rule as"),
    ("E9554", "an address without a prefix length", {"LoadBalancerSecurityGroup.SecurityGroupIngress.0.CidrIp": "203.0.113.7"},
     "LoadBalancerSecurityGroup.SecurityGroupIngress.0.CidrIp", "write 203.0.113.7/32"),
    ("E9555", "a network too wide", {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/8"}}},
     "Vpc.CidrBlock", "/16 to /28"),
    ("E9561", "a check from the internet", {
        "Discovery.HealthCheckCustomConfig": GONE, "Discovery.HealthCheckConfig": {"Type": "TCP"},
    }, "Discovery.HealthCheckConfig", "HealthCheckCustomConfig"),
    ("E9562", "records that don't go together", {"Discovery.DnsConfig.DnsRecords.1": {"Type": "SRV", "TTL": 10}},
     "Discovery.DnsConfig.DnsRecords", "A, SRV"),
    ("E9562", "a name with several answers", {"Discovery.DnsConfig.DnsRecords.0.Type": "CNAME"},
     "Discovery.DnsConfig.RoutingPolicy", "WEIGHTED"),
    # What watches
    ("E9563", "more than a day in minutes", {"CpuTooHighAlarm.EvaluationPeriods": 1441}, "CpuTooHighAlarm.EvaluationPeriods", "one day"),
    ("E9563", "more than a week in hours", {"CpuTooHighAlarm.Period": 3600, "CpuTooHighAlarm.EvaluationPeriods": 169},
     "CpuTooHighAlarm.EvaluationPeriods", "write 168 or less"),
    ("E9564", "more datapoints than periods", {"CpuTooHighAlarm.DatapointsToAlarm": 6}, "CpuTooHighAlarm.DatapointsToAlarm", "above"),
    ("E9564", "no statistic", {"CpuTooHighAlarm.Statistic": GONE}, "CpuTooHighAlarm.MetricName", "Statistic"),
    ("E9564", "no period", {"CpuTooHighAlarm.Period": GONE}, "CpuTooHighAlarm.MetricName", "Period"),
    ("E9564", "no threshold", {"CpuTooHighAlarm.Threshold": GONE}, "CpuTooHighAlarm.", "Threshold"),
    ("E9565", "a default for a dimension", {
        "ClusterViewFilter.MetricTransformations.0.Dimensions": [{"Key": "node", "Value": "$.node"}],
        "ClusterViewFilter.MetricTransformations.0.DefaultValue": 0,
    }, "ClusterViewFilter.MetricTransformations.0.DefaultValue", "Dimensions"),
    ("E9565", "a colon in a namespace", {"ClusterViewFilter.MetricTransformations.0.MetricNamespace": "sso:prod"},
     "ClusterViewFilter.MetricTransformations.0.MetricNamespace", "one of : * $"),
    ("E9566", "a comma too many", {"Dashboard": _dashboard('{"widgets": [],}')}, "Dashboard.DashboardBody", "no JSON"),
    ("E9566", "a comma too many around variables", {"Dashboard": _dashboard({"Fn::Sub": '{"a": "${AWS::Region}",}'})},
     "Dashboard.DashboardBody", "no JSON"),
    # Secrets and databases
    ("E9571", "no room for every type", {"DatabaseSecret.GenerateSecretString.PasswordLength": 3},
     "DatabaseSecret.GenerateSecretString.PasswordLength", "4 types"),
    ("E9571", "no length", {"DatabaseSecret.GenerateSecretString.PasswordLength": 0},
     "DatabaseSecret.GenerateSecretString.PasswordLength", "1 to 4096"),
    ("E9571", "a template without a key", {"DatabaseSecret.GenerateSecretString.GenerateStringKey": GONE},
     "DatabaseSecret.GenerateSecretString.SecretStringTemplate", "add GenerateStringKey"),
    ("E9571", "a key without a template", {"DatabaseSecret.GenerateSecretString.SecretStringTemplate": GONE},
     "DatabaseSecret.GenerateSecretString.GenerateStringKey", "add SecretStringTemplate"),
    ("E9571", "a template that is no JSON", {"DatabaseSecret.GenerateSecretString.SecretStringTemplate": "{username: x}"},
     "DatabaseSecret.GenerateSecretString.SecretStringTemplate", "no JSON structure"),
    ("E9571", "generated and given", {"DatabaseSecret.SecretString": "x"}, "DatabaseSecret.SecretString", "GenerateSecretString"),
    ("E9571", "nothing to choose from", {"DatabaseSecret.GenerateSecretString.ExcludeNumbers": True,
        "DatabaseSecret.GenerateSecretString.ExcludeLowercase": True,
        "DatabaseSecret.GenerateSecretString.ExcludeUppercase": True,
        "DatabaseSecret.GenerateSecretString.ExcludePunctuation": True},
     "DatabaseSecret.GenerateSecretString", "every character is excluded"),
    ("E9581", "a zone for two", {"Database.AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}},
     "Database.AvailabilityZone", "together with MultiAZ"),
    ("E9582", "a password given and managed", {"Database.MasterUserPassword": "{{resolve:secretsmanager:sso:SecretString:p}}"},
     "Database.MasterUserPassword", "ManageMasterUserPassword"),
    ("E9582", "no password", {"Database.ManageMasterUserPassword": GONE}, "Database.", "no master password"),
    ("E9582", "a secret for nothing", {
        "Database.ManageMasterUserPassword": False, "Database.MasterUserSecret": {"KmsKeyId": "alias/sso"},
        "Database.MasterUserPassword": "{{resolve:secretsmanager:sso:SecretString:p}}",
    }, "Database.MasterUserSecret", "no use"),
    ("E9583", "backup during maintenance", {"Database.PreferredBackupWindow": "04:30-05:30"}, "Database.PreferredBackupWindow", "overlaps"),
    ("E9583", "backup over midnight into maintenance", {
        "Database.PreferredBackupWindow": "23:00-00:30", "Database.PreferredMaintenanceWindow": "sun:00:00-sun:01:00",
    }, "Database.PreferredBackupWindow", "overlaps"),
    ("E9583", "maintenance over the end of the week", {
        "Database.PreferredBackupWindow": "00:30-01:30", "Database.PreferredMaintenanceWindow": "sun:23:30-mon:01:00",
    }, "Database.PreferredBackupWindow", "overlaps"),
    ("E9583", "a short window", {"Database.PreferredBackupWindow": "02:00-02:20"}, "Database.PreferredBackupWindow", "30 minutes"),
    ("E9583", "an hour of one digit", {"Database.PreferredBackupWindow": "2:00-3:00"}, "Database.PreferredBackupWindow", "hh:mm"),
    ("E9583", "a day in full", {"Database.PreferredMaintenanceWindow": "sunday:04:00-sunday:05:00"},
     "Database.PreferredMaintenanceWindow", "ddd:hh:mm"),
    ("E9584", "monitoring by nobody", {"Database.MonitoringInterval": 60}, "Database.MonitoringInterval", "MonitoringRoleArn"),
    ("E9584", "an odd interval", {
        "Database.MonitoringInterval": 20, "Database.MonitoringRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
    }, "Database.MonitoringInterval", "15, 30 or 60"),
    ("E9584", "a role with nothing to do", {"Database.MonitoringRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]}},
     "Database.MonitoringRoleArn", "no use"),
    ("E9585", "no room to grow", {"Database.MaxAllocatedStorage": 100}, "Database.MaxAllocatedStorage", "not above"),
    ("E9585", "a small disk", {"Database.StorageType": "gp3", "Database.AllocatedStorage": "5"}, "Database.AllocatedStorage", "starts at 20"),
    ("E9585", "throughput for a small disk", {"Database.StorageType": "gp3", "Database.StorageThroughput": 500},
     "Database.StorageThroughput", "from 400 GiB"),
    ("E9586", "a digit first", {"Database.DBName": "1sso"}, "Database.DBName", "a letter, then"),
    ("E9586", "a hyphen", {"Database.DBName": "key-cloak"}, "Database.DBName", "a letter, then"),
    ("E9586", "RDS's own user", {"Database.MasterUsername": "rdsadmin"}, "Database.MasterUsername", "reserved"),
    ("E9587", "another engine's log", {"Database.EnableCloudwatchLogsExports": ["postgresql", "slowquery"]},
     "Database.EnableCloudwatchLogsExports.1", "no log 'slowquery'"),
    # Limits
    ("E9591", "a priority twice", {"Firewall": _firewall(Priority=0)}, "Firewall.Rules.1.Priority", "a second rule"),
    ("E9591", "an action for a group", {"Firewall": _firewall(OverrideAction=None, Action={"Block": {}})},
     "Firewall.Rules.1.Action", "write OverrideAction"),
    ("E9591", "no action", {"Firewall": _firewall(OverrideAction=None)}, "Firewall.Rules.1", "without OverrideAction"),
    ("E9592", "a web ACL for CloudFront", {
        "Firewall": _firewall(), "Firewall.Scope": "CLOUDFRONT", "Association": {
            "Type": "AWS::WAFv2::WebACLAssociation", "Properties": {
                "ResourceArn": {"Ref": "LoadBalancer"}, "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]}}},
    }, "Firewall.Scope", "REGIONAL"),
    ("W9595", "a body too big", {
        f"Cluster{number}": {"Type": "AWS::ECS::Cluster", "Metadata": {"Note": "x" * 20_000}} for number in range(3)
    }, "", "51,200"),
    ("E9596", "51 tags", {"LoadBalancer.Tags": _TAGS}, "LoadBalancer.Tags", "51 tags"),
    ("E9597", "long policies", {"ExecutionRole.Policies": [_policy(6000), _policy(7000)]}, "ExecutionRole.Policies", "10,240"),
]

_PARAMETER = {"Ref": "AWS::NoValue"}

GOOD_CASES = [
    ("E9501", "placement on instances", {
        "Service.LaunchType": "EC2", "Service.PlacementStrategies": [{"Type": "spread", "Field": "host"}]}),
    ("E9502", "a name that only AWS knows", {"Service.LoadBalancers.0.ContainerName": {"Ref": "AWS::StackName"}}),
    ("E9502", "a port in quotes", {"Service.LoadBalancers.0.ContainerPort": "8080"}),
    ("E9502", "a range of ports", {f"{_CONTAINER}.PortMappings": [{"ContainerPortRange": "8000-9000"}]}),
    ("E9502", "a task definition of another template", {"Service.TaskDefinition": "sso:7", "Service.LoadBalancers.0.ContainerName": "x"}),
    ("E9503", "a registered container that is there", {
        "Service.ServiceRegistries.0.ContainerName": "keycloak", "Service.ServiceRegistries.0.ContainerPort": 8080}),
    ("E9504", "stop all, then start all", {
        "Service.DeploymentConfiguration.MinimumHealthyPercent": 0, "Service.DeploymentConfiguration.MaximumPercent": 100}),
    ("E9504", "one of two may stop", {
        "Service.DeploymentConfiguration.MinimumHealthyPercent": 50, "Service.DeploymentConfiguration.MaximumPercent": 100}),
    ("E9504", "the defaults", {"Service.DeploymentConfiguration": GONE}),
    ("E9504", "a deployment that isn't rolling", {
        "Service.DeploymentController": {"Type": "CODE_DEPLOY"}, "Service.DeploymentConfiguration.MaximumPercent": 100}),
    ("E9504", "a count that only AWS knows", {
        "Service.DesiredCount": {"Ref": "AWS::NoValue"}, "Service.DeploymentConfiguration.MaximumPercent": 149}),
    ("E9505", "rebalancing with room", {"Service.AvailabilityZoneRebalancing": "ENABLED"}),
    ("E9505", "no rebalancing", {
        "Service.AvailabilityZoneRebalancing": "DISABLED", "Service.DeploymentConfiguration.MaximumPercent": 100,
        "Service.DeploymentConfiguration.MinimumHealthyPercent": 0}),
    ("E9506", "instances on instances", {
        "TargetGroup.TargetType": "instance", "Service.LaunchType": "EC2", "TaskDefinition.NetworkMode": "bridge"}),
    ("E9507", "waiting for what waits for the rule", {
        "Service@DependsOn": "Late", "Late": {"Type": "AWS::ECS::Cluster", "DependsOn": ["ListenerRule"]}}),
    ("E9507", "a default action that forwards", {"Service@DependsOn": "Listener", "Listener.DefaultActions": [_FORWARD]}),
    ("E9507", "weighted forwarding", {"ListenerRule.Actions": [{"Type": "forward", "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": {"Ref": "TargetGroup"}, "Weight": 1}]}}]}),
    ("E9507", "a target group of another template", {
        "Service@DependsOn": GONE,
        "Service.LoadBalancers.0.TargetGroupArn": {"Fn::ImportValue": "sso-TargetGroup"}}),
    ("E9508", "providers with one base", {"Service.LaunchType": GONE, "Service.CapacityProviderStrategy": [
        {"CapacityProvider": "FARGATE", "Base": 1, "Weight": 1}, {"CapacityProvider": "FARGATE_SPOT", "Weight": 3}]}),
    ("E9509", "a range of one", {"ScalableTarget.MinCapacity": 4}),
    ("E9511", "two minutes", {f"{_CONTAINER}.StopTimeout": 120}),
    ("E9511", "ten minutes on instances", {
        "TaskDefinition.RequiresCompatibilities": ["EC2"], f"{_CONTAINER}.StopTimeout": 600}),
    ("E9512", "the limits", {f"{_CONTAINER}.HealthCheck": {
        "Command": ["CMD", "true"], "Interval": 300, "Timeout": 60, "Retries": 10, "StartPeriod": 0}}),
    ("E9513", "all that is allowed", {f"{_CONTAINER}.PortMappings.0.Name": "http_8080-a", "TaskDefinition.Family": "Sso_1-a"}),
    ("E9513", "a name that only AWS knows", {"TaskDefinition.Family": {"Fn::Sub": "${AWS::StackName}.x"}}),
    ("E9514", "a port for each protocol", {f"{_CONTAINER}.PortMappings.1": {"ContainerPort": 8080, "Protocol": "udp"}}),
    ("E9515", "names apart", {f"{_CONTAINER}.Environment": [_ENVIRONMENT], f"{_CONTAINER}.Secrets": [_SECRET]}),
    ("E9516", "nothing to fetch and no logs", {
        "TaskDefinition.ExecutionRoleArn": GONE, f"{_CONTAINER}.LogConfiguration": GONE}),
    ("E9516", "logs on instances", {
        "TaskDefinition.ExecutionRoleArn": GONE, "TaskDefinition.RequiresCompatibilities": ["EC2"]}),
    ("E9517", "waiting for one that ends", {
        "TaskDefinition.ContainerDefinitions.1": _SIDECAR,
        f"{_CONTAINER}.DependsOn": [{"ContainerName": "side", "Condition": "SUCCESS"}]}),
    ("E9518", "what Fargate has", {f"{_CONTAINER}.LinuxParameters": {
        "InitProcessEnabled": True, "Capabilities": {"Add": ["SYS_PTRACE"], "Drop": ["ALL"]}}, f"{_CONTAINER}.Privileged": False}),
    ("E9518", "links on instances", {
        "TaskDefinition.RequiresCompatibilities": ["EC2"], f"{_CONTAINER}.Links": ["side"]}),
    ("E9519", "all there is", {
        f"{_CONTAINER}.Memory": 2048, f"{_CONTAINER}.Cpu": 1024, "TaskDefinition.EphemeralStorage.SizeInGiB": 200}),
    ("E9519", "CPU in words", {"TaskDefinition.Cpu": "1 vCPU", f"{_CONTAINER}.Cpu": 2048}),
    ("E9531", "five values", {_PATHS: ["/a", "/b", "/c", "/d"]}),
    ("W9532", "three values", {_PATHS: ["/a", "/b", "/c"]}),
    ("E9533", "five wildcards", {_PATHS: ["/*/?/*", "/a/*/*"]}),
    ("E9533", "signs in an expression are none", {"ListenerRule.Conditions.1": {
        "Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a?b?c?d?e?f?.*$"]}}}),
    ("E9534", "all that is allowed in a path", {_PATHS: ["""/aZ0_-.$/~"'@:+&*?"""]}),
    ("E9534", "an expression may have anything", {"ListenerRule.Conditions.1": {
        "Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/%2e .*$"]}}}),
    ("E9534", "a wildcard for the last part", {_HOSTS: ["sso.*", "*.example.com"]}),
    ("E9534", "networks of both kinds", {"ListenerRule.Conditions.1": {
        "Field": "source-ip", "SourceIpConfig": {"Values": ["203.0.113.0/24", "2001:db8::/32"]}}}),
    ("E9534", "a host that only AWS knows", {_HOSTS: [{"Fn::Sub": "${AWS::StackName}"}]}),
    ("E9535", "two header conditions", {
        "ListenerRule.Conditions.1": {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["a"]}},
        "ListenerRule.Conditions.2": {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-B", "Values": ["b"]}}}),
    ("E9535", "one value in the old place", {"ListenerRule.Conditions.1": {"Field": "path-pattern", "Values": ["/a"]}}),
    ("E9536", "a priority on another listener", {
        **_SECOND_BALANCER, "Twin": "ListenerRule", "Twin.ListenerArn": {"Ref": "AdminListener"}}),
    ("E9536", "only one is ever made", {"Twin": "ListenerRule", "Twin@Condition": "Never"}),
    ("W9537", "100 rules", _rules(100)),
    ("E9538", "signing in, then forwarding", {"ListenerRule.Actions": [
        {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {
            "UserPoolArn": "a", "UserPoolClientId": "c", "UserPoolDomain": "d"}}, {**_FORWARD, "Order": 2}]}),
    ("E9538", "redirecting to HTTPS", {"Listener.DefaultActions.0": {"Type": "redirect", "RedirectConfig": {
        "StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}}}),
    ("E9540", "two rules of one balancer", {"Twin": "ListenerRule", "Twin.Priority": 11}),
    ("E9541", "a second less", {"TargetGroup.HealthCheckTimeoutSeconds": 9}),
    ("E9541", "the defaults", {"TargetGroup.HealthCheckTimeoutSeconds": GONE, "TargetGroup.HealthCheckIntervalSeconds": GONE}),
    ("E9542", "the traffic's port and two codes", {
        "TargetGroup.HealthCheckPort": "traffic-port", "TargetGroup.Matcher.HttpCode": "200,300-399"}),
    ("E9543", "32 characters", {"TargetGroup.Name": "a" * 32, "LoadBalancer.Name": "A-" + "1" * 30}),
    ("E9543", "a name that only AWS knows", {"LoadBalancer.Name": {"Ref": "AWS::StackName"}}),
    ("E9545", "the limits", {"TargetGroup.TargetGroupAttributes": [
        {"Key": "slow_start.duration_seconds", "Value": "0"}, {"Key": "stickiness.lb_cookie.duration_seconds", "Value": 604800},
        {"Key": "target_group_health.dns_failover.minimum_healthy_targets.percentage", "Value": "off"}]}),
    ("E9545", "a value that only AWS knows", {"TargetGroup.TargetGroupAttributes.0.Value": {"Ref": "AWS::StackName"}}),
    ("E9547", "logs with a bucket", {
        "LoadBalancer.LoadBalancerAttributes.2": {"Key": "access_logs.s3.enabled", "Value": "true"},
        "LoadBalancer.LoadBalancerAttributes.3": {"Key": "access_logs.s3.bucket", "Value": "logs"}}),
    ("E9547", "logs that are off", {
        "LoadBalancer.LoadBalancerAttributes.2": {"Key": "access_logs.s3.enabled", "Value": "false"}}),
    ("E9551", "a type and a code are no ports", {"LoadBalancerSecurityGroup.SecurityGroupIngress.0": {
        "IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "CidrIp": "0.0.0.0/0"}}),
    ("E9552", "all that is allowed", {"TaskSecurityGroupInFromLoadBalancer.Description": "aZ0 ._-:/()#,@[]+=&;{}!$*"}),
    ("E9553", "another port", {
        "Twin": "TaskSecurityGroupInFromLoadBalancer", "Twin.FromPort": 9000, "Twin.ToPort": 9000}),
    ("E9553", "the other direction", {"Twin": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": {
        "GroupId": {"Ref": "LoadBalancerSecurityGroup"}, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "CidrIp": "0.0.0.0/0"}}}),
    ("E9553", "only one is ever made", {"Twin": "TaskSecurityGroupInFromLoadBalancer", "Twin@Condition": "Never"}),
    ("E9555", "the limits", {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Net": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/28"}}}),
    ("E9561", "a check of a public namespace", {
        "Namespace@Type": "AWS::ServiceDiscovery::PublicDnsNamespace",
        "Discovery.HealthCheckCustomConfig": GONE, "Discovery.HealthCheckConfig": {"Type": "TCP"}}),
    ("E9562", "both kinds of addresses", {"Discovery.DnsConfig.DnsRecords.1": {"Type": "AAAA", "TTL": 10}}),
    ("E9563", "a day", {"CpuTooHighAlarm.EvaluationPeriods": 1440}),
    ("E9563", "a week in hours", {"CpuTooHighAlarm.Period": 3600, "CpuTooHighAlarm.EvaluationPeriods": 168}),
    ("E9564", "as many datapoints as periods", {"CpuTooHighAlarm.DatapointsToAlarm": 5}),
    ("E9564", "metric math", {"CpuTooHighAlarm@Properties": {
        "ComparisonOperator": "GreaterThanUpperThreshold", "EvaluationPeriods": 3, "ThresholdMetricId": "band",
        "Metrics": [{"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m)"}]}}),
    ("E9565", "a default without dimensions", {"ClusterViewFilter.MetricTransformations.0.DefaultValue": 0}),
    ("E9566", "variables inside and outside of quotes", {"Dashboard": _dashboard(
        {"Fn::Sub": '{"a": "x ${AWS::Region}", "b": ${Count}}'})}),
    ("E9571", "the plain defaults", {"DatabaseSecret.GenerateSecretString": {}}),
    ("E9571", "short, of one type", {"DatabaseSecret.GenerateSecretString": {
        "PasswordLength": 1, "ExcludePunctuation": True, "ExcludeUppercase": True, "ExcludeNumbers": True}}),
    ("E9581", "one zone for one", {"Database.MultiAZ": False, "Database.AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}}),
    ("E9582", "a password from elsewhere", {
        "Database.ManageMasterUserPassword": GONE, "Database.MasterUserPassword": "{{resolve:secretsmanager:sso:SecretString:p}}"}),
    ("E9582", "the users of a snapshot", {
        "Database.ManageMasterUserPassword": GONE, "Database.DBSnapshotIdentifier": "rds:sso-2026-01-01"}),
    ("E9583", "one after the other", {
        "Database.PreferredBackupWindow": "03:00-04:00", "Database.PreferredMaintenanceWindow": "sun:04:00-sun:04:30"}),
    ("E9583", "over midnight, past each other", {
        "Database.PreferredBackupWindow": "23:30-00:30", "Database.PreferredMaintenanceWindow": "sun:00:30-sun:23:30"}),
    ("E9584", "an interval and a role", {
        "Database.MonitoringInterval": 60, "Database.MonitoringRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]}}),
    ("E9585", "room to grow on gp3", {
        "Database.StorageType": "gp3", "Database.AllocatedStorage": "400", "Database.MaxAllocatedStorage": 401,
        "Database.Iops": 12000, "Database.StorageThroughput": 500}),
    ("E9586", "names of another engine", {"Database.Engine": "oracle-ee", "Database.DBName": "1"}),
    ("E9587", "its own logs", {"Database.EnableCloudwatchLogsExports": ["postgresql", "upgrade"]}),
    ("E9591", "two groups in order", {"Firewall": _firewall()}),
    ("E9591", "a rule of one's own", {"Firewall": _firewall(
        OverrideAction=None, Action={"Block": {}}, Statement={"GeoMatchStatement": {"CountryCodes": ["AQ"]}})}),
    ("E9592", "a regional web ACL", {"Firewall": _firewall(), "Association": {
        "Type": "AWS::WAFv2::WebACLAssociation", "Properties": {
            "ResourceArn": {"Ref": "LoadBalancer"}, "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]}}}}),
    ("E9596", "50 tags", {"LoadBalancer.Tags": _TAGS[:50]}),
    ("E9596", "a service with another limit", {"Discovery.Tags": _TAGS}),
    ("E9597", "policies with room", {"ExecutionRole.Policies": [_policy(3000), _policy(4000)]}),
]
