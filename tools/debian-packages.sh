#!/bin/sh
# debian-packages.sh FILE: sees to the Debian packages that the end-to-end tests need.
# As root on Debian it installs what is missing; elsewhere it names what is missing, and the tests
# that need it skip with that reason.  It never lets another package be removed: where a mail server
# is at work already, the tests do without rather than replace it.
set -eu
file=$1
wanted=$(sed -e 's/#.*//' "$file")
command -v dpkg-query >/dev/null || {
    echo "Not Debian: of these programs' tests those are skipped that find none:" $wanted
    exit 0
}

missing=""
for package in $wanted; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Not installed, so the tests that need it are skipped:$missing (as root: apt-get install$missing)"
    exit 0
fi
echo "Installing for the end-to-end tests:$missing"
apt-get update -qq
for package in $missing; do
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove "$package" >/dev/null ||
        echo "Could not install $package: its tests are skipped."
done
