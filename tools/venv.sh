#!/bin/sh
# venv.sh PYTHON DIRECTORY: makes a virtual environment, or says in one line what is missing.
set -eu
python=$1
directory=$2

give_up() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    give_up "There is no $python here. Install Python 3.11 or later (Debian: apt-get install python3)."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    give_up "$python is older than 3.11. Name a newer one: make PYTHON=python3.12 ..."

# Debian keeps ensurepip in a package of its own, without which a venv has no pip.
if ! "$python" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python3-venv ..."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-remove -y python3-venv >/dev/null
    else
        give_up "Python's venv lacks pip here. As root: apt-get install python3-venv"
    fi
fi

[ -x "$directory/bin/pip" ] || "$python" -m venv "$directory"
