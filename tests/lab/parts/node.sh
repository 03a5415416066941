# shellcheck shell=bash
# The nodes' SSH: one real sshd, an address for each node (pve1 is .1), a host key and a user key of its own.
# Nothing of the machine's own sshd is used: neither its settings, nor its keys, nor root's authorized_keys.

node_up() {
    local ssh=$LAB/ssh node listen=
    mkdir -p "$ssh" "$LAB/bin" /run/sshd
    [[ -e $ssh/host_key ]] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$ssh/host_key"
    [[ -e $ssh/user_key ]] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$ssh/user_key"
    cp "$ssh/user_key.pub" "$ssh/authorized_keys"
    install -m 755 "$HERE/node/pct" "$LAB/bin/pct"
    for node in $(seq 1 "$LAB_NODES"); do listen+="ListenAddress $NODE_ADDRESS.$node:$SSH_PORT"$'\n'; done
    # A locked root account is refused by sshd itself unless PAM decides.
    local pam=no
    [[ $(getent shadow root | cut -d: -f2) != '!'* ]] || pam=yes
    cat >"$ssh/sshd_config" <<CONF
$listen
HostKey $ssh/host_key
AuthorizedKeysFile $ssh/authorized_keys
PidFile none
UsePAM $pam
StrictModes no
PermitRootLogin prohibit-password
AllowUsers root
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
AcceptEnv LANG LC_*
MaxSessions 100
MaxStartups 100
SetEnv PATH=$LAB/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CONF
    stop_daemon sshd
    start_daemon sshd "$(command -v sshd)" -D -e -f "$ssh/sshd_config"
    wait_for 5 listening tcp "$NODE_ADDRESS.1:$SSH_PORT" || die "sshd does not run, see $LAB/log/sshd.log"
}

node_down() {
    stop_daemon sshd
    rm -rf "${LAB:?}/ssh" "${LAB:?}/bin"
}
