#!/bin/sh
# pins.sh PIP_COMPILE: renews requirements/*.txt.  Versions and hashes are written, addresses never:
# which mirror a site installs from is the site's own affair.
set -eu
pip_compile=$1

pin() {
    name=$1
    shift
    "$pip_compile" --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
        --annotation-style=line --output-file="requirements/$name.new" "$@" 2>/dev/null
    { echo "# Made by \`make pins\`; do not edit."; cat "requirements/$name.new"; } >"requirements/$name.txt"
    rm "requirements/$name.new"
}

pin run pyproject.toml
pin build --constraint=requirements/run.txt requirements/build.in
pin test --extra=dev --extra=sql-postgresql --extra=sql-mariadb --extra=ldap --extra=apprise \
    --constraint=requirements/run.txt --constraint=requirements/build.txt pyproject.toml
