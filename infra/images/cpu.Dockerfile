# Understudy for machines without a GPU: service, training and model server are one image with three commands.
#
#   docker build -f infra/images/cpu.Dockerfile -t understudy:cpu .
#
# Never built or run by us: there is no Docker daemon where this was written. What tests do (tests/infra/test_images.py):
# hadolint reads it, every path that is copied exists, every variable is a setting, ports agree with the compose files.
ARG PYTHON=3.11.14-slim-trixie

FROM python:${PYTHON} AS packages
# Where torch's build for processors is listed; without it the default one comes, which is larger and works as well.
ARG TORCH_INDEX=""
WORKDIR /build
COPY requirements.txt requirements-torch.txt ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps uv==0.13.9 \
 && /venv/bin/pip install --no-cache-dir --no-deps ${TORCH_INDEX:+--index-url "${TORCH_INDEX}"} -r requirements-torch.txt \
 && /venv/bin/uv pip install --python /venv/bin/python --no-cache --no-deps --require-hashes -r requirements.txt

FROM python:${PYTHON} AS understudy
# git reads histories; g++ compiles vLLM's kernels at its start. Debian's trixie keeps one version of each, mended in place.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ git \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 understudy \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin understudy \
 && install -d -o 10001 -g 10001 /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY LICENSE app.yml pyproject.toml ./
COPY app app
COPY serving serving
COPY training training
ENV PATH=/venv/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    UNDERSTUDY_DATA=/data \
    UNDERSTUDY_DATABASE_URL=sqlite:////data/understudy.db \
    UNDERSTUDY_BASE=/data/base \
    UNDERSTUDY_SERVING=/data/serving \
    UNDERSTUDY_HOST=0.0.0.0 \
    UNDERSTUDY_PORT=8080 \
    UNDERSTUDY_LOG_FORMAT=json
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s --retries=4 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m"]
CMD ["app", "serve"]
