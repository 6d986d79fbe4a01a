# The distribution as the official image lays it out: readable and writable for group 0, run by user 1000.
mkdir /opt/keycloak
tar --extract --gzip --no-same-owner --strip-components 1 --directory /opt/keycloak --file /mnt/artifact
chown -R 1000:0 /opt/keycloak
chmod -R g+rwX /opt/keycloak
echo 'keycloak:x:1000:0:keycloak user:/opt/keycloak:/sbin/nologin' >> /etc/passwd
# A health check of CMD-SHELL runs in the official image's sh, which is bash.
ln -sf bash /bin/sh
