# shellcheck shell=bash
# Which labs there are on this machine. Each has a number, from which its names and addresses follow, and a folder
# in $LAB_REGISTER: `dir` (where it lives) and `owner` (the process it was made for, "pid starttime", or empty).

LAB_REGISTER=${PROXIMITY_LAB_REGISTER:-/run/proximity-lab}

# The number of the lab in folder DIR; fails when there is none.
instance_of() {
    local entry
    for entry in "$LAB_REGISTER"/*/dir; do
        [[ -e $entry && $(<"$entry") == "$1" ]] || continue
        basename "$(dirname "$entry")"
        return 0
    done
    return 1
}

# Takes a free number for DIR: claim_instance DIR OWNER-PID-OR-EMPTY
claim_instance() {
    local number
    mkdir -p "$LAB_REGISTER"
    for number in {0..63}; do
        # Somebody's network may use these addresses already.
        [[ -z $(ip -4 route show "10.213.$number.0/24") ]] || continue
        # mkdir is what makes this safe: it succeeds for one of two.
        mkdir "$LAB_REGISTER/$number" 2>/dev/null || continue
        [[ -z $2 ]] || printf '%s %s\n' "$2" "$(start_time "$2")" >"$LAB_REGISTER/$number/owner"
        printf '%s\n' "$1" >"$LAB_REGISTER/$number/dir"
        printf '%s\n' "$number"
        return 0
    done
    return 1
}

# Folders of labs whose owner is gone.
abandoned_labs() {
    local entry pid started
    for entry in "$LAB_REGISTER"/*/owner; do
        [[ -e $entry ]] || continue
        read -r pid started <"$entry"
        same_process "$pid" "$started" || cat "$(dirname "$entry")/dir"
    done
}

# Names and addresses of lab number N, for all parts.
name_everything() {
    NUMBER=$1
    # Outlives the folder of the lab, so that a lab whose folder was deleted can still be taken down.
    REGISTERED=$LAB_REGISTER/$NUMBER
    BRIDGE=pxlab$NUMBER
    NETWORK=10.213.$NUMBER
    GATEWAY=$NETWORK.1
    REGISTRY_PORT=5000
    # Policy routing: see network.sh.
    ROUTE_TABLE=$((21300 + NUMBER))
    NODE_ADDRESS=127.213.$NUMBER
    SSH_PORT=2222
}
