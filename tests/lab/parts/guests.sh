# shellcheck shell=bash
# The containers of a lab as a whole; each of them is the business of the simulated cluster.

# The range of user ids that guests get. Where shadow's newuidmap is installed, LXC insists that root owns the range.
guest_ids() {
    ID_START=$(awk -F: '$1 == "root" && $3 >= 65536 { print $2; exit }' /etc/subuid 2>/dev/null)
    [[ -z $ID_START ]] || return 0
    ID_START=100000
    command -v newuidmap >/dev/null || return 0
    local file
    for file in /etc/subuid /etc/subgid; do echo "root:$ID_START:65536" >>"$file"; done
}

# "pid vmid" of every container of this lab that runs, by the name of LXC's own process beside it.
running_guests() {
    local entry words
    for entry in /proc/[0-9]*/cmdline; do
        words=$({ tr "\0" " " <"$entry"; } 2>/dev/null) || continue
        [[ $words == "[lxc monitor] $LAB/ct "* ]] || continue
        words=${words#"[lxc monitor] $LAB/ct "}
        printf '%s %s\n' "$(basename "$(dirname "$entry")")" "${words%% *}"
    done
}

guests_down() {
    local monitor vmid
    while read -r monitor vmid; do
        lxc-stop -P "$LAB/ct" -n "$vmid" -k 2>/dev/null || true
        # The folder of the lab may be gone, and with it the way to ask; the container's first process is the child.
        wait_for 5 eval "! kill -0 $monitor" || kill -9 "$(cut -d' ' -f1 "/proc/$monitor/task/$monitor/children")" || true
    done < <(running_guests)
    rm -rf "$LAB/ct"
}
