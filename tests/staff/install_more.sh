#!/usr/bin/env bash
# What the tests use and pip's one call does not install. $1 is the environment's Python. Where something cannot be had, its tests
# are skipped, and pytest's last lines name what they need.

# Part 4's peer asks for opencv-python, which would overwrite the headless one that grad-cam installs: hence --no-deps.
more=$(dirname "$0")/../../benchmarks/requirements.txt
"$1" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("imagecorruptions") is None)' ||
    "$1" -m pip install -q --disable-pip-version-check --no-deps -r "$more" >/dev/null 2>&1 ||
    echo "pip could not install imagecorruptions; going on without"

# Some tests draw the sprites again, look at a page in a browser, or lock a worker in.
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
