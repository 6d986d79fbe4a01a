"""What runs in the sandbox's own environment, as `python -m inside`: ministack with what it lacks, and
microburst.

__main__   starts one of the two, and ends it with whoever started it
control    orders come in and calls are told, over HTTP
orders     what was ordered, by account
lacking    types and properties that ministack doesn't have
fixed      types, their attributes, and which changes make a resource anew
operations resources that fail or wait, and events as AWS gives them
refusing   what AWS refuses and ministack doesn't; requests that are sent twice
changesets change sets as AWS describes them: pages, values, failures
tasks      tasks that stop, with their logs; targets; events of databases
"""
