# Installs Docker and its compose plugin in a stock Alpine container and proves that it can run a container.
# Sent to `sh -s` on standard input. Safe to run again: every part first looks at what is there already.
#
# Exit codes: 10 packages cannot be installed, 11 the engine does not answer, 12 its storage driver copies
# every layer (vfs), 13 a container on a bridge network does not run.
set -u

say() { printf '== %s\n' "$*"; }
fail() { code=$1; shift; printf 'failed: %s\n' "$*" >&2; exit "$code"; }

# An earlier run may have outlived its caller; two at once would fight over apk's database.
exec 9>/run/proximity-install.lock
flock 9

# Docker lives in "community". A container may have only "main"; what is added keeps its mirror and release.
enable_community() {
    file=/etc/apk/repositories
    grep -q '^[^#].*/community/*$' "$file" && return 0
    main=$(grep '^[^#].*/main/*$' "$file" | head -n 1)
    release=$(cut -d . -f 1,2 /etc/alpine-release)
    base=${main%/main*}
    say "enabling the community repository"
    printf '%s\n' "${base:-http://dl-cdn.alpinelinux.org/alpine/v$release}/community" >>"$file"
}

# `apk update` is its own command so that an unreachable mirror is named, and not "no such package".
install_packages() {
    apk update && apk add --no-cache docker docker-cli-compose
}

if docker compose version >/dev/null 2>&1; then
    say "docker is installed already"
else
    enable_community
    attempt=1
    until install_packages 9>&-; do
        [ "$attempt" -lt 4 ] || fail 10 "apk could not install docker after $attempt attempts"
        say "apk failed, attempt $attempt of 4; trying again"
        sleep $((attempt * 2))
        attempt=$((attempt + 1))
    done
fi

# 9>&-: a service must not hold the lock of the script that started it.
rc-update add docker default >/dev/null 2>&1 9>&-
rc-service docker status >/dev/null 2>&1 9>&- || {
    say "starting the docker service"
    rc-service docker start 9>&- || fail 11 "the docker service does not start"
}

# OpenRC returns before dockerd answers.
waited=0
until driver=$(docker info -f '{{.Driver}}' 2>/dev/null) && [ -n "$driver" ]; do
    if [ "$waited" -ge 90 ]; then
        tail -n 15 /var/log/docker.log >&2 2>/dev/null
        fail 11 "docker did not answer within 90 seconds"
    fi
    sleep 1
    waited=$((waited + 1))
done
say "docker answers, storage driver $driver"
[ "$driver" != vfs ] || fail 12 "docker chose the storage driver vfs, which copies every layer whole"

# `docker info` does not notice a host that cannot start containers on a bridge network. The image is made
# of the guest's own busybox, so that nothing has to be pulled for this.
if ! docker image inspect proximity/smoke:1 >/dev/null 2>&1; then
    libraries=$(ldd /bin/busybox 2>/dev/null | grep -o '/[^ ]*' | sort -u)
    # Unquoted on purpose: a list of library paths, one word each.
    tar -c -h -f - /bin/busybox $libraries 2>/dev/null | docker import - proximity/smoke:1 >/dev/null ||
        fail 13 "the image of the smoke test cannot be made"
fi
say "running a container on a bridge network"
docker run --rm --network bridge proximity/smoke:1 /bin/busybox true ||
    fail 13 "a container on a bridge network does not run"
say "docker works"
