#!/usr/bin/env bash
# Makes a stand-in for python:3.13-slim-trixie out of Debian's own packages, for networks from which no image registry
# can be reached. Needs root, debootstrap and a Docker engine; takes about two minutes, and nothing if the image is there.
#
#   docker/base-from-debian.sh [TAG]
#
# What is built on it behaves as on the official image: `python` and `pip` come first on PATH. It trusts the
# certificates that this machine trusts, so that packages can be fetched through the same proxies.
set -euo pipefail
tag=${1:-python:3.13-slim-trixie}

docker image inspect "$tag" >/dev/null 2>&1 && exit 0
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv trixie "$root" >"$root.log" 2>&1 ||
    { tail -n 3 "$root.log" >&2; exit 1; }
rm -f "$root.log"
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
# pip brings certificates of its own and would not look at the system's.
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n' >"$root/etc/pip.conf"
# Debian's python3 refuses to have packages installed beside its own: an environment does not.
chroot "$root" python3 -m venv /opt/python
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*

tar -C "$root" -c . | docker import \
    --change 'ENV PATH=/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["python3"]' - "$tag" >/dev/null
