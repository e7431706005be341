#!/bin/sh
# Compiles the pins of the LocalStack image. Needs uv. Run after editing requirements.in.
#
# LocalStack does not say which versions it works with, its own lock does, and that is not published: newer cbor2 and
# pyOpenSSL break it. So everything is resolved as of the day of its release, 26 February 2026.
# Left out is what only other services than the image's import: a Kinesis client for Java, the AWS command line, clients of
# OpenSearch and MongoDB, and cfn-lint with its mathematics.
set -eu
cd "$(dirname "$0")"
left_out='kclpy-ext awscli docutils colorama rsa pyasn1 grpcio protobuf opensearch-py opensearch-protobufs events
    pymongo cfn-lint sympy mpmath networkx regex graphql-core'
uv pip compile --quiet --python-version 3.13 --python-platform linux --exclude-newer 2026-02-27 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command docker/localstack/compile.sh \
    $(for name in $left_out; do echo "--no-emit-package $name"; done) \
    requirements.in -o requirements.txt
