#!/usr/bin/env bash
# Writes requirements.lock and blas.lock anew from requirements.in and blas.in (for developers;
# set-up only reads the locks). Needs uv (`pip install uv`) and the network. Existing versions
# are kept unless an .in file asks for others; `envs/lock.sh --upgrade` looks for newer ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# Python 3.11 and glibc 2.28 are the oldest served; the hashes cover newer ones as well.
options=(--python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes
    --no-emit-index-url --no-annotate --no-header --quiet "$@")
uv pip compile "${options[@]}" requirements.in -o requirements.lock
uv pip compile "${options[@]}" --no-deps blas.in -o blas.lock
