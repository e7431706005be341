#!/bin/sh
# Lambda names its runtime API in the environment; anywhere else AWS's emulator of it stands in, on port 8080.
# exec: signals reach the runtime itself.
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    exec aws-lambda-rie python -m awslambdaric "$@"
fi
exec python -m awslambdaric "$@"
