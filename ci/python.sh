# Packages from PyPI, each with its dependencies in an environment of its own below the build folder. For scripts that
# have read lib.sh and give their name in `what`.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
peers="$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")/peers"

# environment NAME PACKAGE==VERSION...: a Python with these packages, $peers/NAME/bin/python.
environment() {
    local name=$1 python="$peers/$1/bin/python"
    shift
    if ! "$python" -c "$HAS" "$@" 2>/dev/null; then
        say "$what: installing $* into $peers/$name"
        rm -rf "${peers:?}/$name"
        pip
        python3 -m venv --without-pip "$peers/$name"
        "$peers/pip/bin/python" -m pip --python "$python" install --quiet --disable-pip-version-check "$@"
    fi
    say "$what: $*"
}

# client NAME PACKAGE==VERSION...: the same, as the program NAME among the peers.
client() {
    environment "$@"
    script "$1" "$peers/$1/bin/python"
}

HAS='
import sys
from importlib.metadata import version
assert all(version(name) == wanted for name, wanted in (given.split("==") for given in sys.argv[1:]))'

# The only pip, which installs into all of them: an environment with its own pip takes seconds.
pip() {
    "$peers/pip/bin/python" -m pip --version >/dev/null 2>&1 && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || install python3-venv
    rm -rf "$peers/pip"
    python3 -m venv "$peers/pip"
}

# script NAME INTERPRETER: the interpreter under NAME among the peers. A link would not find its environment.
script() {
    mkdir -p "$peers/bin"
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$2" >"$peers/bin/$1"
    chmod +x "$peers/bin/$1"
}
