#!/bin/sh
# Compiles the pins of the LocalStack image. Needs uv. Run after editing requirements.in.
#
# LocalStack does not say which versions it works with, its own lock does, and that is not published: newer cbor2 and
# pyOpenSSL break it. So everything is resolved as of the day of its release, 26 February 2026.
# Left out, because only services that this image does not load import them: a KCL for Java with its JVM bridge
# (Kinesis, JSONata), the AWS command line, and MongoDB's and OpenSearch's clients.
set -eu
cd "$(dirname "$0")"
uv pip compile --quiet --python-version 3.13 --python-platform linux --exclude-newer 2026-02-27 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command docker/localstack/compile.sh \
    requirements.in -o requirements.txt
