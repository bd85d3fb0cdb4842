# Sourced by the scripts: installs the Debian packages they need, if they are not there.

build_packages=(
    libuv1-dev libwebsockets-dev libwebsockets-evlib-uv libssl-dev libpq-dev libnghttp2-dev libsecp256k1-dev libqrencode-dev
    libcurl4-openssl-dev pkg-config
)
run_packages=(postgresql-15 python3 util-linux procps)
test_packages=(python3-venv python3-dev build-essential chromium nodejs openssl curl nginx caddy)

# need_packages NAME…: returns at once if all are installed.
need_packages() {
    local missing=() name
    if ! command -v dpkg-query >/dev/null; then
        echo "This needs Debian 12 or one of its relatives. Packages to look for: $*" >&2
        exit 69
    fi
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Missing packages and no sudo to install them. As root: apt-get install ${missing[*]}" >&2
            exit 77
        fi
        as_root=(sudo)
    fi
    echo "Installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=600 "${missing[@]}" >&2
}

# Finds the compiler, also where installers put it without touching PATH.
need_swift() {
    local place
    if ! command -v swift >/dev/null; then
        for place in "$HOME/.local/share/swiftly/bin" /opt/swift/usr/bin /usr/local/swift/usr/bin; do
            if [ -x "$place/swift" ]; then PATH=$place:$PATH; break; fi
        done
    fi
    command -v swift >/dev/null || { echo "Swift 6.3 is not installed: https://www.swift.org/install/linux/" >&2; exit 69; }
}

# Settings of the caller's own gateway are nobody else's business here.
forget_settings() {
    local name
    for name in "${!LEYDEN_@}"; do unset "$name"; done
}
