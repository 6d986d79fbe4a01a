"""Rules about tasks and services: what they see in other forms, and what they leave alone."""

from __future__ import annotations

import textwrap

import pytest
from laying import laid, viewed

from generator.document import parse
from generator.linting import pack
from generator.linting.view import View

STOCK = """
TaskDefinition:
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        Image: quay.io/keycloak/keycloak:{tag}
        Command: [start]
"""


def found(rule: str, example: str, version: str = "") -> list:
    return list(pack.rule(rule).findings(viewed(laid(textwrap.dedent(example)), version)))


def container(lines: str, task: str = "") -> str:
    """A change of the Keycloak container, and of its task definition."""
    body = textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * 8)
    more = textwrap.indent(textwrap.dedent(task).strip("\n"), " " * 4)
    return f"TaskDefinition:\n  Properties:\n{more}\n    ContainerDefinitions:\n      - Name: keycloak\n{body}\n"


def java(name: str, value: str, memory: int = 2048, more: str = "") -> str:
    return container(f'Environment:\n  - {{Name: {name}, Value: "{value}"}}\n{more}', f'Memory: "{memory}"')


OLD = "Image: quay.io/keycloak/keycloak:23.0.7\nCommand: [start]"

ATTACHED = """
Attachment:
  Type: AWS::SecretsManager::SecretTargetAttachment
  Properties: {SecretId: !Ref DatabaseSecret, TargetId: !Ref Database, TargetType: AWS::RDS::DBInstance}
"""

READING = """
ExecutionRole:
  Properties:
    Policies:
      - PolicyName: start-tasks
        PolicyDocument: {Statement: [{Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: %s}]}
"""


def named_role(name: str, named: str, action: str = "secretsmanager:GetSecretValue") -> str:
    """An execution role with a name, and a policy that names a role."""
    return f"""
ExecutionRole: {{Properties: {{RoleName: {name}, Policies: ~}}}}
ByName:
  Type: AWS::IAM::Policy
  Properties:
    PolicyName: by-name
    Roles: [{named}]
    PolicyDocument: {{Statement: [{{Effect: Allow, Action: "{action}", Resource: "*"}}]}}
"""


SEEN = {
    "a policy for a role of another name": ("E9073", named_role("sso-exec", "shop-exec")),
    "a policy by name for a role without one": ("E9073", named_role("~", "sso-exec")),
    "another attached secret": (
        "E9073", ATTACHED + READING % "[!Ref Attachment]"),
    "a heap in bytes": ("E9065", java("JAVA_OPTS_APPEND", "-Xmx4294967296")),
    "MaxHeapSize": ("E9065", java("JAVA_OPTS_KC_HEAP", "-XX:MaxHeapSize=3g")),
    "JAVA_OPTS holds the heap": ("E9065", java("JAVA_OPTS", "-Xms1g -Xmx4g -Dx=y")),
    "the size wins over the percentage": ("E9065", java("JAVA_OPTS_APPEND", "-Xmx4g -XX:MaxRAMPercentage=50")),
    "the container's own limit counts": (
        "E9065", container('Memory: 1024\nEnvironment:\n  - {Name: JAVA_OPTS_KC_HEAP, Value: "-Xmx1g"}')),
    "a percentage that is too large": ("W9065", java("JAVA_OPTS_KC_HEAP", "-XX:MaxRAMPercentage=95")),
    "22 and 23 have a heap of 512 MiB": ("W9065", container(OLD, 'Memory: "512"\nCpu: "256"').replace("512", "768")),
    "memory in GB": ("I9065", container("", 'Memory: 1GB')),
    "a sidecar's part is taken off": (
        "I9065", container("", 'Memory: "2048"') + "      - {Name: proxy, Image: haproxy, Memory: 512}\n"),
    "no DesiredCount is one task": ("W9066", "Service: {Properties: {DesiredCount: ~}}"),
    "a parameter's default counts": ("W9066", "Service: {Properties: {DesiredCount: !Select [0, ['1', '2']]}}"),
    "a single literal subnet": (
        "W9067", "Service: {Properties: {NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [subnet-0abc]}}}}"),
    "one zone by name": (
        "W9067", "PrivateSubnetA: {Properties: {AvailabilityZone: eu-central-1a}}\n"
                 "PrivateSubnetB: {Properties: {AvailabilityZone: eu-central-1a}}"),
    "percents for a larger service": (
        "W9068", "Service: {Properties: {DesiredCount: 4, DeploymentConfiguration: {MaximumPercent: 150}}}"),
    "half of four at once": (
        "W9068", "Service: {Properties: {DesiredCount: 4, DeploymentConfiguration: "
                 "{MinimumHealthyPercent: 50, MaximumPercent: 100}}}"),
    "slow checks and no grace period": (
        "W9070", "Service: {Properties: {HealthCheckGracePeriodSeconds: 30}}"),
    "the breaker written and off": (
        "W9071", "Service: {Properties: {DeploymentConfiguration: {DeploymentCircuitBreaker: {Enable: false}}}}"),
    "a literal secret of elsewhere": ("E9073", textwrap.dedent("""
        ReadOne:
          Type: AWS::IAM::Policy
          Properties:
            Roles: [!Ref ExecutionRole]
            PolicyDocument:
              Statement:
                - Effect: Allow
                  Action: secretsmanager:GetSecretValue
                  Resource: arn:aws:secretsmanager:eu-central-1:123456789012:secret:sso-*
        ExecutionRole: {Properties: {Policies: []}}
        """) + container("""
        Secrets:
          - {Name: KC_DB_PASSWORD, ValueFrom: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:other-AbCdEf"}
          - {Name: KC_DB_USERNAME, ValueFrom: ~}
          - {Name: KC_BOOTSTRAP_ADMIN_PASSWORD, ValueFrom: ~}
        """)),
    "a parameter of the parameter store": ("E9073", container("""
        Secrets:
          - {Name: KC_DB_PASSWORD, ValueFrom: "arn:aws:ssm:eu-central-1:123456789012:parameter/keycloak/password"}
        """)),
    "a stage without the last colon": ("E9161", container("""
        Secrets:
          - {Name: KC_DB_PASSWORD, ValueFrom: !Join ["", [!Ref DatabaseSecret, ":password:AWSCURRENT"]]}
        """)),
    "a literal with one colon": ("E9161", container("""
        Secrets:
          - Name: KC_DB_PASSWORD
            ValueFrom: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf:password"
        """)),
    "the host isn't in a master secret": ("E9162", container("""
        Secrets:
          - {Name: KC_DB_URL_HOST, ValueFrom: !Sub "${Database.MasterUserSecret.SecretArn}:host::"}
        """)),
    "a key of a plain secret": ("E9162", "AdminSecret: {Properties: {GenerateSecretString: "
                                         "{SecretStringTemplate: ~, GenerateStringKey: ~}}}"),
    "an image without a tag": ("W9076", container("Image: quay.io/keycloak/keycloak")),
    "an image of one's own called latest": (
        "W9076", container("Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:latest")),
    "a subnet without a route table": (
        "E9078", "PrivateSubnetARoutes: ~\nPrivateSubnetBRoutes: ~"),
    "endpoints without the secrets": ("E9078", """
        PrivateRoute: ~
        EcrApi: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.ecr.api"}}
        EcrDkr: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-central-1.ecr.dkr}}
        S3: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-central-1.s3}}
        Logs: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-central-1.logs}}
        """),
    "a log group found by its name": (
        "I9079", container("LogConfiguration: {Options: {awslogs-group: /sso}}")
        + "LogGroup: {Properties: {LogGroupName: /sso, RetentionInDays: ~}}"),
    "a loop around kc.sh": ("W9082", container("""
        EntryPoint: [/bin/bash, -c, "while true; do /opt/keycloak/bin/kc.sh start --optimized; done"]
        Command: !Ref AWS::NoValue
        """)),
    "a pipe behind the server that was built before": ("W9082", container("""
        EntryPoint: [bash, -c]
        Command: ["kc.sh build && kc.sh start --optimized | tee /tmp/log"]
        """)),
    "a heap of Java's own variable": ("E9065", java("JAVA_TOOL_OPTIONS", "-Xmx3g")),
    "a heap of the launcher's variable": ("E9065", java("JDK_JAVA_OPTIONS", "-Xmx3g")),
    "a heap behind all": (
        "E9065", java("_JAVA_OPTIONS", "-Xmx3g", more="  - {Name: JAVA_OPTS_APPEND, Value: -Xmx1g}\n")),
    "wget in the form CMD": ("E9083", container("""
        Image: quay.io/keycloak/keycloak:26.7.4
        HealthCheck: {Command: [CMD, wget, -q, "http://localhost:9000/health/live"]}
        """)),
    "bash at the main port": ("E9165", container("""
        HealthCheck: {Command: [CMD-SHELL, "exec 3<>/dev/tcp/127.0.0.1/8080; echo GET /health/live >&3; grep UP <&3"]}
        """)),
    "/health alone is readiness too": ("W9165", container(
        'HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:9000/health || exit 1"]}')),
    "a role that is its own": ("W9164", "TaskRole: {Properties: {ManagedPolicyArns: "
                                        "[!Sub 'arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess']}}"),
}

LEFT_ALONE = {
    "numbers that nobody writes": ("E9065", java("JAVA_OPTS_APPEND", "-Xmx" + "9" * 5000)),
    "a heap that isn't known": ("E9065", java("JAVA_OPTS_APPEND", "-Xmx4g").replace('"-Xmx4g"', "!Ref Heap")),
    "an environment file may say more": (
        "E9065", container('EnvironmentFiles: [{Type: s3, Value: "arn:aws:s3:::a/b.env"}]\n'
                           'Environment:\n  - {Name: JAVA_OPTS_APPEND, Value: "-Xmx4g"}')),
    "JAVA_OPTS without a heap": ("W9065", java("JAVA_OPTS", "-Dx=y", 512)),
    "a word that only looks like -Xmx": ("E9065", java("JAVA_OPTS_APPEND", "-Dhint=-Xmx9g")),
    "the default of an image of one's own": ("W9065", container("", 'Memory: "512"')),
    "on 23 a percentage loses against the default": (
        "E9065", container('Image: quay.io/keycloak/keycloak:23.0.7\nCommand: [start]\n'
                           'Environment:\n  - {Name: JAVA_OPTS_APPEND, Value: "-XX:MaxRAMPercentage=99"}')),
    "a heap that kc.sh is told otherwise": (
        "E9065", java("JAVA_TOOL_OPTIONS", "-Xmx3g", more="  - {Name: JAVA_OPTS_APPEND, Value: -Xmx1g}\n")),
    "a percentage that kc.sh's own comes behind": ("W9065", container(
        'Image: quay.io/keycloak/keycloak:26.7.4\nCommand: [start]\n'
        'Environment:\n  - {Name: JAVA_TOOL_OPTIONS, Value: "-XX:MaxRAMPercentage=95"}')),
    "on 23 kc.sh's own size comes behind": ("E9065", container(
        'Image: quay.io/keycloak/keycloak:23.0.7\nCommand: [start]\n'
        'Environment:\n  - {Name: JAVA_TOOL_OPTIONS, Value: "-Xmx4g"}')),
    "memory that isn't known": ("I9065", container("", "Memory: !Ref Memory")),
    "two tasks by a parameter without a value": ("W9066", "Service: {Properties: {DesiredCount: !Ref Count}}"),
    "a stopped service": ("W9066", "Service: {Properties: {DesiredCount: 0}}"),
    "a node of its own by choice": (
        "W9066",
        container("Environment:\n  - {Name: KC_CACHE, Value: local}") + "Service: {Properties: {DesiredCount: 1}}"),
    "the same by the command": (
        "W9066",
        container("Command: [start, --optimized, --cache=local]") + "Service: {Properties: {DesiredCount: 1}}"),
    "start-dev": ("W9066", container("Command: [start-dev]") + "Service: {Properties: {DesiredCount: 1}}"),
    "subnets of another stack": (
        "W9067", "Service: {Properties: {NetworkConfiguration: {AwsvpcConfiguration: {Subnets: !Ref Subnets}}}}"),
    "a list that one parameter holds": (
        "W9067", "Service: {Properties: {NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [!Ref Subnets]}}}}"),
    "zones that AWS chooses": (
        "W9067", "PrivateSubnetA: {Properties: {AvailabilityZone: ~}}\n"
                 "PrivateSubnetB: {Properties: {AvailabilityZone: ~}}"),
    "one task needs no second zone": (
        "W9067", "Service: {Properties: {DesiredCount: 1, NetworkConfiguration: "
                 "{AwsvpcConfiguration: {Subnets: [!Ref PrivateSubnetA]}}}}"),
    "one task, twice as many while deploying": (
        "W9068", "Service: {Properties: {DesiredCount: 1, DeploymentConfiguration: {MaximumPercent: 200}}}"),
    "one of two stops first": (
        "W9068", "Service: {Properties: {DeploymentConfiguration: {MinimumHealthyPercent: 50, MaximumPercent: 100}}}"),
    "percents that aren't known": (
        "W9068", "Service: {Properties: {DeploymentConfiguration: {MaximumPercent: !Ref Percent}}}"),
    "a deployment of another kind": (
        "W9068", "Service: {Properties: {DeploymentController: {Type: EXTERNAL}, "
                 "DeploymentConfiguration: {MaximumPercent: 200}}}"),
    "a breaker for another controller": (
        "W9071", "Service: {Properties: {DeploymentController: {Type: CODE_DEPLOY}, DeploymentConfiguration: ~}}"),
    "a breaker that isn't known": (
        "W9071", "Service: {Properties: {DeploymentConfiguration: "
                 "{DeploymentCircuitBreaker: {Enable: !Ref Breaker}}}}"),
    "a service without a target group": (
        "W9070", "Service: {Properties: {LoadBalancers: ~, HealthCheckGracePeriodSeconds: ~}}"),
    "a grace period that isn't known": ("W9070", "Service: {Properties: {HealthCheckGracePeriodSeconds: !Ref Grace}}"),
    "an optimized start needs less": (
        "E9070", "Service: {Properties: {HealthCheckGracePeriodSeconds: 0}}"),
    "patient checks": (
        "E9070", STOCK.format(tag="26.7.4") + "Service: {Properties: {HealthCheckGracePeriodSeconds: 0}}\n"
                 "TargetGroup: {Properties: {HealthCheckIntervalSeconds: 30, UnhealthyThresholdCount: 5}}"),
    "a role of another stack": ("E9073", "TaskDefinition: {Properties: {ExecutionRoleArn: !ImportValue role}}\n"
                                         "ExecutionRole: {Properties: {Policies: []}}"),
    "a managed policy that may allow it": (
        "E9073", "ExecutionRole: {Properties: {Policies: [], ManagedPolicyArns: "
                 "['arn:aws:iam::123456789012:policy/read-secrets']}}"),
    "every secret of a name": ("E9073", """
        ExecutionRole:
          Properties:
            Policies:
              - PolicyName: start-tasks
                PolicyDocument:
                  Statement:
                    - Effect: Allow
                      Action: secretsmanager:GetSecretValue
                      Resource: arn:aws:secretsmanager:eu-central-1:123456789012:secret:sso-??????
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_BOOTSTRAP_ADMIN_PASSWORD, ValueFrom: ~}
                  - {Name: KC_DB_USERNAME, ValueFrom: ~}
                  - Name: KC_DB_PASSWORD
                    ValueFrom: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sso-AbCdEf:password::"
        """),
    "a policy on the secret": ("E9073", """
        ExecutionRole: {Properties: {Policies: []}}
        OnAdmin: {Type: AWS::SecretsManager::ResourcePolicy, Properties: {SecretId: !Ref AdminSecret}}
        OnDatabase: {Type: AWS::SecretsManager::ResourcePolicy, Properties: {SecretId: !Ref DatabaseSecret}}
        """),
    "a policy that names the role as its RoleName does": ("E9073", named_role("sso-exec", "sso-exec")),
    "role names that are built alike": (
        "E9073", named_role('!Sub "${AWS::StackName}-exec"', '!Sub "${AWS::StackName}-exec"')),
    "a policy whose role isn't known": ("E9073", named_role("sso-exec", "!ImportValue role")),
    "a role name that isn't known": ("E9073", named_role("!ImportValue role", "sso-exec")),
    "a policy by name lets the log be written": ("E9079", named_role("sso-exec", "sso-exec", "logs:*")),
    "a secret by what attaches it": ("E9073", container("""
        Secrets:
          - {Name: KC_DB_USERNAME, ValueFrom: !Sub "${Attachment}:username::"}
          - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${Attachment}:password::"}
        """) + ATTACHED),
    "a policy on what attaches the secret": (
        "E9073", ATTACHED + READING % "[!Ref AdminSecret, !Ref Attachment]"),
    "a secret whose name isn't known": (
        "E9073", container("Secrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: !Ref Secret}")),
    "the whole of a secret elsewhere": ("E9161", container("""
        Secrets:
          - {Name: KC_DB_PASSWORD, ValueFrom: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf"}
        """)),
    "stage and version": ("E9161", container("""
        Secrets:
          - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password:AWSCURRENT:"}
        """)),
    "a parameter by its name": ("E9161", container("Secrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: /sso/password}")),
    "the host of an attached secret": ("E9162", container("""
        Secrets:
          - {Name: KC_DB_URL_HOST, ValueFrom: !Sub "${DatabaseSecret}:host::"}
        """) + "Attachment: {Type: AWS::SecretsManager::SecretTargetAttachment, Properties: "
               "{SecretId: !Ref DatabaseSecret, TargetId: !Ref Database, TargetType: AWS::RDS::DBInstance}}"),
    "a secret that somebody writes later": ("E9162", "DatabaseSecret: {Properties: {GenerateSecretString: ~}}"),
    "a whole document for something else": (
        "E9162", container("Secrets:\n  - {Name: APP_SETTINGS, ValueFrom: !Ref DatabaseSecret}")),
    "a key whose policy names the role": ("E9163", """
        SecretsKey:
          Type: AWS::KMS::Key
          Properties:
            KeyPolicy:
              Statement:
                - {Effect: Allow, Principal: {AWS: !GetAtt ExecutionRole.Arn}, Action: "kms:Decrypt", Resource: "*"}
        DatabaseSecret: {Properties: {KmsKeyId: !Ref SecretsKey}}
        """),
    "a key of another stack": (
        "E9163", "DatabaseSecret: {Properties: {KmsKeyId: arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d}}"),
    "two roles that aren't known": (
        "W9074", "TaskDefinition: {Properties: {TaskRoleArn: !ImportValue a, ExecutionRoleArn: !ImportValue b}}"),
    "latest with a digest": (
        "W9076", container(f"Image: quay.io/keycloak/keycloak:latest@sha256:{'0' * 64}")),
    "a tag of one's own": ("W9076", container("Image: ghcr.io/example/keycloak:blue")),
    "a short tag of one's own image": ("W9076", container("Image: ghcr.io/example/keycloak:26.4")),
    "a tag that isn't known": ("W9076", container('Image: !Sub "quay.io/keycloak/keycloak:${Tag}"')),
    "the platform of instances": (
        "W9077", "Service: {Properties: {LaunchType: EC2, PlatformVersion: 1.3.0}}"),
    "a transit gateway": ("E9078", "PrivateRoute: {Properties: {NatGatewayId: ~, TransitGatewayId: tgw-0abc}}"),
    "a network of another stack": ("E9078", """
        PrivateRoute: ~
        PrivateSubnetA: {Properties: {VpcId: vpc-0abc}}
        PrivateSubnetB: {Properties: {VpcId: vpc-0abc}}
        """),
    "a public address in a public subnet": ("E9078", """
        Service:
          Properties:
            NetworkConfiguration:
              AwsvpcConfiguration: {AssignPublicIp: ENABLED, Subnets: [!Ref PublicSubnetA, !Ref PublicSubnetB]}
        """),
    "endpoints for everything": ("E9078", """
        PrivateRoute: ~
        EcrApi: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.ecr.api"}}
        EcrDkr: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: cn.com.amazonaws.cn-north-1.ecr.dkr}}
        S3: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-central-1.s3}}
        Logs: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-central-1.logs}}
        Secrets: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: com.amazonaws.eu-central-1.secretsmanager}}
        """),
    "an endpoint that isn't known": (
        "E9078", "PrivateRoute: ~\nOther: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Ref Endpoint}}"),
    "AWS's own policy writes the log": (
        "E9079", "ExecutionRole: {Properties: {Policies: [], ManagedPolicyArns: "
                 "['arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy']}}"),
    "a log that isn't CloudWatch's": (
        "E9079", container("LogConfiguration: {LogDriver: splunk}") + "ExecutionRole: {Properties: {Policies: []}}"),
    "a log group of another stack": (
        "I9079", container("LogConfiguration: {Options: {awslogs-group: /sso}}")
        + "LogGroup: {Properties: {RetentionInDays: ~}}"),
    "no room to move": ("I9081", "Service: {Properties: {AvailabilityZoneRebalancing: ~, "
                                 "DeploymentConfiguration: {MinimumHealthyPercent: 0, MaximumPercent: 100}}}"),
    "the last command of a script": ("W9082", container("""
        EntryPoint: [sh, -c]
        Command: ["export A=b; /opt/keycloak/bin/kc.sh start --optimized"]
        """)),
    "exec behind a pipe's end": ("W9082", container("""
        EntryPoint: [bash, -c]
        Command: ["echo start | tee /tmp/log; exec /opt/keycloak/bin/kc.sh start --optimized 2>&1"]
        """)),
    "exec behind the build": ("W9082", container("""
        EntryPoint: [sh, -c]
        Command: ["cp /mnt/*.jar /x/ && kc.sh build && exec kc.sh start --optimized"]
        """)),
    "the last command behind the build": ("W9082", container("""
        EntryPoint: [bash, -c]
        Command: ["kc.sh build && kc.sh start --optimized"]
        """)),
    "a trap that may pass the signal on": ("W9082", container("""
        EntryPoint: [bash, -c]
        Command: ["trap 'kill $P' TERM; kc.sh start --optimized & P=$!; wait $P"]
        """)),
    "a quoted pipe": ("W9082", container("""
        EntryPoint: [bash, -c]
        Command: ["/opt/keycloak/bin/kc.sh start --optimized --log-console-format '%d | %m'"]
        """)),
    "curl in an image of one's own": ("E9083", container(
        'HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:9000/health/live"]}')),
    "curl on 20": ("E9083", container("""
        Image: quay.io/keycloak/keycloak:20.0.5
        HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:8080/health/live"]}
        """)),
    "a check that can't fail": ("E9083", container("""
        Image: quay.io/keycloak/keycloak:26.7.4
        HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:9000/health/live || exit 0"]}
        """)),
    "health on the main port by choice": ("E9165", container("""
        Environment:
          - {Name: KC_HTTP_MANAGEMENT_HEALTH_ENABLED, Value: "false"}
        HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:8080/health/live"]}
        """)),
    "another page of the main port": ("E9165", container(
        'HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:8080/realms/master"]}')),
    "a port of a version that isn't known": ("E9165", container("""
        Image: ghcr.io/example/keycloak:blue
        HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:8080/health/live"]}
        """)),
    "a path that only begins like it": ("W9165", container(
        'HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:9000/healthz"]}')),
    "an optimized start on a read-only root": ("E9015", container("ReadonlyRootFilesystem: true")),
    "a volume over what is written": ("E9015", container("""
        Image: quay.io/keycloak/keycloak:26.7.4
        Command: [start]
        ReadonlyRootFilesystem: true
        MountPoints: [{SourceVolume: built, ContainerPath: /opt/keycloak/lib/quarkus}]
        """)),
    "a read-only root with volumes": ("W9191", container("""
        ReadonlyRootFilesystem: true
        MountPoints:
          - {SourceVolume: tmp, ContainerPath: /tmp}
          - {SourceVolume: data, ContainerPath: /opt/keycloak/data/tmp}
        """)),
    "a read-only root with unknown volumes": ("W9191", container("""
        ReadonlyRootFilesystem: true
        MountPoints: [{SourceVolume: tmp, ContainerPath: !Ref Unknown}]
        """)),
    "a read-only root with another's volumes": ("W9191", container("""
        ReadonlyRootFilesystem: true
        VolumesFrom: [{SourceContainer: files}]
        """)),
    "spot without weight": ("W9167", "Service: {Properties: {LaunchType: ~, CapacityProviderStrategy: "
                                     "[{CapacityProvider: FARGATE, Weight: 1}, "
                                     "{CapacityProvider: FARGATE_SPOT, Weight: 0}]}}"),
    "a task role that isn't known": (
        "W9168", "Service: {Properties: {EnableExecuteCommand: true}}\n"
                 "TaskDefinition: {Properties: {TaskRoleArn: !ImportValue role}}"),
}


@pytest.mark.parametrize(("rule", "example"), SEEN.values(), ids=SEEN)
def test_a_rule_sees_the_fault_in_this_form_too(rule, example):
    """The same fault, written in another way than on the rule's page, is found."""
    assert found(rule, example)


@pytest.mark.parametrize(
    ("name", "value", "hits"),
    [
        ("DB_SECRET", "prod/keycloak/database", 0),
        ("APP_SECRET", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:kc-AbCdEf", 0),
        ("KC_DB_PASSWORD", "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:kc-AbCdEf", 0),
        ("APP_SECRET", "correct-horse-battery", 1),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 1),
        ("KC_DB_PASSWORD", "prod/keycloak/database", 1),
        ("APP_PASSWORD", "prod/keycloak/database", 1),
        ("APP_PASSWORD", "sso-database", 0),
        ("KC_DB_PASSWORD", "sso-database", 1),
    ],
)
def test_a_name_of_a_secret_is_none(name, value, hits):
    """What a program looks a secret up by may be read by anybody; Keycloak takes a password as it stands."""
    secret = "Other: {Type: AWS::SecretsManager::Secret, Properties: {Name: sso-database}}\n"
    example = container(f'Environment:\n  - {{Name: {name}, Value: "{value}"}}\n') + secret
    assert len(found("E9072", example)) == hits


@pytest.mark.parametrize(("rule", "example"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_a_rule_leaves_alone_what_is_right_or_unknown(rule, example):
    """What isn't a fault, or can't be told from the template, gives no finding."""
    assert found(rule, example) == []


def test_the_percents_to_write_are_the_ones_for_the_number_of_tasks():
    """The fix of W9068 can be written as it stands: with it the finding is gone."""
    bad = "Service: {Properties: {DesiredCount: 7, DeploymentConfiguration: {MaximumPercent: 200}}}"
    (finding,) = found("W9068", bad)
    assert "MinimumHealthyPercent: 100, MaximumPercent: 115" in finding.fix
    assert not found("W9068", bad.replace("200", "115"))
    assert found("W9068", bad.replace("200", "129"))


def test_scaling_counts_from_the_least_number_of_tasks():
    """Percents that fit the least number are right, although there is room for more when the service has grown."""
    scaled = """
        Service: {Properties: {DesiredCount: ~}}
        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 2
            MaxCapacity: 8
        """
    assert not found("W9068", scaled)
    assert not found("W9066", scaled)


def test_a_tag_against_the_version_that_is_given():
    """Somebody who says 26.7.4 and deploys 24.0.5 learns that one of the two is wrong; patch levels may differ."""
    assert found("W9076", STOCK.format(tag="24.0.5"), "26.7.4")
    assert not found("W9076", STOCK.format(tag="26.7.1"), "26.7.4")


def test_one_finding_for_one_secret():
    """Three variables of two unreadable secrets are two things to do."""
    assert len(found("E9073", "ExecutionRole: {Properties: {Policies: []}}")) == 2


def test_no_secret_value_is_ever_said():
    """A password that stands where an address belongs isn't printed."""
    example = container("Secrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: correct-horse-battery}")
    findings = pack.run(viewed(laid(example)))
    assert "correct-horse" not in repr(findings)


def test_other_peoples_services_are_none_of_its_business():
    """A template without Keycloak, whatever else is wrong with it, gives no finding of these rules."""
    text = """
        Resources:
          Task:
            Type: AWS::ECS::TaskDefinition
            Properties:
              Memory: "512"
              ContainerDefinitions:
                - Name: shop
                  Image: example/shop
                  ReadonlyRootFilesystem: true
                  HealthCheck: {Command: [CMD-SHELL, "curl -f http://localhost:8080/health/ready"]}
                  Secrets: [{Name: DB_PASSWORD, ValueFrom: !Sub "${Secret}:password"}]
          Service:
            Type: AWS::ECS::Service
            Properties: {TaskDefinition: !Ref Task, DesiredCount: 1, EnableExecuteCommand: true, PlatformVersion: 1.3.0}
          Secret: {Type: AWS::SecretsManager::Secret}
          Database:
            Type: AWS::RDS::DBInstance
            Properties: {Engine: postgres, PubliclyAccessible: true, BackupRetentionPeriod: 0}
        """
    findings = pack.run(View(parse(textwrap.dedent(text)), region="eu-central-1"))
    assert [one for one in findings if one.rule[1:3] != "95"] == []
