#!/bin/bash
# Starts PostgreSQL as RDS would: with a certificate of the rehearsal's authority, and connections without TLS refused
# where the parameter group says so (REHEARSAL_CONNECTIONS is `hostssl` then, else `host`).
set -e
install -d -o postgres -m 700 /tmp/rehearsal
install -o postgres -m 600 /rehearsal/server.key /rehearsal/server.crt /tmp/rehearsal/
printf '%s\n' 'local all all trust' "$REHEARSAL_CONNECTIONS all all all scram-sha-256" > /tmp/rehearsal/pg_hba.conf
chown postgres /tmp/rehearsal/pg_hba.conf
exec docker-entrypoint.sh "$@"
