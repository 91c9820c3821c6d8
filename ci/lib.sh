# Functions that the scripts of this folder share.

PATH="$PATH:/usr/sbin" # where Debian puts daemons

say() { printf '%s\n' "$*"; }

# need PROGRAM PACKAGE: installs Debian's PACKAGE unless PROGRAM exists.
need() {
    command -v "$1" >/dev/null || install "$2"
}

# install PACKAGE: from Debian, as root or through sudo.
install() {
    say "installing Debian's package $1"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { say "$1 is missing: install it as root, then try again" >&2; exit 2; }
        root=(sudo)
    fi
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -qq -y --no-install-recommends "$1" >/dev/null
}

