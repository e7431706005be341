#!/bin/sh
# `serve`: a server for any place that runs containers. Nothing of Lambda's is started then.
# exec: signals reach the runtime itself.
if [ "$1" = serve ]; then
    shift
    exec python -m predictor.serving "$@"
fi
# The small function reads texts of megabytes and keeps little of them: what it lets go of goes back at once.
if [ -n "$PORTICO_LARGE_FUNCTION" ]; then
    export MALLOC_MMAP_THRESHOLD_=131072
fi
# Lambda names its runtime API in the environment; anywhere else AWS's emulator of it stands in, on port 8080.
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    # As AWS's SAM says it too. The emulator keeps callers until extensions have finished; Lambda does not.
    export AWS_SAM_LOCAL=true
    exec aws-lambda-rie python -m awslambdaric "$@"
fi
exec python -m awslambdaric "$@"
