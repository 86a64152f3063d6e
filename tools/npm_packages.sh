#!/bin/sh
# Installs the packages of package-lock.json into node_modules: biome and axe-core for checks, reveal.js for slides.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm > /dev/null; then
    echo "No node here: install node 20 or later, with npm." >&2
    exit 1
fi
# npm takes seconds: it runs when the lock file is another than that of the last installation.
if ! cmp -s package-lock.json node_modules/installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/installed-lock.json
fi
