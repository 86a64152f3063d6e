#!/bin/sh
# Installs the packages of package-lock.json into node_modules: biome and axe-core for checks, reveal.js for slides.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm > /dev/null || ! node -e 'process.exit(Number(parseInt(process.versions.node) < 18))' 2> /dev/null; then
    found=$(node --version 2> /dev/null || echo none)
    echo "Node 18 or later is needed, with npm, and here is $found: install them (Debian 12, Ubuntu 24.04 and later: \
apt-get install nodejs npm; elsewhere from nodejs.org)." >&2
    exit 1
fi
# npm takes seconds: it runs when the lock file is another than that of the last installation.
if ! cmp -s package-lock.json node_modules/installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/installed-lock.json
fi
