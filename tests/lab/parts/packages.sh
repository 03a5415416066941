# shellcheck shell=bash
# The Debian packages of the host side. Installs what is missing, and starts none of their services.

LAB_PACKAGES=(
    btrfs-progs ca-certificates curl dnsmasq-base dnsmasq-utils docker-registry iproute2 lxc nginx-light
    jq openssh-client openssh-server openssl skopeo util-linux zstd
)

install_packages() {
    local missing=() package
    for package in "${LAB_PACKAGES[@]}"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    without_services apt_install "${missing[@]}"
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq --no-install-recommends "$@" >/dev/null 2>&1 && return 0
    apt-get update -qq
    apt-get install -qq --no-install-recommends "$@" >/dev/null
}

# The lab runs these programs itself, with its own settings: a package must not start a second one beside it,
# now (policy-rc.d) or at the next boot (disable).
without_services() {
    local policy=/usr/sbin/policy-rc.d ours=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        ours=yes
    fi
    local status=0
    "$@" || status=$?
    [[ -z $ours ]] || rm -f "$policy"
    if command -v systemctl >/dev/null; then
        local unit
        for unit in docker-registry lxc-net lxc nginx ssh; do
            # Only what is not running: a service that the machine already had is none of ours.
            systemctl is-active -q "$unit" 2>/dev/null || systemctl disable -q "$unit" 2>/dev/null || true
        done
    fi
    return "$status"
}
