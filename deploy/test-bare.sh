#!/usr/bin/env bash
# Proves the README's two commands in a bare Debian: debootstrap into a folder, only make and python3 added, then
# `make test` and `make demo ARGS="--once --json"` on a clone of HEAD. Needs root and debootstrap. Prints where its log is.
#   KEEP=1 deploy/test-bare.sh     leaves the chroot for a look
#   SUITE=bookworm MIRROR=…        another Debian
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "test-bare: needs root for chroot: run it with sudo" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "test-bare: needs debootstrap: apt-get install debootstrap" >&2; exit 1; }

suite=${SUITE:-bookworm}
# The mirror this machine already uses; debootstrap's own default when it uses none.
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -v security | head -n 1 || true)}
root=$(mktemp -d /var/tmp/sojourn-bare.XXXXXX)
log=/var/tmp/sojourn-bare.log

finish() {
  for mount in dev/shm dev/pts dev proc; do mountpoint -q "$root/$mount" && umount -l "$root/$mount"; done
  # Never remove a tree that still has the machine's own folders mounted in it.
  if grep -q " $root/" /proc/mounts; then echo "test-bare: $root is still mounted, left alone" >&2; return; fi
  [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$root"
}
trap finish EXIT

{
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" ${mirror:+"$mirror"}
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount --bind /dev/pts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts" # every installed system has this file
  in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$@"; }
  in_root apt-get update -qq
  in_root apt-get install -y -qq --no-install-recommends make python3
  git clone --quiet . "$root/sojourn"
  in_root bash -c 'cd /sojourn && make test'
  in_root bash -c 'cd /sojourn && make demo ARGS="--once --json" > /tmp/demo.json && python3 -c "import json; print(sorted(json.load(open(\"/tmp/demo.json\"))))"'
  echo "test-bare: both commands passed in a bare $suite"
} 2>&1 | tee "$log"
echo "test-bare: log in $log" >&2
