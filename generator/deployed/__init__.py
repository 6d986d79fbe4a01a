"""A deployed environment as a drill sees it: asked, and where that was allowed broken, through AWS' API.

It needs to be let: sts:GetCallerIdentity, cloudformation:DescribeStacks, ListStackResources and GetTemplate,
ecs:DescribeServices, ListTasks, DescribeTasks and DescribeTaskDefinition,
elasticloadbalancing:DescribeTargetHealth, logs:GetLogEvents, and secretsmanager:GetSecretValue where the
administrator isn't named by a file. For steps that have to be allowed also ecs:StopTask and
ecs:UpdateService, and rds:RebootDBInstance and DescribeDBClusters for the database.
"""
