#!/usr/bin/env bash
# Some tests draw the sprites again, look at a page in a browser, or lock a worker in. Installs what they need where apt-get and
# root are there; elsewhere those tests are skipped, and pytest's last lines name what they need.

missing=()
command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || exit 0
for package in fonts-noto-color-emoji chromium bubblewrap; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "Installing ${missing[*]} ..."
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >/dev/null 2>&1
apt-get -qq install --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || echo "apt-get could not; going on without"
