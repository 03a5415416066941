# Installs Docker and its compose plugin in a stock Alpine container and proves that it can run a container.
# Sent to `sh -s` on standard input. Safe to run again: every part first looks at what is there already.
#
# Exit codes: 10 packages cannot be installed, 11 the engine does not answer, 12 its storage driver copies
# every layer (vfs), 13 a container on a bridge network does not run.
set -u

# What is begun is brought to its end, also when nobody reads any more what is said of it: the connection is
# cut, or the caller was killed. A signal in the middle of apk's or OpenRC's work leaves half of it.
trap '' PIPE
say() { printf '== %s\n' "$*"; }
fail() { code=$1; shift; printf 'failed: %s\n' "$*" >&2; exit "$code"; }

# An earlier run may have outlived its caller; two at once would fight over apk's database. Whoever waits here
# for nobody leaves, or those who come again and again would stand in a queue.
exec 9>/run/proximity-install.lock
waited=0
until flock -n 9; do
    [ $((waited % 10)) -ne 0 ] || say "waiting for an earlier installation to end" || exit 1
    sleep 1
    waited=$((waited + 1))
done

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

# Never to a pipe: OpenRC (seen on 0.56) takes a start that dies of a broken one for done, and the service counts
# as started with nothing of it running. 9>&-: a service must not hold the lock of the script that started it.
service() { (trap - PIPE; exec rc-service docker "$@") >>/var/log/proximity-install.log 2>&1 9>&-; }
start_service() {
    service start && return
    tail -n 15 /var/log/proximity-install.log >&2
    fail 11 "the docker service does not start"
}

rc-update add docker default >/dev/null 2>&1 9>&-
service status || { say "starting the docker service"; start_service; }

# OpenRC returns before dockerd answers.
waited=0
missed=0
until driver=$(docker info -f '{{.Driver}}' 2>/dev/null) && [ -n "$driver" ]; do
    if [ "$waited" -ge 90 ]; then
        tail -n 15 /var/log/docker.log >&2 2>/dev/null
        fail 11 "docker did not answer within 90 seconds"
    fi
    # Whatever OpenRC believes: what has not been seen for a while does not run.
    if pidof dockerd >/dev/null; then missed=0; else missed=$((missed + 1)); fi
    if [ "$missed" -ge 5 ]; then
        say "docker counts as started but does not run; starting it anew"
        service stop
        service zap
        start_service
        missed=0
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
