# Ours with what a later version may bring: the largest of the fast CSV engines. Installed as
# our own Dockerfile installs packages; --no-deps, since what else these need is there already.
ARG OURS
FROM ${OURS} AS more
USER 0
RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils >/dev/null
RUN pip install --quiet --no-cache-dir --no-compile --only-binary=:all: --no-deps --target /opt/more \
        polars polars-runtime-32
COPY slim.py /build/
RUN python /build/slim.py /opt/more

FROM ${OURS}
COPY --from=more /opt/more /opt/packages
RUN python -c "import polars; print(polars.read_csv(b'a\n1\n'))"
