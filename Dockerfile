# syntax=docker/dockerfile:1.7
# One image for everything: `sagamart serve orders`, `sagamart door`, `sagamart-bank` (docker-bake.hcl names it per service).
# Its steps are tried by tests/deployment/test_image.py.

# The version that the tests run on. With PYTHON_DIGEST=sha256:… it is held to the byte.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
ARG PYTHON_DIGEST=""

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY scripts/uv-requirements.txt scripts/
RUN pip install --no-cache-dir --require-hashes -r scripts/uv-requirements.txt
# What it needs, as the lock file has it: a layer that changes only with the lock.
COPY pyproject.toml uv.lock ./
RUN uv export --quiet --frozen --no-default-groups --all-extras --no-emit-project --output-file requirements.txt
RUN uv venv --quiet /opt/sagamart \
    && uv pip install --quiet --python /opt/sagamart/bin/python --no-deps --require-hashes -r requirements.txt
COPY README.md LICENSE ./
COPY src src
RUN uv build --quiet --wheel --out-dir dist \
    && uv pip install --quiet --python /opt/sagamart/bin/python --no-deps dist/sagamart-*.whl

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS run
ARG VERSION=0.1.0
ARG REVISION=""
ARG CREATED=""
LABEL org.opencontainers.image.title="sagamart" \
    org.opencontainers.image.description="The order engine of an online store" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}"
# Nobody logs in as it, and it has no home.
RUN groupadd --system --gid 10001 sagamart \
    && useradd --system --uid 10001 --gid sagamart --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sagamart
COPY --from=build /opt/sagamart /opt/sagamart
ENV PATH=/opt/sagamart/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# Everything that it writes goes to /tmp, so that the rest may be read-only.
ENV SAGAMART_DATA=/tmp/sagamart \
    SAGAMART_HTTP_HOST=0.0.0.0 \
    SAGAMART_INTERNAL_HOST=0.0.0.0 \
    SAGAMART_LOGS_FORMAT=json \
    BANK_DATA=/tmp/sagamart-bank \
    BANK_HOST=0.0.0.0
USER 10001:10001
WORKDIR /
EXPOSE 8080 8090 9000
ENTRYPOINT ["sagamart"]
CMD ["--help"]
