#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: an environment, and nothing secret that student code could read.
set -euo pipefail

root=${A2_AUTOGRADER:-/autograder}
edition=$root/source/edition

apt-get update
apt-get install -y --no-install-recommends bubblewrap ca-certificates curl python3 python3-venv
chmod +x "$edition/setup.sh"
"$edition/setup.sh" >&2
"$edition/.venv/bin/python" -c 'import cloudpickle, torch'
