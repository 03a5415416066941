# shellcheck shell=bash
# Words that every part of the lab uses. Sourced, never run.

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command until it succeeds: wait_for SECONDS COMMAND…
# A process started in the background says in its own way when it is ready; none of them is given a fixed time.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

# Whether process $1 still is the one that started at time $2 (a pid alone may belong to somebody else by now).
same_process() {
    local state started
    read -r state started < <(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1,20) || return 1
    # A dead process that nobody has collected (Z) is as good as gone.
    [[ $started == "$2" && $state != [ZX] ]]
}

# When process $1 started, in clock ticks since boot.
start_time() {
    # The second field is the name in brackets and may hold spaces; what is wanted is the 22nd.
    sed 's/^.*) //' "/proc/$1/stat" | cut -d' ' -f20
}

# Starts a daemon and writes down who it is: start_daemon NAME COMMAND…
# $REGISTERED/NAME.pid holds "pid starttime"; output goes to $LAB/log/NAME.log.
start_daemon() {
    local name=$1 pid
    shift
    setsid "$@" </dev/null >>"$LAB/log/$name.log" 2>&1 &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$REGISTERED/$name.pid"
}

# Ends the daemon of that name, if it still is ours: stop_daemon NAME
stop_daemon() {
    local pid started file="$REGISTERED/$1.pid"
    [[ -r $file ]] || return 0
    read -r pid started <"$file"
    if same_process "$pid" "$started"; then
        kill "$pid" 2>/dev/null || true
        wait_for 5 process_gone "$pid" "$started" || kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$file"
}

process_gone() { ! same_process "$1" "$2"; }
