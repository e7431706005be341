#!/bin/sh
# Compiles the pins: one resolution for everything (test), the smaller sets constrained by it.
# Needs uv. Run after editing an .in file.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command requirements/compile.sh "$@"
}
compile requirements/test.in -o requirements/test.txt
for name in portal deploy model local postgresql; do
    compile "requirements/$name.in" -c requirements/test.txt -o "requirements/$name.txt"
done
compile lambda_docker/requirements.in -c requirements/test.txt -o lambda_docker/requirements.txt
# Only the image has these two. Of aws-sam-cli the one wheel is read, not installed: none of its dependencies are wanted.
compile lambda_docker/runtime.in -c requirements/test.txt -o lambda_docker/runtime.txt
compile lambda_docker/rie.in --no-deps -o lambda_docker/rie.txt
# The extras come on top of what the image has, so each is one package.
for name in lightgbm xgboost catboost; do
    compile "lambda_docker/extras/$name.in" --no-deps -c requirements/test.txt -o "lambda_docker/extras/$name.txt"
done
# Those that benchmarks compare with: environments of their own, with the image's scikit-learn.
for name in mlflow bentoml; do
    compile "benchmarks/peers/$name.in" -c lambda_docker/requirements.txt -o "benchmarks/peers/$name.txt"
done
# Beside everything else: it pins a boto3 that is not the emulator's.
compile requirements/checkov.in -o requirements/checkov.txt
