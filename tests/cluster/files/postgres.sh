# PostgreSQL of one version, at the places and under the user of the official image. The archive holds the
# server only: psql, pg_isready and createdb are Debian's, which talk to older and newer servers too.
mkdir /tmp/server
unzip -p /mnt/artifact '*.txz' | tar --extract --xz --no-same-owner --directory /tmp/server
rm -rf /tmp/server/lib/postgresql/pgxs /tmp/server/lib/*.a
major=$(/tmp/server/bin/postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
place=/usr/lib/postgresql/$major
mkdir -p "$place"
cp -a /tmp/server/. "$place"
rm -rf /tmp/server
for program in psql pg_isready createdb; do
  for client in /usr/lib/postgresql/*/bin/$program; do
    # Debian's own of that name is a script that looks for the right version, on every call.
    ln -sf "$client" /usr/bin/$program
    [ -e "$place/bin/$program" ] || ln -s "$client" "$place/bin/$program"
    break
  done
done
groupadd --system --gid 999 postgres
useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres
install -d -o 999 -g 999 /var/lib/postgresql
install -d -o 999 -g 999 -m 700 /var/lib/postgresql/data
install -d -o 999 -g 999 -m 3777 /var/run/postgresql
install -d /docker-entrypoint-initdb.d
install -m 755 /mnt/postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
