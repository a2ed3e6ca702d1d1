#!/bin/sh
# debian-packages.sh FILE: sees to the Debian packages that the end-to-end tests need.
#
# As root on Debian it installs what is missing; elsewhere it names what is missing, and the tests that
# need it skip with that reason.  It never lets another package be removed: where a mail server is
# at work already, the tests do without rather than replace it.  What it installs is not started.
set -eu
file=$1
wanted=$(sed -e 's/#.*//' "$file" | xargs)
command -v dpkg-query >/dev/null || {
    echo "Not Debian: tests that need one of these and do not find it are skipped: $wanted"
    exit 0
}

missing=""
for package in $wanted; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done

if [ "$(id -u)" != 0 ]; then
    [ -z "$missing" ] || echo "Not installed, so their tests are skipped:$missing (as root: apt-get install$missing)"
    exit 0
fi

# Without lists nothing can be installed, and the tests can't fetch the package that they only unpack.
if [ -n "$missing" ] || [ -z "$(find /var/lib/apt/lists -name '*_Packages*' 2>/dev/null | head -n 1)" ]; then
    apt-get update -qq
fi
[ -n "$missing" ] || exit 0

echo "Installing for the end-to-end tests, without starting any of it:$missing"
# Debian asks this file before it starts a service, and a fresh Postfix would answer on port 25.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
fi
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
for package in $missing; do
    DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends --no-remove -o Dpkg::Use-Pty=0 "$package" >/dev/null ||
        echo "Could not install $package: its tests are skipped."
done
