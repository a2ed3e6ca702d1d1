#!/bin/sh
# venv.sh PYTHON DIRECTORY: makes a virtual environment, or says in one line what is missing.
# PYTHON may be empty: then the first is taken that is new enough and has all its parts, the system's own
# before others, because that is the one that a postmaster will have.
set -eu
candidates=${1:-/usr/bin/python3 python3 python3.11 python3.12 python3.13 python3.14}
directory=$2

give_up() {
    echo "$1" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Debian keeps ensurepip in a package of its own, without which a venv has no pip.
complete() {
    "$1" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null
}

python=""
lacking=""
for candidate in $candidates; do
    new_enough "$candidate" || continue
    if complete "$candidate"; then
        python=$candidate
        break
    fi
    lacking=${lacking:-$candidate}
done

if [ -z "$python" ]; then
    [ -n "$lacking" ] || give_up "No Python 3.11 or later here (looked for: $candidates). Debian: apt-get install python3 python3-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python3-venv ..."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-remove -y python3-venv >/dev/null
    fi
    complete "$lacking" || give_up "$lacking can't make environments with pip. As root: apt-get install python3-venv"
    python=$lacking
fi

[ -x "$directory/bin/pip" ] || "$python" -m venv "$directory"
