# shellcheck shell=bash
# The images of the lab's registry. Which there are, and what each is for, stands here; the files beside it make them.

# build_images OUT: OUT/registry, what docker-registry serves
build_images() {
    local out=$1 port
    for port in {25000..25099}; do listening tcp "127.0.0.1:$port" || break; done
    rm -rf "$out/registry"
    mkdir -p "$out/registry" "$out/run"
    PUSH_TO=127.0.0.1:$port
    cat >"$out/run/registry.yml" <<CONF
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $out/registry}}
http: {addr: "$PUSH_TO"}
CONF
    docker-registry serve "$out/run/registry.yml" >"$out/run/log" 2>&1 &
    local registry=$!
    # shellcheck disable=SC2064  # the pid of now
    trap "kill $registry 2>/dev/null || true" EXIT
    wait_for 10 curl -fs "http://$PUSH_TO/v2/" || die "no registry to push to: $(cat "$out/run/log")"

    debs_fetch busybox libc6
    web_image demo/web:1 "Proximity's lab, version 1"
    web_image demo/web:2 "Proximity's lab, version 2"
    echo_image demo/echo:1
    crash_image demo/crash:1
    visits_image demo/visits:1
    redis_image library/redis:8 library/redis:latest
    postgres_image library/postgres:17 library/postgres:17.4 library/postgres:latest

    kill "$registry"
    wait "$registry" 2>/dev/null || true
    trap - EXIT
    rm -rf "$out/run"
}
