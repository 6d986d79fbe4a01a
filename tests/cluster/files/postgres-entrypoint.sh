#!/bin/bash
# What the official image's entry point promises: on the first start a database made from POSTGRES_* (each may
# come from a file, POSTGRES_*_FILE) and the files of /docker-entrypoint-initdb.d, then the server.
set -eu

fail() {
  echo "Error: $1" >&2
  exit 1
}

# setting NAME DEFAULT: the value of NAME, or the content of the file that NAME_FILE names.
setting() {
  local name=$1 file=${1}_FILE
  if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
    fail "both $name and $file are set (but are exclusive)"
  elif [ -n "${!file:-}" ]; then
    cat "${!file}"
  else
    printf %s "${!name:-$2}"
  fi
}

make_database() {
  local user password database method
  user=$(setting POSTGRES_USER postgres)
  password=$(setting POSTGRES_PASSWORD '')
  database=$(setting POSTGRES_DB "$user")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    fail 'Database is uninitialized and superuser password is not specified.'
  fi
  # shellcheck disable=SC2086 # several arguments, as in the official image
  initdb --no-sync --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
  printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
  # The official image has these built in; here initdb writes what the archive was built with.
  printf "%s = '%s'\n" listen_addresses '*' unix_socket_directories /var/run/postgresql \
    >> "$PGDATA/postgresql.conf"

  local option options="-c listen_addresses=''"
  for option in "$@"; do
    options+=" $(printf %q "$option")"
  done
  pg_ctl -D "$PGDATA" -w start -o "$options"
  if [ "$database" != postgres ]; then
    createdb --username="$user" --no-password --maintenance-db=postgres "$database"
  fi
  local file
  shopt -s nullglob
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) psql --quiet --no-psqlrc --no-password -v ON_ERROR_STOP=1 -U "$user" -d "$database" -f "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
}

case ${1:-postgres} in
  postgres) shift "$(($# > 0))" ;;
  -*) ;; # options alone are the server's
  *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" postgres "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  make_database "$@"
fi
exec postgres "$@"
