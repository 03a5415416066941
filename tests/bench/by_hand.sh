#!/usr/bin/env bash
# What an administrator's own script does for one app: the yardstick for a deployment through Proximity.
#
#   by_hand.sh deploy      makes the container, installs Docker, brings the project up, waits until it is healthy;
#                          prints `step milliseconds` for each step and `vmid N`, `address A`
#   by_hand.sh delete VMID force-stops and destroys it
#
# Environment: API (host:port), PROXMOX_PASSWORD, NODE, STORAGE, TEMPLATE, SSH_ADDRESS, SSH_PORT, SSH_KEY, SSH_KNOWN_HOSTS,
# NAME (of app and host), FILES (folder of the project's files), SERVICES (in the order of their pull), HEALTH (a URL).
# CREATE_* are parameters of the create call, all given.
set -euo pipefail

POLL=0.25
work=$(mktemp -d)
ssh_to=(ssh -F /dev/null -p "$SSH_PORT" -i "$SSH_KEY" -o IdentitiesOnly=yes -o BatchMode=yes
    -o "UserKnownHostsFile=$SSH_KNOWN_HOSTS" -o StrictHostKeyChecking=yes -o LogLevel=ERROR
    -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$work/ssh" "root@$SSH_ADDRESS")
clean_up() {
    [ ! -S "$work/ssh" ] || "${ssh_to[@]}" -O exit 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 143' TERM

began=${EPOCHREALTIME/./}
step() { # NAME: the step of this name has just ended
    local now=${EPOCHREALTIME/./}
    echo "$1 $(((now - began) / 1000))"
    began=$now
}

# The API's certificate is of its own making; the cluster listens on this machine only.
call() { # METHOD PATH [curl arguments…]: the answer's data
    local method=$1 path=$2
    shift 2
    curl -fsSk -m 60 -X "$method" -H "Cookie: PVEAuthCookie=$ticket" -H "CSRFPreventionToken: $csrf" "https://$API/api2/json$path" "$@"
}
log_in() {
    local answer
    answer=$(curl -fsSk -m 60 "https://$API/api2/json/access/ticket" --data-urlencode username=root@pam --data-urlencode "password=$PROXMOX_PASSWORD")
    read -r ticket csrf < <(jq -r '"\(.data.ticket) \(.data.CSRFPreventionToken)"' <<<"$answer")
}
task() { # UPID: waits until the task has ended, and well
    local state
    while state=$(call GET "/nodes/$NODE/tasks/$1/status" | jq -r '"\(.data.status) \(.data.exitstatus)"') && [[ $state == running* ]]; do
        sleep "$POLL"
    done
    [[ $state == 'stopped OK' ]] || { echo "task $1: $state" >&2; return 1; }
}
start_task() { task "$(call "$@" | jq -r '.data')"; }

inside() { # one argument: a script for the container's shell
    "${ssh_to[@]}" "pct exec $vmid -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -c $(printf %q "$1")"
}

deploy() {
    log_in
    vmid=$(call GET /cluster/nextid | jq -r .data)
    step number

    start_task POST "/nodes/$NODE/lxc" \
        --data-urlencode "vmid=$vmid" --data-urlencode "ostemplate=$TEMPLATE" --data-urlencode unprivileged=1 \
        --data-urlencode "rootfs=$STORAGE:$CREATE_DISK_GIB" --data-urlencode "memory=$CREATE_MEMORY" \
        --data-urlencode "swap=$CREATE_SWAP" --data-urlencode "cores=$CREATE_CORES" --data-urlencode "hostname=$NAME" \
        --data-urlencode "features=$CREATE_FEATURES" --data-urlencode onboot=1 --data-urlencode "tags=$CREATE_TAGS" \
        --data-urlencode "description=$NAME, made by hand" --data-urlencode "net0=$CREATE_NET0"
    step create_container
    start_task POST "/nodes/$NODE/lxc/$vmid/status/start"
    step start_container

    local address=''
    until [ -n "$address" ]; do
        address=$(call GET "/nodes/$NODE/lxc/$vmid/interfaces" |
            jq -r 'first(.data[]? | select(.name == "eth0") | .inet // empty) | split("/")[0]')
        [ -n "$address" ] || sleep "$POLL"
    done
    step await_address

    inside "
        apk update && apk add --no-cache docker docker-cli-compose || exit 10
        rc-update add docker default && rc-service docker start || exit 11
        until docker info >/dev/null 2>&1; do sleep $POLL; done
        [ \"\$(docker info -f '{{.Driver}}')\" != vfs ] || exit 12
        tar -c -h -f - /bin/busybox \$(ldd /bin/busybox | grep -o '/[^ ]*' | sort -u) 2>/dev/null |
            docker import - smoke:1 && docker run --rm --network bridge smoke:1 /bin/busybox true" >/dev/null
    step install_docker

    tar -c -C "$FILES" . | inside "mkdir -p /opt/proximity/$NAME && tar -x -f - -C /opt/proximity/$NAME"
    step upload_project
    local folder=/opt/proximity/$NAME service
    local compose="docker compose --progress plain --project-name $NAME --project-directory $folder --env-file $folder/.env
        --file $folder/compose.yaml --file $folder/compose.override.yaml"
    compose=${compose//$'\n'/ }
    for service in $SERVICES; do
        inside "$compose pull --policy missing $service" >/dev/null
    done
    step pull_images
    inside "$compose up --detach --no-build --remove-orphans" >/dev/null
    step start_project
    # Until every service runs, is healthy if it can tell, and the app's own page answers.
    inside "
        until states=\$($compose ps --all --format '{{.State}}/{{.Health}}') && [ -n \"\$states\" ] &&
            ! echo \"\$states\" | grep -qvE '^running/(healthy)?\$' && wget -q -T 5 -O /dev/null $HEALTH
        do sleep $POLL; done" >/dev/null 2>&1
    step check_health
    echo "vmid $vmid"
    echo "address $address"
}

delete() {
    log_in
    start_task DELETE "/nodes/$NODE/lxc/$1?force=1&purge=1&destroy-unreferenced-disks=1"
    step destroy_container
}

"$@"
