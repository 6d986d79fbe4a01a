# Debian's HAProxy, at the places and under the user of the official image.
export DEBIAN_FRONTEND=noninteractive
dpkg --force-unsafe-io --install /mnt/packages/*.deb
groupmod --gid 99 haproxy
usermod --uid 99 --gid 99 --home /var/lib/haproxy haproxy
mkdir -p /usr/local/etc/haproxy /var/lib/haproxy
cp -R /etc/haproxy/errors /usr/local/etc/haproxy/
chown haproxy:haproxy /var/lib/haproxy
ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy
install -m 755 /mnt/haproxy-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
