#!/usr/bin/env bash
# Makes the environment in .venv: `deploy/setup.sh demo` for running, `deploy/setup.sh dev` for developing.
# Idempotent: a stamp holds the hash of what the environment was made from. All it says goes to standard error,
# so that a command's own answer stays alone on standard output.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 3>&1 1>&2

want=${1:-dev}
UV_VERSION=0.13.9
venv=.venv

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*"; exit 1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 15)))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

make_venv() {
  [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return 0
  rm -rf "$venv"
  # Debian's python3 comes without ensurepip until python3-venv is installed, and venv then leaves half a folder behind.
  if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
    rm -rf "$venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      say "installing python3-venv (this Python cannot make environments without it)"
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv ca-certificates >/dev/null
      "$python" -m venv "$venv"
    else
      die "this Python cannot make environments: run 'sudo apt-get install python3-venv' (or your system's like of it) and try again"
    fi
  fi
}

python=$(find_python) || die "no Python from 3.11 to 3.14 found: install one, or name it with PYTHON=/path/to/python3 make $want"
stamp_of() { cat pyproject.toml uv.lock deploy/setup.sh | sha256sum | cut -c1-16; }
stamp="$(stamp_of) $("$python" -c 'import platform; print(platform.python_version())')"
stamp_file="$venv/.stamp-$want"

# Compiled at once: several processes start in the demo and in many tests, also where Python may not write beside its sources.
compile_ours() { "$venv/bin/python" -m compileall -q agent collector demo probes; }

current() { [ -f "$1" ] && [ "$(cat "$1")" = "$stamp" ]; }
if current "$stamp_file" || { [ "$want" = demo ] && current "$venv/.stamp-dev"; }; then
  compile_ours   # what was edited since
  exit 0
fi

started=$(date +%s)
say "Python $("$python" --version | cut -d' ' -f2) in $venv"
make_venv
if ! "$venv/bin/uv" --version 2>/dev/null | grep -q "uv $UV_VERSION"; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
fi
say "installing the packages of uv.lock (the engine is large: about 500 MB to download the first time)"
groups=(--all-extras)
[ "$want" = dev ] && groups+=(--group dev)
quiet=(--quiet)
[ -t 2 ] && quiet=()
UV_PROJECT_ENVIRONMENT="$venv" "$venv/bin/uv" sync --locked --inexact --compile-bytecode --python "$venv/bin/python" "${groups[@]}" "${quiet[@]}"
compile_ours
# The browser driver brings its own node, which wants a library that the smallest systems leave out.
if ! "$venv/bin/python" -m playwright --version >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing libatomic1 (the browser driver needs it)"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libatomic1 >/dev/null
  else
    say "the browser driver does not start; on Debian this helps: sudo apt-get install libatomic1"
  fi
fi
say "looking for a browser"
"$venv/bin/python" -m sojourn_probes.chromium --ensure
printf '%s' "$stamp" >"$stamp_file"
say "ready after $(($(date +%s) - started)) s"
