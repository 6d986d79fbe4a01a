# Packages, nothing else. Some link to manual pages in folders that a slim Debian lacks.
export DEBIAN_FRONTEND=noninteractive
mkdir -p /usr/share/man/man1 /usr/share/man/man7
dpkg --force-unsafe-io --install /mnt/packages/*.deb
