#!/usr/bin/env bash
# Makes the environment with every peer, then writes the tables of all benchmarks: bash benchmarks/all.sh [FILE [NAME ...]]

edition=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$edition/setup.sh" test --version >&2 || exit
PYTHONPATH=$edition exec "${A2_VENV:-$edition/.venv}/bin/python" "$edition/benchmarks/all.py" "$@"
