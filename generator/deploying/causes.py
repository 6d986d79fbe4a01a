"""What AWS and Keycloak say when something fails: what it means, and what to do about it.

Each entry names where its wording is from: a document of AWS' (CloudFormation, ECS, RDS: their user guides),
an issue or pull request of a public project (owner/name#number), or a measurement of a Keycloak version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TASK, LOG, TARGET, EXIT, STACK = "task", "log", "target", "exit", "AWS::CloudFormation::Stack"
"""What a text is of, where it isn't of a resource's type: the reason why a task or one of its containers
stopped, a line of a log, a reason code of a target's health, an exit code."""


_RESOURCES = ("AWS::", "Custom::")


@dataclass(frozen=True)
class Advice:
    """What a known message means."""

    say: str
    """In plain words, without a full stop; empty where the message says it."""
    do: str
    """As an instruction."""
    source: str
    general: bool = False
    """Whether it says no more than where to look on: anything more precise takes its place."""


@dataclass(frozen=True)
class Known:
    """A message that is known."""

    pattern: str
    """A regular expression; its named groups may stand in `say` and `do` as `{name}`."""
    say: str
    do: str
    source: str
    of: tuple[str, ...] = ()
    """Beginnings of the types of resources that say it, or TASK, LOG…; any resource may where it is empty."""
    general: bool = False


def known(text: str, of: str) -> tuple[Advice, ...]:
    """What is known of a message of the resource type `of` (or TASK, LOG, TARGET, EXIT); the most precise
    first."""
    found = []
    for one, pattern in _COMPILED:
        if not of.startswith(one.of or _RESOURCES):
            continue
        match = pattern.search(text)
        if match:
            groups = {name: value or "?" for name, value in match.groupdict().items()}
            found.append(Advice(one.say.format(**groups), one.do.format(**groups), one.source, one.general))
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.general))


# The first place for what says more: an entry further up is told before one further down.
KNOWN = (
    # --- Why containers never start ---
    Known(
        r"CannotPullContainerError.*(?:not found|manifest unknown|NotFound)|image .* (?:not found|does not "
        r"exist)",
        "the image isn't in its registry under that tag or digest",
        "push the image that the task definition names (the runbook says how), or name one that is there",
        "ECS developer guide, CannotPullContainer task errors",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"CannotPullContainerError.*(?:i/o timeout|timed? ?out|request canceled while waiting|dial tcp|"
        r"deadline)",
        "the task can't reach the image's registry: there is no way out of its subnet",
        "give the private subnets a NAT gateway, or endpoints for ecr.api, ecr.dkr and S3, and let the "
        "tasks' security group out on TCP 443",
        "ECS developer guide, CannotPullContainer task errors",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"CannotPullContainerError.*(?:403|AccessDenied|not authorized|no basic auth|denied)",
        "the execution role may not pull the image",
        "let the task's execution role call ecr:GetAuthorizationToken, ecr:BatchGetImage and "
        "ecr:GetDownloadUrlForLayer; for another account's registry its repository policy has to allow it, "
        "too",
        "ECS developer guide, CannotPullContainer task errors",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"CannotPullContainerError.*(?:toomanyrequests|rate limit)",
        "the registry refuses more anonymous pulls for now",
        "copy the image to ECR, or use a pull-through cache, and name that",
        "ECS developer guide, CannotPullContainer task errors",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"CannotPullContainerError.*(?:platform|no match for|does not match|image index)",
        "the image isn't built for the tasks' CPU architecture",
        "build it for the RuntimePlatform of the task definition (linux/amd64 or linux/arm64), or for both",
        "ECS developer guide, CannotPullContainer task errors",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"exec format error",
        "the image is built for another CPU architecture than the tasks have",
        "build it for the RuntimePlatform of the task definition (linux/amd64 or linux/arm64)",
        "ECS developer guide, ECS exec format error",
        (TASK, LOG),
    ),
    Known(
        r"ResourceInitializationError.*(?:secret|asm|ssm).*(?:AccessDenied|not authorized)",
        "the execution role may not read a secret that a container is given",
        "let the task's execution role call secretsmanager:GetSecretValue (ssm:GetParameters) for that "
        "secret, and kms:Decrypt for its key",
        "ECS developer guide, ResourceInitializationError",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"ResourceInitializationError.*(?:ResourceNotFoundException|can't find the specified secret|"
        r"ParameterNotFound|invalid ssm parameters)",
        "a secret that a container is given isn't there, or has no value yet",
        "make the secret, or mend its ARN in the params; the account and the region have to be the "
        "environment's",
        "ECS developer guide, ResourceInitializationError",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"(?:retrieved secret from Secrets Manager did not contain json key|did not contain json key) "
        r"(?P<key>[\w.-]+)",
        "the secret is there, but has no key {key}",
        "write the key into the secret's JSON, or name the right one behind its ARN",
        "aws/amazon-ecs-agent, asmsecret resource",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"ResourceInitializationError.*(?:InvalidRequestException|marked for deletion|scheduled for "
        r"deletion)",
        "a secret that a container is given is being deleted",
        "restore it: aws secretsmanager restore-secret --secret-id ID",
        "Secrets Manager user guide, Restore a secret",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"ResourceInitializationError.*(?:RequestError|send request failed|i/o timeout|timed? ?out|deadline|"
        r"There is a connection issue|connection issue between the task and)",
        "the task can't reach Secrets Manager, ECR or CloudWatch Logs: there is no way out of its subnet",
        "give the private subnets a NAT gateway or endpoints (secretsmanager, ecr.api, ecr.dkr, logs, S3), "
        "and let the tasks' security group out on TCP 443",
        "ECS developer guide, ResourceInitializationError",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"ResourceInitializationError.*(?:log group|logger|CreateLogStream|validate logger args)",
        "the log group isn't there, or the task may not write to it",
        "make the log group that awslogs-group names, and let the execution role call logs:CreateLogStream "
        "and logs:PutLogEvents",
        "ECS developer guide, ResourceInitializationError",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"ResourceInitializationError.*(?:efs|EFS|mount)",
        "a file system can't be mounted",
        "open TCP 2049 from the tasks to the file system's mount targets, one in each zone",
        "ECS developer guide, ResourceInitializationError",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"insufficient free addresses|InsufficientFreeAddressesInSubnet|not enough free addresses|"
        r"There aren't sufficient free Ipv4 addresses",
        "a subnet has no free addresses left",
        "use larger subnets or more of them, or remove what takes the addresses; a balancer needs 8 in each "
        "subnet, a task one",
        "paradisec-archive/nabu#1259; ELB user guide, Subnets for your load balancer",
        (TASK, *_RESOURCES),
    ),
    Known(
        r"Timeout waiting for network interface provisioning",
        "Fargate couldn't attach a network interface in time",
        "deploy again; if it stays, look whether the VPC's quota of network interfaces is reached",
        "aws-solutions/distributed-load-testing-on-aws#82",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"Capacity is unavailable at this time",
        "Fargate has no room in these zones at the moment",
        "try again later, or give the service subnets in more zones",
        "sil-org/ecs-deploy#277",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"You've reached the limit on the number of (?:tasks|vCPUs)|vCPU limit",
        "the account's quota of Fargate vCPUs is reached",
        'ask for more: Service Quotas, AWS Fargate, "Fargate On-Demand vCPU resource count"',
        "ECS developer guide, Service event messages",
        (TASK, "AWS::ECS::"),
    ),
    # --- Why containers stop ---
    Known(
        r"OutOfMemoryError: Container killed due to memory usage|OutOfMemory",
        "the container took more memory than the task has",
        "raise service.memory, or lower keycloak.heap_percent",
        "ECS developer guide, Stopped task error codes; Keycloak server guide, Running Keycloak in a "
        "container",
        (TASK,),
    ),
    Known(
        r"java\.lang\.OutOfMemoryError|Cannot allocate memory|insufficient memory for the Java Runtime",
        "Java has too little memory",
        "raise service.memory",
        "Keycloak server guide, Running Keycloak in a container",
        (LOG,),
    ),
    Known(
        r"^137$",
        "the container was killed: it took more memory than it has, or didn't stop in time",
        "raise service.memory if its reason says OutOfMemory, else service.stop_timeout_seconds",
        "ECS developer guide, Stopped task error codes",
        (EXIT,),
        True,
    ),
    Known(
        r"^(?:126|127)$|CannotStartContainerError|runc create failed|executable file not found",
        "the container's command isn't in the image, or can't be run",
        "look at EntryPoint and Command of the task definition; each word is an item of its own",
        "ECS developer guide, CannotStartContainerError",
        (EXIT, TASK),
    ),
    Known(
        r"^2$",
        "Keycloak refused its options before it started",
        "the log names the option and what it expects",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (EXIT,),
        True,
    ),
    Known(
        r"^1$",
        "the container ended with an error",
        "its last log lines say why",
        "ECS developer guide, Stopped task error codes",
        (EXIT,),
        True,
    ),
    Known(
        r"Task failed (?:ELB|load balancer) health checks",
        "the balancer found the task unhealthy, and ECS replaced it",
        "see the target's health: path, port, answer; if the start takes long (a migration), raise "
        "service.grace_period_seconds",
        "ECS developer guide, Stopped task error codes",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"Task failed container health checks|failed container health checks",
        "the container's own health check failed",
        "the command has to be in the image and ask the management port; if the start takes long, raise "
        "StartPeriod (300 s at most)",
        "ECS developer guide, Stopped task error codes",
        (TASK, "AWS::ECS::"),
    ),
    Known(
        r"SpotInterruption|Your Spot Task was interrupted",
        "Fargate Spot took the task's place back",
        "use FARGATE instead of FARGATE_SPOT for what has to stay",
        "ECS developer guide, Fargate Spot termination notices",
        (TASK,),
    ),
    # --- Keycloak's own messages ---
    Known(
        r"password authentication failed for user|no password was provided",
        "the database refuses the user or its password",
        "the secret has to hold what the database has: a changed secret reaches neither the database nor "
        "tasks that run",
        "codecentric/helm-charts#144",
        (LOG,),
    ),
    Known(
        r"(?:no pg_hba\.conf entry for host).*(?:no encryption|SSL off)|pg_hba\.conf.*no encryption",
        "the database takes encrypted connections only (rds.force_ssl)",
        "let Keycloak use TLS to the database (sslmode=verify-full)",
        "RDS user guide, Requiring an SSL connection to a PostgreSQL DB instance",
        (LOG,),
    ),
    Known(
        r"PKIX path building failed|unable to find valid certification path|Could not open SSL root "
        r"certificate",
        "Keycloak doesn't trust a certificate that it is shown, likely the database's",
        "give it the authority: sslrootcert with RDS' bundle, or the truststore",
        "RDS user guide, Using SSL/TLS; Keycloak server guide, Configuring trusted certificates",
        (LOG,),
    ),
    Known(
        r"(?:Connection to (?P<host>\S+) refused)",
        "nobody listens at {host}, which is where Keycloak looks for its database",
        "look at KC_DB_URL_HOST and KC_DB_URL_PORT, and whether the database runs",
        "keycloak/keycloak#19607",
        (LOG,),
    ),
    Known(
        r"The connection attempt failed|Acquisition timeout while waiting for new connection|connect timed "
        r"out|SocketTimeoutException",
        "Keycloak can't reach its database",
        "open the database's port from the tasks' security group to the database's, in and out, and look at "
        "the host",
        "keycloak/keycloak#12213",
        (LOG,),
    ),
    Known(
        r"UnknownHostException:? ?(?P<host>[\w.-]+)?",
        "a host name doesn't resolve: {host}",
        "look at KC_DB_URL_HOST, and that the VPC has enableDnsSupport and enableDnsHostnames",
        "VPC user guide, DNS attributes for your VPC",
        (LOG,),
    ),
    Known(
        r'database "(?P<name>[^"]+)" does not exist',
        "the database server has no database {name}",
        "make it, or name the right one in KC_DB_URL_DATABASE",
        "PostgreSQL, error code 3D000",
        (LOG,),
    ),
    Known(
        r"too many clients already|remaining connection slots are reserved",
        "the database has no connection left",
        "lower KC_DB_POOL_MAX_SIZE times the tasks (twice as many during a rollout) below max_connections, "
        "or take a larger class",
        "PostgreSQL, error code 53300",
        (LOG,),
    ),
    Known(
        r"permission denied for schema (?P<schema>\w+)",
        "the database's user may not make tables in the schema {schema}",
        "GRANT ALL ON SCHEMA {schema} TO the user; from PostgreSQL 15 on public isn't everybody's",
        "PostgreSQL 15 release notes",
        (LOG,),
    ),
    Known(
        r"Waiting for changelog lock|Could not acquire change log lock|DATABASECHANGELOGLOCK",
        "another task migrates the database, or one was killed while it did",
        "wait for it; if none does, set LOCKED to false in the table databasechangeloglock",
        "Keycloak upgrading guide, Migrating the database; Liquibase, DATABASECHANGELOGLOCK",
        (LOG,),
    ),
    Known(
        r"Key material not provided to setup HTTPS",
        "Keycloak has neither certificate nor leave to speak HTTP",
        "set KC_HTTP_ENABLED to true behind a balancer that ends TLS, or give it a certificate",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"hostname is not configured|Strict hostname resolution configured but no hostname",
        "Keycloak has no host name",
        "set keycloak.hostname (KC_HOSTNAME)",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"The '--optimized' flag was used for first ever server start",
        "the image isn't built, and is started as if it were",
        "run `kc.sh build` in the Dockerfile, or start without --optimized",
        "measured on Keycloak 26.0.8 and 26.7.4",
        (LOG,),
    ),
    Known(
        r"build time options have values that differ from what is persisted.*?: (?P<options>kc\.[\w., -]+)",
        "the image was built with other values of {options}",
        "build the image anew with the values that the task definition has (the runbook says how)",
        "measured on Keycloak 26.0.8 and 26.7.4",
        (LOG,),
    ),
    Known(
        r"Invalid value for option '?(?P<option>[\w.-]+)",
        "Keycloak doesn't take the value of {option}",
        "the log line names the values that it takes",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"Unknown option: '(?P<option>[^']+)'",
        "Keycloak doesn't know {option}",
        "take it out of the command",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"is not expected to contain whitespace",
        "several words stand in one item of the container's command",
        "make each word an item of its own",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"dns_query can not be null or empty",
        "the nodes have no name to look each other up by",
        "set -Djgroups.dns.query in JAVA_OPTS_APPEND to the discovery name",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"ISPN000540: No such JGroups stack '(?P<stack>[^']+)'",
        "this Keycloak has no cache stack {stack}",
        "write one that the version has: jdbc-ping from 26.1 on, kubernetes before",
        "measured on Keycloak 25.0.6 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"jboss\.(?:node|site)\.name is in use",
        "this Keycloak takes the node's name from an option only",
        "take -Djboss.node.name out of JAVA_OPTS_APPEND",
        "measured on Keycloak 26.7.4",
        (LOG,),
    ),
    Known(
        r"is an unrecognized feature",
        "this Keycloak has no such feature",
        "take it out of KC_FEATURES; the log line lists those that there are",
        "measured on Keycloak 24.0.5 to 26.7.4",
        (LOG,),
    ),
    Known(
        r"Read-only file system|ReadOnlyFileSystemException",
        "Keycloak writes where the container's file system is read-only",
        "use an image that is built (kc.sh build), and volumes for what is written",
        "Keycloak server guide, Running Keycloak in a container",
        (LOG,),
    ),
    # --- Health of targets ---
    Known(
        r"Target\.ResponseCodeMismatch|Health checks failed with these codes",
        "Keycloak answers the health check, but not with 200",
        "503 means that it isn't ready yet, or its database isn't there; 404 that path or port are others: "
        "/health/ready on the management port (9000 from 25 on)",
        "ELB user guide, Health check reason codes; measured on Keycloak 24.0.5 to 26.7.4",
        (TARGET, TASK, "AWS::ECS::"),
    ),
    Known(
        r"Target\.Timeout|Request timed out",
        "the health check gets no answer: a security group is closed, or Keycloak is too slow",
        "open the health check's port from the balancer's security group to the tasks'; raise "
        "HealthCheckTimeoutSeconds if it is open",
        "ELB user guide, Health check reason codes; aws/amazon-ecs-agent#1872",
        (TARGET, "AWS::ECS::"),
    ),
    Known(
        r"Target\.FailedHealthChecks|reason Health checks failed\)",
        "the health check can't connect: nothing listens on its port, or TLS and plain HTTP are mixed up",
        "the health check's port and protocol have to be Keycloak's: 9000 from 25 on, HTTPS if Keycloak has "
        "a key store",
        "ELB user guide, Health check reason codes; hackforla/CivicTechJobs#436",
        (TARGET, "AWS::ECS::"),
    ),
    Known(
        r"Target\.NotInUse",
        "the target group hangs on no listener, or the balancer isn't in the task's zone",
        "let a listener or rule forward to it, and give the balancer a subnet in each of the tasks' zones",
        "ELB user guide, Health check reason codes",
        (TARGET,),
    ),
    # --- ECS services ---
    Known(
        r"does not have an associated load balancer",
        "the service is made before a listener forwards to its target group",
        "let the service depend on the listener or rule (DependsOn)",
        "terraform-aws-modules/terraform-aws-atlantis#211",
        ("AWS::ECS::",),
    ),
    Known(
        r"Deployment Circuit Breaker was triggered|deployment circuit breaker: tasks failed to start",
        "tasks failed again and again, and ECS gave the rollout up",
        "why the tasks stopped is the cause: see their reasons and logs",
        "aws/copilot-cli#2584",
        ("AWS::ECS::",),
        True,
    ),
    Known(
        r"Exceeded attempts to wait|did not stabilize|NotStabilized|Resource timed out waiting for "
        r"completion|Resource timed out waiting for creation|Service .* did not stabilize",
        "CloudFormation waited for the resource and gave up; the reason is with the service that makes it",
        "see what it says of itself: stopped tasks, target health, database events, validation of the "
        "certificate",
        "aws-cloudformation/cloudformation-cli-java-plugin#210; aws/amazon-ecs-agent#1996",
        (),
        True,
    ),
    Known(
        r"Unable to assume the service linked role|verify that the ECS service linked role exists",
        "the account has no service-linked role of ECS yet",
        "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com, then deploy again",
        "ECS developer guide, Using service-linked roles",
        ("AWS::ECS::",),
    ),
    Known(
        r"No Fargate configuration exists for given values|Invalid (?:'cpu'|'memory') setting|Invalid CPU "
        r"or memory",
        "Fargate has no task of that CPU and memory",
        "take a pair that Fargate has: 512 with 1 to 4 GiB, 1024 with 2 to 8, 2048 with 4 to 16, 4096 with "
        "8 to 30",
        "ECS developer guide, Task size",
        ("AWS::ECS::",),
    ),
    Known(
        r"Creation of service was not idempotent|Service already exists",
        "a service of that name is in the cluster already",
        "delete it, or leave ServiceName out",
        "ECS API reference, CreateService",
        ("AWS::ECS::",),
    ),
    # --- RDS ---
    Known(
        r"RDS does not support creating a DB instance with the following combination",
        "the region doesn't have that class for that engine version",
        "choose another class or version: aws rds describe-orderable-db-instance-options --engine postgres "
        "--engine-version VERSION --query 'OrderableDBInstanceOptions[].DBInstanceClass'",
        "aws-cloudformation/cfn-lint#4048",
        ("AWS::RDS::",),
    ),
    Known(
        r"Cannot find version (?P<version>[\w.]+) for (?P<engine>[\w-]+)",
        "RDS has no {engine} {version} in this region (any more)",
        "choose one that it has: aws rds describe-db-engine-versions --engine {engine} "
        "--query 'DBEngineVersions[].EngineVersion'",
        "sidpalas/devops-directive-terraform-course#8",
        ("AWS::RDS::",),
    ),
    Known(
        r"Cannot upgrade .* from (?P<old>[\w.]+) to (?P<new>[\w.]+)",
        "RDS doesn't upgrade from {old} to {new} in one step, or not back",
        "choose a target that DescribeDBEngineVersions lists for {old}; a downgrade is a restore from a "
        "snapshot",
        "RDS user guide, Choosing a major version upgrade",
        ("AWS::RDS::",),
    ),
    Known(
        r"AllowMajorVersionUpgrade flag must be present",
        "it is a major upgrade, and nothing allows one",
        "set AllowMajorVersionUpgrade, and give a parameter group of the new family; make a snapshot before",
        "RDS API reference, ModifyDBInstance",
        ("AWS::RDS::",),
    ),
    Known(
        r"The parameter group .* with DBParameterGroupFamily|cannot be used for this instance",
        "the parameter group is of another engine version's family",
        "give its Family the engine's major version (postgres17)",
        "RDS user guide, Working with parameter groups",
        ("AWS::RDS::",),
    ),
    Known(
        r"InsufficientDBInstanceCapacity|insufficient capacity",
        "RDS has no room for that class in these zones at the moment",
        "try again later, or choose another class",
        "RDS user guide, Troubleshooting",
        ("AWS::RDS::",),
    ),
    Known(
        r"StorageQuotaExceeded|InstanceQuotaExceeded|DBInstance quota|quota of .*DB instances",
        "the account's quota of database instances or their storage is reached",
        "delete what isn't needed, or ask for more: Service Quotas, Amazon RDS",
        "RDS user guide, Quotas and constraints",
        ("AWS::RDS::",),
    ),
    Known(
        r"storage (?:cannot|can't|can not) be (?:modified|reduced)|has been modified within the last 6 hours|"
        r"storage optimization|Invalid storage size|currently upgrading.*storage",
        "RDS doesn't change storage that way: it only grows, and once in six hours",
        "leave AllocatedStorage at what it is, or wait and deploy again",
        "RDS user guide, Working with storage",
        ("AWS::RDS::",),
    ),
    Known(
        r"Cannot delete protected|deletion protection is enabled|DeletionProtection|deletion protection",
        "it is protected against deletion, as it should be",
        "if it really is to go, take the protection off by a deployment of its own first",
        "aws-cloudformation/rain#187; RDS user guide, Deleting a DB instance",
    ),
    Known(
        r"MasterUserPassword|master user password",
        "RDS doesn't take the password: 8 to 128 printable characters without / @ \" and blanks",
        "let the secret's GenerateSecretString exclude them",
        "RDS API reference, CreateDBInstance",
        ("AWS::RDS::",),
    ),
    Known(
        r"DB [Ss]ubnet [Gg]roup doesn't meet (?:availability zone|Availability Zone) coverage",
        "the database's subnets lie in one zone only",
        "give the subnet group subnets in two zones or more",
        "RDS user guide, Working with a DB subnet group",
        ("AWS::RDS::",),
    ),
    Known(
        r"InvalidDBInstanceState|is not in (?:the )?available state|not currently in the available state",
        "the database is busy with another change, a backup or maintenance",
        "wait until it is available, then deploy again",
        "RDS API reference, ModifyDBInstance",
        ("AWS::RDS::",),
    ),
    # --- Certificates, balancers, names ---
    Known(
        r"must have a fully-qualified domain name, a supported signature|UnsupportedCertificate",
        "the balancer can't use the certificate: it isn't issued yet, or has no name or another key",
        "wait until ACM has issued it; RSA 2048 or EC P-256 and a domain name are needed",
        "aws-samples/aws-secure-environment-accelerator#990",
        ("AWS::ElasticLoadBalancingV2::",),
    ),
    Known(
        r"Certificate .* not found|CertificateNotFound",
        "the certificate isn't in this account and region",
        "name one of the balancer's region; us-east-1 is for CloudFront",
        "ELB API reference, CreateListener",
        ("AWS::ElasticLoadBalancingV2::",),
    ),
    Known(
        r"Content of DNS Record is|PENDING_VALIDATION|pending validation|certificate .*validation",
        "ACM waits for the DNS records that show that the domain is yours",
        "write the records into the domain's public zone, or give HostedZoneId so that CloudFormation does",
        "CloudFormation user guide, AWS::CertificateManager::Certificate",
        ("AWS::CertificateManager::",),
    ),
    Known(
        r"NO_AVAILABLE_CONTACTS|ADDITIONAL_VERIFICATION_REQUIRED|CAA_ERROR|DOMAIN_NOT_ALLOWED|PCA_",
        "ACM can't issue the certificate",
        "CAA_ERROR: let the domain's CAA record name amazon.com; else ask AWS Support",
        "ACM user guide, Troubleshoot certificate requests",
        ("AWS::CertificateManager::",),
    ),
    Known(
        r"At least two subnets in two different Availability Zones",
        "an application load balancer needs two zones",
        "give it subnets in two zones or more",
        "ELB API reference, CreateLoadBalancer",
        ("AWS::ElasticLoadBalancingV2::",),
    ),
    Known(
        r"PriorityInUse|Priority '?\d+'? is currently in use",
        "another rule of the listener has that priority",
        "give the rule another one; to swap two, deploy twice",
        "ELB API reference, CreateRule",
        ("AWS::ElasticLoadBalancingV2::",),
    ),
    Known(
        r"is currently in use by a listener or a rule|ResourceInUse.*target group",
        "a listener that isn't the stack's still forwards to the target group",
        "let that listener forward elsewhere first",
        "ELB API reference, DeleteTargetGroup",
        ("AWS::ElasticLoadBalancingV2::TargetGroup",),
    ),
    Known(
        r"Access Denied for bucket|access logs? .*(?:permission|denied)|InvalidConfigurationRequest.*bucket",
        "the balancer may not write its access log into the bucket",
        "let the bucket's policy allow logdelivery.elasticloadbalancing.amazonaws.com (or the region's ELB "
        "account) to put objects",
        "ELB user guide, Enable access logs",
        ("AWS::ElasticLoadBalancingV2::",),
    ),
    Known(
        r"WAFUnavailableEntityException|AWS WAF couldn.?t retrieve the resource",
        "WAF didn't find the balancer yet: it was made only just",
        "deploy again",
        "WAF API reference, AssociateWebACL",
        ("AWS::WAFv2::",),
    ),
    Known(
        r"WAFLimitsExceededException|WCU",
        "the rules of the web ACL cost more than a web ACL may",
        "take rules out, or ask for a higher quota of WCU",
        "WAF developer guide, Web ACL capacity units",
        ("AWS::WAFv2::",),
    ),
    Known(
        r"WAFAssociatedItemException|associated with other resources",
        "the web ACL is still attached to something",
        "take that association away, then go on",
        "WAF API reference, DeleteWebACL",
        ("AWS::WAFv2::",),
    ),
    Known(
        r"(?:namespace|Namespace).*(?:ResourceInUse|contains|associated).*|ResourceInUse.*(?:namespace|"
        r"Namespace|service)|Service contains registered instances",
        "Cloud Map's namespace or service still holds something",
        "deregister the instances and delete the services in it: aws servicediscovery list-services, "
        "list-instances",
        "Cloud Map API reference, DeleteNamespace and DeleteService",
        ("AWS::ServiceDiscovery::",),
    ),
    Known(
        r"CONFLICTING_DOMAIN_EXISTS|ConflictingDomainExists|NamespaceAlreadyExists",
        "the VPC has a private zone of that name already",
        "choose another stack_name (the namespace has its name), or delete what another stack left",
        "Cloud Map API reference, CreatePrivateDnsNamespace",
        ("AWS::ServiceDiscovery::", "AWS::Route53::"),
    ),
    Known(
        r"Tried to create resource record set .* but it already exists",
        "the DNS record is there already, and not the stack's",
        "delete it or import it into the stack, then deploy again",
        "Route 53 API reference, ChangeResourceRecordSets",
        ("AWS::Route53::",),
    ),
    # --- Network ---
    Known(
        r"The maximum number of VPCs has been reached|VpcLimitExceeded",
        "the region's quota of VPCs is reached",
        "delete one, use network.existing, or ask for more: Service Quotas, Amazon VPC",
        "awslabs/landing-zone-accelerator-on-aws#241",
    ),
    Known(
        r"maximum number of addresses has been reached|AddressLimitExceeded",
        "the region's quota of Elastic IP addresses is reached: each NAT gateway takes one",
        "release one that isn't used, use fewer NAT gateways, or ask for more: Service Quotas, Amazon EC2",
        "aws/aws-parallelcluster#1734",
    ),
    Known(
        r"has a dependent object|has dependencies and cannot be deleted|DependencyViolation",
        "something that isn't the stack's still uses it: a network interface, another group's rule, an "
        "endpoint",
        "delete that (aws ec2 describe-network-interfaces --filters Name=group-id,Values=ID shows "
        "interfaces), then go on",
        "docker-archive/ecs-plugin#203",
        ("AWS::EC2::",),
    ),
    Known(
        r"CIDR .* conflicts with another subnet|InvalidSubnet\.Conflict",
        "the subnet's addresses are another subnet's already",
        "choose other networks",
        "EC2 API reference, Error codes",
        ("AWS::EC2::Subnet",),
    ),
    Known(
        r"the specified rule .* already exists|InvalidPermission\.Duplicate",
        "the security group has that rule already",
        "one of two rules is too many: take it out, or delete the one that was made by hand",
        "EC2 API reference, Error codes",
        ("AWS::EC2::",),
    ),
    Known(
        r"(?:private-dns-enabled cannot be set|conflicting DNS domain)",
        "the VPC has an endpoint for that service already",
        "use the one that is there",
        "VPC user guide, Interface endpoints",
        ("AWS::EC2::VPCEndpoint",),
    ),
    # --- Secrets, logs, roles ---
    Known(
        r"already scheduled for deletion|scheduled for deletion",
        "a secret of that name was deleted and can still be restored, so its name isn't free",
        "leave Name out, restore it (aws secretsmanager restore-secret), or end its wait (aws secretsmanager "
        "delete-secret --force-delete-without-recovery)",
        "aws/copilot-cli#655",
        ("AWS::SecretsManager::",),
    ),
    Known(
        r"(?:Requires capabilities|InsufficientCapabilities)",
        "the template makes IAM roles, and nobody said that it may",
        "render again: stack.json names the capabilities",
        "CloudFormation API reference, CreateChangeSet",
    ),
    Known(
        r"Role .* is invalid or cannot be assumed|Cannot assume role",
        "CloudFormation can't use the service role",
        "let the role trust cloudformation.amazonaws.com, and let whoever deploys call iam:PassRole for it",
        "CloudFormation user guide, Service role",
    ),
    Known(
        r"is not authorized to perform: (?P<action>[\w-]+:\w+)",
        "whoever deploys (or the service role) may not call {action}",
        "let it: add {action} to the policy of the role that the message names; an explicit deny is a "
        "service control policy's or a boundary's",
        "IAM user guide, Troubleshoot access denied error messages",
    ),
    Known(
        r"API: (?P<action>[\w-]+:\w+) You are not authorized",
        "whoever deploys (or the service role) may not call {action}",
        "add {action} to its policy; aws sts decode-authorization-message says which statement refuses it",
        "convox/rack#2142; IAM user guide, Troubleshoot access denied error messages",
    ),
    Known(
        r"AccessDenied|UnauthorizedOperation|not authorized|You are not authorized",
        "whoever deploys (or the service role) may not do it",
        "add the call that the message names to its policy",
        "CloudFormation user guide, Troubleshooting",
        (),
        True,
    ),
    Known(
        r"Maximum policy size|LimitExceeded.*policy|Cannot exceed quota for",
        "an IAM quota is reached",
        "shorten the policy, or ask for more: Service Quotas, IAM",
        "IAM user guide, IAM and STS quotas",
        ("AWS::IAM::",),
    ),
    # --- CloudFormation ---
    Known(
        r"PropertyValidation",
        "a property of the template isn't what the resource type takes",
        "mend it at the path that is named; `cloakform lint` finds most of them before",
        "CloudFormation user guide, Validate stack deployments; aws/aws-cdk-cli#1463",
    ),
    Known(
        r"BUCKET_EMPTINESS|bucket .* is not empty",
        "a bucket that is to be deleted isn't empty",
        "empty it, or keep it with DeletionPolicy: Retain",
        "aws-cloudformation/rain#744",
    ),
    Known(
        r"NAME_CONFLICT|ResourceExistenceCheck|already exists|AlreadyExists|EntityAlreadyExists|"
        r"ResourceConflict",
        "something of that name is there already and belongs to no stack, or to another one",
        "delete it or import it into the stack; without a name of its own the resource gets a free one",
        "aws/aws-cdk-cli#1000; CloudFormation user guide, Troubleshooting",
    ),
    Known(
        r"SERVICE_QUOTA|ServiceQuota|quota|Quota|LimitExceeded|limit exceeded|maximum number of",
        "a quota of the account is reached",
        "delete what isn't needed, or ask for more in Service Quotas",
        "CloudFormation user guide, Troubleshooting",
        (),
        True,
    ),
    Known(
        r"following hook\(s\) failed|Hook failed with message|HOOK_COMPLETE_FAILED",
        "a CloudFormation hook of the account refused the resource",
        "the hook's message says which rule; mend the template, or ask whoever runs the hook for an "
        "exception",
        "aws/aws-cdk#21674; aws/aws-cdk-cli#1198",
    ),
    Known(
        r"Action denied by stack policy",
        "the stack policy protects the resource against this change",
        "if it is meant, allow it for one deployment with a policy during the update, or change "
        "stack_policy in the params",
        "CloudFormation user guide, Prevent updates to stack resources",
    ),
    Known(
        r"^User Initiated$|cancelled by user|Cancelled by user",
        "somebody cancelled the update",
        "deploy again when it is meant",
        "CloudFormation user guide, Cancel a stack update",
    ),
    Known(
        r"^Rollback triggered by alarm|Rollback requested by user|rollback trigger",
        "a rollback trigger or a person made CloudFormation go back",
        "look at the alarm that the stack's monitoring names",
        "CloudFormation user guide, Roll back your stack on alarm breach",
        (STACK,),
    ),
    Known(
        r"Export .* cannot be (?:deleted|updated) as it is in use by",
        "another stack imports an output that would change",
        "let that stack stop importing it first",
        "CloudFormation user guide, Fn::ImportValue",
    ),
    Known(
        r"Unable to retrieve .* attribute for|Attribute .* does not exist|no such attribute",
        "the template asks a resource for an attribute that it doesn't have",
        "name one that the resource type has; `cloakform lint` finds it before",
        "CloudFormation user guide, Fn::GetAtt",
    ),
    Known(
        r"Could not parse SecretString JSON|Could not find a value associated with JSONKey",
        "a dynamic reference asks for a key that the secret doesn't have",
        "write the key into the secret's JSON, or name the right one",
        "CloudFormation user guide, Dynamic references",
    ),
    Known(
        r"Secrets Manager can't find the specified secret|ParameterNotFound|Unable to fetch parameters",
        "a dynamic reference names a secret or parameter that isn't there",
        "make it in this account and region, or mend its name in the params",
        "CloudFormation user guide, Dynamic references",
    ),
    Known(
        r"CloudFormation cannot update a stack when a custom-named resource requires replacing",
        "a resource with a name of its own has to be replaced, and two can't have one name",
        "give it another name, or leave the name out",
        "CloudFormation user guide, Name type",
    ),
    Known(
        r"Encountered unsupported property|extraneous key \[(?P<key>[^\]]+)\] is not permitted|"
        r"Properties validation failed|Model validation failed|Encountered unsupported",
        "a property of the template isn't what the resource type takes",
        "mend it at the path that is named; `cloakform lint` finds most of them before",
        "CloudFormation user guide, Troubleshooting",
    ),
    Known(
        r"Rate exceeded|Throttling|Too Many Requests|RequestLimitExceeded",
        "AWS refused too many calls at once",
        "deploy again",
        "CloudFormation user guide, Troubleshooting",
        (),
        True,
    ),
    Known(
        r"InternalFailure|Internal Failure|InternalError|ServiceInternalError",
        "something went wrong inside AWS",
        "deploy again; if it stays, look at the AWS Health Dashboard",
        "CloudFormation user guide, Troubleshooting",
        (),
        True,
    ),
    Known(
        r"security token included in the request is (?:expired|invalid)|ExpiredToken",
        "the credentials of whoever deployed ended while CloudFormation worked",
        "deploy again with credentials that last, or give the stack a service role",
        "CloudFormation user guide, Troubleshooting",
    ),
    Known(
        r"InvalidParameterCombination|InvalidParameterValue|InvalidRequest|ValidationError|"
        r"ValidationException",
        "the service refuses a value",
        "mend what the message names in the params",
        "CloudFormation user guide, Troubleshooting",
        (),
        True,
    ),
)

_COMPILED = tuple((one, re.compile(one.pattern)) for one in KNOWN)
