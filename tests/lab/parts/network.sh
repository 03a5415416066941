# shellcheck shell=bash
# A bridge in a private range of its own, with addresses by DHCP. Guests reach this machine and nothing else.

network_up() {
    ip link show "$BRIDGE" >/dev/null 2>&1 || ip link add "$BRIDGE" type bridge forward_delay 0
    # Without an address of its own a bridge takes the lowest of its ports', which changes as guests come and go, and
    # the guests' ARP tables are wrong for some seconds.
    ip link set "$BRIDGE" address "$(printf '02:50:58:d5:%02x:01' "$NUMBER")"
    ip addr replace "$GATEWAY/24" dev "$BRIDGE"
    ip link set "$BRIDGE" up
    closed_to_the_world
    start_dnsmasq
}

# Nothing that a guest sends is carried on to another network, whatever the machine's own settings say; the guest is
# told so at once (ICMP "network unreachable") instead of being left to time out. Forwarding is switched on for
# this one bridge because Linux answers in that way only where it would forward.
closed_to_the_world() {
    ip route replace unreachable default table "$ROUTE_TABLE"
    ip rule del iif "$BRIDGE" 2>/dev/null || true
    ip rule add iif "$BRIDGE" lookup "$ROUTE_TABLE"
    echo 1 >"/proc/sys/net/ipv4/conf/$BRIDGE/forwarding"
}

# Addresses for the guests, and the names of public registries and mirrors as names of this lab; every other name
# does not exist. Settings come from the command line alone.
start_dnsmasq() {
    local name names=()
    for name in "${LAB_PUBLIC_NAMES[@]}"; do names+=("--address=/$name/$GATEWAY"); done
    stop_daemon dnsmasq
    start_daemon dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --log-facility=- --user=root \
        --interface="$BRIDGE" --bind-interfaces --except-interface=lo --no-resolv --no-hosts --no-poll \
        --dhcp-range="$NETWORK.50,$NETWORK.250,1h" --dhcp-authoritative --dhcp-no-override --no-ping \
        --dhcp-leasefile="$LAB/run/leases" --pid-file= "${names[@]}" --address=/#/
    wait_for 5 listening udp "$GATEWAY:53" || die "dnsmasq does not run, see $LAB/log/dnsmasq.log"
}

# Whether somebody listens: listening tcp|udp ADDRESS:PORT
listening() { ss -H -l -n --"$1" src "$2" | grep -q .; }

network_down() {
    stop_daemon dnsmasq
    ip rule del iif "$BRIDGE" 2>/dev/null || true
    ip route flush table "$ROUTE_TABLE" 2>/dev/null || true
    ip link del "$BRIDGE" 2>/dev/null || true
}
