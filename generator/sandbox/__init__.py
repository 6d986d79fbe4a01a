"""A local AWS to deploy to: ministack in an environment of its own, on 127.0.0.1, with credentials that mean
nothing, nobody's profile and no way to a Docker engine.

environment   the Python that ministack and microburst are installed for, in the project's cache
processes     a program of that environment, that ends with whoever started it
local_aws     starting it, clients of it, and orders: what is to fail, wait or be as on a bad day
faults        microburst in front of it: the N-th call of an operation is lost, late or refused
inside/       what runs in ministack's process: what it lacks, and the orders; imports nothing of this package
tour          `make sandbox`: a first deployment, a change, a refusal, a failure, and cleaning up

What is deployed there proves the deployer, never the template: ministack accepts what AWS refuses. What the
deployer depends on and ministack doesn't do is added in inside/.
"""
