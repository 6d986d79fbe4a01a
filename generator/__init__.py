"""Renders a highly available Keycloak on AWS ECS Fargate as plain CloudFormation."""

__version__ = "0.1.0"
