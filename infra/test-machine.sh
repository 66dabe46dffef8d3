#!/usr/bin/env bash
# What the tests need and Python's registry has not: PostgreSQL's server programs. Installed where we may, else named.
set -euo pipefail
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing PostgreSQL's server programs (Debian package postgresql) for the tests"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
else
  echo "expected PostgreSQL's server programs (initdb, pg_ctl); install them, on Debian: apt-get install postgresql" >&2
  exit 1
fi
