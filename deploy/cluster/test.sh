#!/usr/bin/env bash
# Brings the cluster of compose.yaml up, runs tests/cluster against it and takes it down, whatever comes of it. KEEP=1 leaves it up.
set -euo pipefail
cd "$(dirname "$0")"

die() { printf 'test-cluster: %s\n' "$*" >&2; exit 1; }

command -v docker >/dev/null || die "there is no docker here; install Docker with its compose plugin and try again"
docker compose version >/dev/null 2>&1 || die "docker has no compose plugin here; install docker-compose-plugin (version 2.24 or newer) and try again"
said=$(docker info 2>&1 >/dev/null) || die "docker cannot run here (${said%%$'\n'*}); start its daemon, or become a user who may use it, and try again"

if [ ! -f .env ]; then
  umask 077
  random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
  printf 'CLICKHOUSE_PASSWORD=%s\nCONTROL_PASSWORD=%s\nCLUSTER_SECRET=%s\n' "$(random)" "$(random)" "$(random)" >.env
fi

down() {
  local code=$?
  if [ "${KEEP:-}" = 1 ]; then
    printf 'test-cluster: left up; take it down with: cd deploy/cluster && docker compose down --volumes\n' >&2
    return "$code"
  fi
  [ "$code" = 0 ] || docker compose logs --tail 80 >&2
  docker compose down --volumes --timeout 10 >&2 || printf 'test-cluster: the cluster was not taken down\n' >&2
  return "$code"
}
trap down EXIT

docker compose up --detach --build --wait --wait-timeout 600
cd ../..
SOJOURN_CLUSTER=deploy/cluster .venv/bin/python -m pytest -q -n 0 -m cluster --timeout 600 tests/cluster "$@"
