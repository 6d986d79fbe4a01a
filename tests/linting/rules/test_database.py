"""Rules about the database: what they see in other forms, and what they leave alone."""

from __future__ import annotations

import textwrap

import pytest
from laying import laid, viewed

from generator.document import parse
from generator.linting import pack
from generator.linting.view import View

STOCK = "Image: quay.io/keycloak/keycloak:26.7.4\nCommand: [start]\n"


def found(rule: str, example: str, version: str = "") -> list:
    return list(pack.rule(rule).findings(viewed(laid(textwrap.dedent(example)), version)))


def container(lines: str, more: str = "") -> str:
    """A change of the Keycloak container, and of other resources."""
    body = textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * 8)
    return (
        f"TaskDefinition:\n  Properties:\n    ContainerDefinitions:\n      - Name: keycloak\n{body}\n"
        f"{textwrap.dedent(more).strip()}\n"
    )


def option(name: str, value: str, more: str = "") -> str:
    """A variable of the container; `value` is YAML."""
    return container(f"Environment:\n  - {{Name: {name}, Value: {value}}}", more)


def database(**properties: str) -> str:
    return "Database:\n  Properties:\n" + "".join(f"    {key}: {value}\n" for key, value in properties.items())


CLUSTER = """
DatabaseCluster:
  Type: AWS::RDS::DBCluster
  DeletionPolicy: Snapshot
  UpdateReplacePolicy: Snapshot
  Properties:
    Engine: aurora-postgresql
    EngineVersion: "16.4"
    DatabaseName: keycloak
    MasterUsername: keycloak
    MasterUserPassword: !Sub "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}"
    DBSubnetGroupName: !Ref DatabaseSubnetGroup
    VpcSecurityGroupIds: [!GetAtt DatabaseSecurityGroup.GroupId]
    StorageEncrypted: true
    DeletionProtection: true
Database:
  Properties:
    Engine: aurora-postgresql
    DBClusterIdentifier: !Ref DatabaseCluster
"""
AT_CLUSTER = "Environment:\n  - {Name: KC_DB_URL_HOST, Value: !GetAtt DatabaseCluster.%s}\n"

PROXY = """
ProxySecurityGroup: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: proxy, VpcId: !Ref Vpc}}
Proxy:
  Type: AWS::RDS::DBProxy
  Properties:
    DBProxyName: sso
    EngineFamily: %s
    RoleArn: !GetAtt TaskRole.Arn
    VpcSubnetIds: [!Ref PrivateSubnetA, !Ref PrivateSubnetB]
    VpcSecurityGroupIds: [!GetAtt ProxySecurityGroup.GroupId]
"""
AT_PROXY = "Environment:\n  - {Name: KC_DB_URL_HOST, Value: !GetAtt Proxy.Endpoint}\n"
INTO_PROXY = """
ProxyIn:
  Type: AWS::EC2::SecurityGroupIngress
  Properties:
    {GroupId: !GetAtt ProxySecurityGroup.GroupId, IpProtocol: tcp, FromPort: %s, ToPort: %s, CidrIp: 10.0.0.0/16}
"""


def mysql(parameters: str = "~", more: str = "", vendor: str = "mysql", group: str = "~") -> str:
    """Keycloak's own image with MySQL; the connection's parameters are YAML."""
    return container(
        STOCK + f"Environment:\n  - {{Name: KC_DB, Value: {vendor}}}\n"
        f"  - {{Name: KC_DB_URL_PROPERTIES, Value: {parameters}}}",
        database(Engine="mysql", EngineVersion='"8.4.5"', DBParameterGroupName=group) + more)


def mssql(url: str, more: str = "", group: str = "~") -> str:
    """Keycloak with SQL Server; the URL from behind the host."""
    running = database(Engine="sqlserver-se", EngineVersion='"16.00"', DBName="~", DBParameterGroupName=group)
    return option("KC_DB_URL", f"!Sub 'jdbc:sqlserver://${{Database.Endpoint.Address}}{url}'", running + more)


FORCED = "Forced: {Type: AWS::RDS::DBParameterGroup, Properties: {Parameters: {%s: '1'}}}\n"

SEEN = {
    "a proxy that lets nobody in": ("E9174", container(AT_PROXY, PROXY % "POSTGRESQL")),
    "a proxy that lets others in": ("E9174", container(AT_PROXY, PROXY % "POSTGRESQL" + INTO_PROXY % (3306, 3306))),
    "a proxy of MySQL": ("E9174", container(AT_PROXY, PROXY % "MYSQL" + INTO_PROXY % (5432, 5432))),
    "a proxy's port can't be chosen": ("E9170", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n  - {Name: KC_DB_URL_PORT, Value: '6432'}\n"
        "  - {Name: KC_DB_URL_HOST, Value: !GetAtt Proxy.Endpoint}", PROXY % "POSTGRESQL")),
    "MySQL by default": ("W9087", mysql()),
    "MySQL with other parameters": ("W9087", mysql('"?characterEncoding=UTF-8"')),
    "MySQL in plain text": ("W9087", mysql('"?sslMode=disabled"')),
    "MySQL in plain text, as it was written once": ("W9087", mysql('"?useSSL=false"')),
    "SQL Server in plain text": ("W9087", mssql(":1433;databaseName=keycloak;encrypt=false")),
    "SQL Server without a port": ("W9087", mssql(";encrypt=optional;databaseName=keycloak")),
    "the reader of a cluster": ("E9084", container(AT_CLUSTER % "ReadEndpoint.Address", CLUSTER)),
    "the identifier in a URL": (
        "E9084", option("KC_DB_URL", '!Sub "jdbc:postgresql://${Database}:5432/keycloak"')),
    "the identifier on the command line": (
        "E9084", container('Command: [start, --optimized, --db-url-host, !Ref Database]')),
    "localhost": ("E9084", option("KC_DB_URL", '"jdbc:postgresql://localhost/keycloak"')),
    "the default port of a database with another one": ("E9170", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n  - {Name: KC_DB_URL_PORT, Value: ~}",
        database(Port='"6432"'))),
    "a port on the command line": ("E9170", container("Command: [start, --optimized, --db-url-port=3306]")),
    "the default name": ("W9171", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n  - {Name: KC_DB_URL_DATABASE, Value: ~}",
        database(DBName="sso"))),
    "the name in a URL": (
        "W9171", option("KC_DB_URL", '!Sub "jdbc:postgresql://${Database.Endpoint.Address}/sso?ssl=true"')),
    "a cluster without a database": (
        "W9171", container(AT_CLUSTER % "Endpoint.Address", CLUSTER.replace("    DatabaseName: keycloak\n", ""))),
    "a vendor on the command line": ("E9172", container("Command: [start, --db=mariadb]")),
    "MySQL in RDS": ("E9172", option("KC_DB", "postgres", database(Engine="mysql", EngineVersion='"8.0.40"'))),
    "its own file": ("E9172", option("KC_DB", "dev-file")),
    "the user's name from the secret": ("E9085", container(
        'Secrets:\n  - {Name: KC_DB_USERNAME, ValueFrom: !Sub "${OtherSecret}:username::"}\n'
        '  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${OtherSecret}:password::"}', """
        OtherSecret:
          Type: AWS::SecretsManager::Secret
          Properties:
            GenerateSecretString: {SecretStringTemplate: '{"username": "keycloak"}', GenerateStringKey: password}
        """)),
    "the master of a cluster": ("E9085", container(
        AT_CLUSTER % "Endpoint.Address" +
        "  - {Name: KC_DB_USERNAME, Value: keycloak}\nSecrets:\n  - {Name: KC_DB_USERNAME, ValueFrom: ~}\n"
        '  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${AdminSecret}:password::"}', CLUSTER)),
    "rotation of an attached secret": ("W9085", """
        Attachment:
          Type: AWS::SecretsManager::SecretTargetAttachment
          Properties: {SecretId: !Ref DatabaseSecret, TargetId: !Ref Database, TargetType: AWS::RDS::DBInstance}
        Rotation:
          Type: AWS::SecretsManager::RotationSchedule
          Properties: {SecretId: !Ref Attachment, HostedRotationLambda: {RotationType: PostgreSQLSingleUser}}
        """),
    "nothing excluded": ("E9086", "DatabaseSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: ~}}}"),
    "a blank": ("E9086", "DatabaseSecret: {Properties: {GenerateSecretString: "
                         "{ExcludeCharacters: '/@\"', IncludeSpace: true}}}"),
    "seven characters": ("E9086", "DatabaseSecret: {Properties: {GenerateSecretString: {PasswordLength: 7}}}"),
    "the administrator's password": (
        "W9086", "AdminSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: '@'}}}"),
    "disable in a URL": ("E9087", option(
        "KC_DB_URL", '!Sub "jdbc:postgresql://${Database.Endpoint.Address}/keycloak?sslmode=disable"')),
    "the default of PostgreSQL 15": ("E9087", option(
        "KC_DB_URL_PROPERTIES", '"?sslmode=disable"', database(DBParameterGroupName="~", EngineVersion='"15.10"'))),
    "disable where it is allowed": ("W9087", option(
        "KC_DB_URL_PROPERTIES", '"?sslmode=disable"', database(DBParameterGroupName="~", EngineVersion='"14.15"'))),
    "a URL without parameters, of a database elsewhere": (
        "W9087", container("Environment:\n  - {Name: KC_DB_URL, Value: 'jdbc:postgresql://db.example.com/keycloak'}\n"
                           "  - {Name: KC_DB_URL_HOST, Value: ~}")),
    "no properties at all": ("W9087", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n  - {Name: KC_DB_URL_PROPERTIES, Value: ~}",
        database(DBParameterGroupName="~", EngineVersion='"14.15"'))),
    "prefer where the database insists": (
        "I9087", option("KC_DB_URL", '!Sub "jdbc:postgresql://${Database.Endpoint.Address}/keycloak"')),
    "the certificate without the name": (
        "I9087", option("KC_DB_URL_PROPERTIES", '"?sslmode=verify-ca&sslrootcert=/opt/keycloak/conf/rds-bundle.pem"')),
    "Aurora 14 on 26.7": ("W9089", container(AT_CLUSTER % "Endpoint.Address", CLUSTER.replace("16.4", "14.13"))),
    "an instance of a cluster in the internet": (
        "E9090", container(AT_CLUSTER % "Endpoint.Address", CLUSTER + "    PubliclyAccessible: true\n")),
    "encryption refused": ("W9090", database(StorageEncrypted="false")),
    "a cluster of one": ("I9090", container(AT_CLUSTER % "Endpoint.Address", CLUSTER)),
    "the internet by IPv6": ("E9091", 'DatabaseIn: {Properties: {SourceSecurityGroupId: ~, CidrIpv6: "::/0"}}'),
    "a network around the VPC": ("W9091", "DatabaseIn: {Properties: {SourceSecurityGroupId: ~, CidrIp: 10.0.0.0/8}}"),
    "no way out of the tasks": ("E9174", """
        TaskSecurityGroup:
          Properties:
            SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
        """),
    "a driver's class that is another one": ("E9092", container("""
        Environment:
          - {Name: KC_DB_DRIVER, Value: org.postgresql.Driver}
          - {Name: KC_DB_URL, Value: !Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/keycloak"}
        """)),
}

LEFT_ALONE = {
    "a proxy that lets the tasks in": ("E9174", container(AT_PROXY, PROXY % "POSTGRESQL" + INTO_PROXY % (5432, 5432))),
    "a proxy of a family that isn't known": ("E9174", container(AT_PROXY, PROXY % "!Ref Family")),
    "MySQL with TLS": ("W9087", mysql('"?sslMode=REQUIRED"')),
    "MySQL with TLS, as it was written once": ("W9087", mysql('"?useSSL=true&requireSSL=true"')),
    "MySQL that insists on TLS": ("W9087", mysql(
        group="!Ref Forced", more=FORCED % "require_secure_transport")),
    "MySQL with parameters that aren't known": ("W9087", mysql("!Ref Parameters")),
    "MariaDB's driver": ("W9087", mysql(vendor="mariadb")),
    "SQL Server by default": ("W9087", mssql(":1433;databaseName=keycloak")),
    "SQL Server with TLS": ("W9087", mssql(":1433;databaseName=keycloak;encrypt=true;trustServerCertificate=true")),
    "SQL Server that insists on TLS": ("W9087", mssql(
        ":1433;encrypt=false", FORCED % "rds.force_ssl", "!Ref Forced")),
    "a database of another stack": ("E9084", option("KC_DB_URL_HOST", "!ImportValue database")),
    "a host by its name": ("E9084", option("KC_DB_URL_HOST", "db.example.com")),
    "a host that a secret holds": ("E9084", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n  - {Name: KC_DB_URL_HOST, Value: ~}\n"
        'Secrets:\n  - {Name: KC_DB_URL_HOST, ValueFrom: !Sub "${DatabaseSecret}:host::"}')),
    "a database in the same task": ("E9084", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n  - {Name: KC_DB_URL_HOST, Value: localhost}")
        + "      - {Name: postgres, Image: 'postgres:17'}\n"),
    "an image of one's own knows its host": ("E9084", option("KC_DB_URL_HOST", "~")),
    "the writer of a cluster": ("E9084", container(AT_CLUSTER % "Endpoint.Address", CLUSTER)),
    "a port that the database makes": (
        "E9170", option("KC_DB_URL_PORT", "!GetAtt Database.Endpoint.Port", database(Port="6432"))),
    "a port that isn't known": ("E9170", option("KC_DB_URL_PORT", "!Ref Port")),
    "a database whose port isn't known": ("E9170", option("KC_DB_URL_PORT", '"6432"', database(Port="!Ref Port"))),
    "the database that is always there": ("W9171", option("KC_DB_URL_DATABASE", "postgres", database(DBName="~"))),
    "a name from a snapshot": ("W9171", database(DBName="~", DBSnapshotIdentifier="before-the-fire")),
    "a custom resource may make it": (
        "W9171", "MakeDatabase: {Type: 'Custom::Sql', Properties: {ServiceToken: x}}\n"
                 "Database: {Properties: {DBName: ~}}"),
    "names differ in case": ("W9171", option("KC_DB_URL_DATABASE", "Keycloak")),
    "a name that isn't known": ("W9171", database(DBName="!Ref Name")),
    "MariaDB's driver for MySQL": (
        "E9172", option("KC_DB", "mariadb", database(Engine="mysql", EngineVersion='"8.0.40"'))),
    "an engine that isn't known": ("E9172", option("KC_DB", "mysql", database(Engine="!Ref Engine"))),
    "another user than the master": ("E9085", container(
        "Environment:\n  - {Name: KC_DB_USERNAME, Value: sso}\nSecrets:\n  - {Name: KC_DB_USERNAME, ValueFrom: ~}\n"
        '  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${AdminSecret}:password::"}')),
    "the secret that RDS made": ("E9085", container(
        "Environment:\n  - {Name: KC_DB_USERNAME, Value: keycloak}\n"
        "Secrets:\n  - {Name: KC_DB_USERNAME, ValueFrom: ~}\n"
        '  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${Database.MasterUserSecret.SecretArn}:password::"}',
        database(ManageMasterUserPassword="true", MasterUserPassword="~"))),
    "a key store may hold it": ("E9085", container(
        STOCK + "Environment:\n  - {Name: KC_DB, Value: postgres}\n"
        "  - {Name: KC_CONFIG_KEYSTORE, Value: /secrets/options.p12}\nSecrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: ~}")),
    "a password that is built in": ("E9085", container("Secrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: ~}")),
    "login by IAM": ("E9085", container("""
        Environment:
          - {Name: KC_DB_DRIVER, Value: software.amazon.jdbc.Driver}
          - Name: KC_DB_URL
            Value: !Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/sso?wrapperPlugins=iam"
        Secrets:
          - {Name: KC_DB_PASSWORD, ValueFrom: ~}
        """)),
    "rotation that somebody hears of": ("W9085", """
        Rotation: {Type: AWS::SecretsManager::RotationSchedule, Properties: {SecretId: !Ref DatabaseSecret}}
        OnRotation: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [aws.secretsmanager]}}}
        """),
    "rotation of another secret": (
        "W9085", "Rotation: {Type: AWS::SecretsManager::RotationSchedule, Properties: {SecretId: !Ref AdminSecret}}"),
    "letters and digits alone": (
        "E9086", "DatabaseSecret: {Properties: {GenerateSecretString: "
                 "{ExcludeCharacters: ~, ExcludePunctuation: true}}}"),
    "exclusions that aren't known": (
        "E9086", "DatabaseSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: !Ref Excluded}}}"),
    "a secret that is no master password": (
        "E9086", "AdminSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: ~}}}"),
    "a literal value": ("W9086", container(
        'Secrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: ~}\n'
        '  - {Name: KCRAW_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password::"}',
        "DatabaseSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: '/\"@ '}}}")),
    "a name beside the generated password": ("W9086", container(
        'Secrets:\n  - {Name: KC_DB_PASSWORD, ValueFrom: ~}',
        "DatabaseSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: '/\"@ '}}}")),
    "disable where it is switched off": ("E9087", option(
        "KC_DB_URL_PROPERTIES", '"?sslmode=disable"',
        'DatabaseParameters: {Properties: {Parameters: {rds.force_ssl: "0"}}}')),
    "a parameter group of another stack": (
        "E9087", option("KC_DB_URL_PROPERTIES", '"?sslmode=disable"', database(DBParameterGroupName="shared"))),
    "properties that aren't known": ("W9087", option("KC_DB_URL_PROPERTIES", "!Ref Properties")),
    "Keycloak's own option": ("W9087", container(
        "Environment:\n  - {Name: KC_DB_URL_PROPERTIES, Value: '?ApplicationName=sso'}\n"
        "  - {Name: KC_DB_TLS_MODE, Value: verify-server}",
        database(DBParameterGroupName="~", EngineVersion='"14.15"'))),
    "an image that has them built in": ("W9087", option("KC_DB_URL_PROPERTIES", "~")),
    "the database is another one": ("W9087", option("KC_DB_URL", "jdbc:mariadb://db.example.com/keycloak")),
    "Java's own certificates": ("E9173", container(
        STOCK + "Environment:\n  - {Name: KC_DB_URL_PROPERTIES, Value: "
        '"?sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"}')),
    "a file of the system": ("E9173", container(
        STOCK + "Environment:\n  - {Name: KC_DB_URL_PROPERTIES, Value: "
        '"?sslmode=verify-full&sslrootcert=/etc/pki/ca.crt"}')),
    "a file that is mounted": (
        "E9173", container(STOCK + "MountPoints: [{SourceVolume: certificates, ContainerPath: /opt/keycloak/conf}]")),
    "the newest that is supported": ("W9089", database(EngineVersion='"18.1"')),
    "a version that isn't known": (
        "W9089", container("Image: ghcr.io/example/keycloak:blue", database(EngineVersion='"9.6"'))),
    "an engine version that isn't known": ("W9089", database(EngineVersion="!Ref Version")),
    "public or not isn't known": ("E9090", database(PubliclyAccessible="!Ref Public")),
    "encryption comes with the snapshot": (
        "W9090", database(StorageEncrypted="~", DBSnapshotIdentifier="before-the-fire")),
    "an instance is encrypted as its cluster": (
        "W9090", container(AT_CLUSTER % "Endpoint.Address", CLUSTER + "    StorageEncrypted: ~\n")),
    "a single node needs no second zone": (
        "I9090", "Service: {Properties: {DesiredCount: 1}}\n" + database(MultiAZ="false")),
    "a bastion": ("E9091", """
        FromBastion:
          Type: AWS::EC2::SecurityGroupIngress
          Properties: {GroupId: !GetAtt DatabaseSecurityGroup.GroupId, SourceSecurityGroupId: sg-0abc, IpProtocol: tcp,
                       FromPort: 5432, ToPort: 5432}
        """),
    "another port is open": ("E9091", """
        DatabaseSecurityGroup:
          Properties:
            SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}]
        """),
    "the tasks' networks": ("W9091", "DatabaseIn: {Properties: {SourceSecurityGroupId: ~, CidrIp: 10.0.2.0/23}}"),
    "a security group of another stack": ("E9174", "DatabaseIn: ~\n" + database(VPCSecurityGroups="[sg-0abc]")),
    "an ingress whose group isn't known": ("E9174", """
        DatabaseIn: ~
        Other:
          Type: AWS::EC2::SecurityGroupIngress
          Properties: {GroupId: !Ref Group, SourceSecurityGroupId: !Ref TaskSecurityGroup, IpProtocol: tcp,
                       FromPort: 5432, ToPort: 5432}
        """),
    "a driver that is built in": (
        "E9092", option("KC_DB_URL", '!Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/keycloak"')),
    "the wrapper's own plugins": ("W9092", option(
        "KC_DB_URL", '!Sub "jdbc:aws-wrapper:postgresql://${Database.Endpoint.Address}/keycloak"')),
}


@pytest.mark.parametrize(("rule", "example"), SEEN.values(), ids=SEEN)
def test_a_rule_sees_the_fault_in_this_form_too(rule, example):
    """The same fault, written in another way than on the rule's page, is found."""
    assert found(rule, example)


@pytest.mark.parametrize(("rule", "example"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_a_rule_leaves_alone_what_is_right_or_unknown(rule, example):
    """What isn't a fault, or can't be told from the template, gives no finding."""
    assert found(rule, example) == []


def test_the_chance_of_a_refused_password_is_said():
    """How often the deployment fails is said: 3 of 94 characters are bad, so 65 of 100 with 32 characters."""
    (finding,) = found("E9086", "DatabaseSecret: {Properties: {GenerateSecretString: {ExcludeCharacters: ~}}}")
    assert finding.message.startswith("65 of 100 deployments fail")


def test_one_of_three_rules_speaks_about_tls():
    """Refused, plain, or not verified: a connection gets one of the three findings, never two."""
    for value in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
        for version in ("14.15", "17.10"):
            view = viewed(laid(option("KC_DB_URL_PROPERTIES", f'"?sslmode={value}&sslrootcert=/etc/pki/rds.pem"',
                                      database(DBParameterGroupName="~", EngineVersion=f'"{version}"'))))
            said = [one.rule for one in pack.run(view) if one.rule[1:] == "9087"]
            assert len(said) == (0 if value == "verify-full" else 1), (value, version)


def test_the_same_in_json_of_an_older_shape():
    """A JSON template in which everything is in Fn::Join and Fn::GetAtt is read like any other."""
    text = """
    {"Resources": {
      "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{
        "Name": "sso", "Image": "quay.io/keycloak/keycloak:26.7.4", "Command": ["start"],
        "Environment": [
          {"Name": "KC_DB", "Value": "postgres"},
          {"Name": "KC_DB_URL", "Value": {"Fn::Join": ["", ["jdbc:postgresql://",
            {"Fn::GetAtt": ["Db", "Endpoint.Address"]}, ":3306/keycloak?sslmode=verify-full"]]}}]}]}},
      "Db": {"Type": "AWS::RDS::DBInstance", "Properties": {"Engine": "postgres", "EngineVersion": "12.22",
        "PubliclyAccessible": "true", "BackupRetentionPeriod": "0", "StorageEncrypted": "true", "DBName": "sso"}}}}
    """
    said = {one.rule for one in pack.run(View(parse(text), region="eu-central-1"))}
    assert {"E9085", "E9090", "E9170", "E9173", "W9089", "W9090", "W9171"} <= said
    assert not said & {"E9084", "E9086", "E9087", "E9091", "E9092", "E9172", "E9174", "W9085", "W9087"}
