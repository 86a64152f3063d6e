#!/bin/sh
# Makes .venv with the pinned packages of $1 (requirements.txt, -book or -dev); does nothing when it stands.
set -eu
cd "$(dirname "$0")/.."
wanted=$1
python=.venv/bin/python
# The path counts too: packages of a virtual environment remember it.
state=$({ pwd; cat requirements.txt requirements-book.txt requirements-dev.txt constraints.txt pyproject.toml tools/make_env.sh; } | cksum)

for stamp in ".venv/ready-$wanted" .venv/ready-requirements-dev.txt; do  # the latter has the others in it
    [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && "$python" -c pass 2>/dev/null && exit 0
done

fail() {
    echo "$1" >&2
    exit 1
}

supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
if ! "$python" -c "$supported" 2>/dev/null || [ "$(cat .venv/made-in 2>/dev/null)" != "$(pwd)" ]; then
    found=""
    bare=""
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        "$candidate" -c "$supported" 2>/dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            found=$candidate
            break
        fi
        bare=${bare:-$candidate}
    done
    [ -n "$found" ] || [ -z "$bare" ] || fail "$bare cannot make virtual environments: install its venv package \
(Debian, Ubuntu: sudo apt-get install python3-venv) and run this again."
    [ -n "$found" ] || fail "Python 3.11, 3.12 or 3.13 is needed, and \
${PYTHON:-python3} is $(${PYTHON:-python3} --version 2>/dev/null | head -n 1): install one \
(macOS: brew install python@3.13; Debian, Ubuntu: sudo apt-get install python3 python3-venv), or name yours with \
make PYTHON=/path/to/python3."
    echo "Making .venv with $("$found" --version)."
    rm -rf .venv
    "$found" -m venv .venv || fail "$found could not make the folder .venv: see the lines above."
    pwd > .venv/made-in
fi
rm -f .venv/ready-*
echo "Installing the packages of $wanted, a few minutes at most."
pip() {
    "$python" -m pip --disable-pip-version-check "$@"
}

# uv takes a fraction of pip's time, but does not read pip's settings: where these name an index, pip does it, as it
# does where uv cannot. uv's cache lies beside what it is linked to, so it takes no room, and goes in the end.
with_uv() {
    pip config list | grep -Eq "\.(no-)?index(-url)?=" && return 1
    pip install --quiet --no-compile --only-binary :all: "$(grep -o "^uv==[0-9.]*" requirements-dev.txt)" || return 1
    UV_CACHE_DIR=.venv/uv-cache "$python" -m uv pip install --quiet --python "$python" -r "$wanted" || return 1
    rm -rf .venv/uv-cache
}

with_uv 2>/dev/null || pip install --quiet -r "$wanted" ||
    fail "The packages could not be installed: check the network and run this again; what is there is kept."
echo "$state" > ".venv/ready-$wanted"
