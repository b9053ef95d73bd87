#!/bin/sh
# Make .venv with the locked dependencies, and see that bubblewrap is there. Safe to repeat; quick the second time.
# usage: scripts/setup.sh [--dev]
set -eu
cd "$(dirname "$0")/.."
groups=--no-dev
# compiled at once, where many processes would each compile the same
[ "${1:-}" = --dev ] && groups="--dev --compile-bytecode"

stop() { printf 'greylag: %s\n' "$*" >&2; exit 2; }

# Run apt-get as root, by sudo where that asks for nothing, or say what to type.
packages() {
    if [ "$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else sudo=none; fi
    if [ "$sudo" = none ] || ! command -v apt-get >/dev/null; then
        stop "missing: $*. Install it and try again; on Debian or Ubuntu: sudo apt-get install -y $*"
    fi
    echo "greylag: installing $* from the system's packages"
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get install -y -q "$@" >/dev/null 2>&1 || { $sudo apt-get update -q >/dev/null && $sudo apt-get install -y -q "$@" >/dev/null; } ||
        stop "apt-get could not install $*; install it by hand and try again"
}

python=
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$name; break; fi
done
[ -n "$python" ] || stop "Python 3.11 or later is needed; on Debian or Ubuntu: sudo apt-get install -y python3"
command -v git >/dev/null || packages git

if ! .venv/bin/python -c pass 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; packages python3-venv; "$python" -m venv .venv; }
fi
if [ ! -x .venv/bin/uv ]; then
    version=$(sed -n '/^name = "uv"$/{n;s/version = "\(.*\)"/\1/p;}' uv.lock)
    .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$version"
fi
# Companies put a certificate authority of their own into the system store.
export UV_SYSTEM_CERTS=1
VIRTUAL_ENV= UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON=.venv/bin/python .venv/bin/uv sync -q --locked --inexact $groups

command -v bwrap >/dev/null || packages bubblewrap
