#!/usr/bin/env bash
# What the tests need and Python's registry has not: PostgreSQL's server programs and a browser that draws the reports.
# Installed where we may, else named.
set -euo pipefail
missing=()
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium)
[ "${#missing[@]}" = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests, from Debian: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "expected PostgreSQL's server programs (initdb, pg_ctl) and chromium, lacking: ${missing[*]};" \
    "install them, on Debian: apt-get install ${missing[*]}" >&2
  exit 1
fi
