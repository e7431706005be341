#!/bin/sh
# Compiles the pins of the LocalEmu image. Needs uv. Run after editing requirements.in.
set -eu
cd "$(dirname "$0")"
uv pip compile --quiet --python-version 3.13 --python-platform linux --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command tests/containers/localemu/compile.sh \
    requirements.in -o requirements.txt
