#!/bin/sh
# Lints and tests the widgets' JavaScript and CSS. Left out where there is no npm, but never in CI.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm > /dev/null; then
    if [ -n "${CI:-}" ]; then
        echo "No node here, and CI must not leave out the checks of the widgets' JavaScript: see .ci/run." >&2
        exit 1
    fi
    echo "No node here: the widgets' JavaScript is neither linted nor tested."
    exit 0
fi
sh tools/npm_packages.sh
npx --no-install biome check --error-on-warnings .
node --test --test-reporter=dot tests/js/*.test.mjs
