# shellcheck shell=bash
# lab.env: all that others need to know of a lab. Read by shells and by the simulated cluster: KEY='value' lines.

write_env() {
    local hosts='' keys='' node key
    key=$(cut -d' ' -f1,2 "$LAB/ssh/host_key.pub")
    for node in $(seq 1 "$LAB_NODES"); do
        hosts+="${hosts:+,}pve$node=$NODE_ADDRESS.$node:$SSH_PORT"
        keys+="${keys:+,}pve$node=$key"
    done
    cat >"$LAB/lab.env.new" <<ENV
LAB_DIR='$LAB'
LAB_NUMBER='$NUMBER'
LAB_BRIDGE='$BRIDGE'
LAB_NETWORK='$NETWORK.0/24'
LAB_GATEWAY='$GATEWAY'
LAB_STORAGE='$LAB/storage'
LAB_CONTAINERS='$LAB/ct'
LAB_TEMPLATE='$GUEST/template.tar.zst'
LAB_LEASES='$LAB/run/leases'
LAB_ID_START='$ID_START'
LAB_REGISTRY='$GATEWAY:$REGISTRY_PORT'
LAB_CA_FILE='$GUEST/ca.crt'
LAB_SSH_USER='root'
LAB_SSH_KEY_FILE='$LAB/ssh/user_key'
LAB_SSH_HOSTS='$hosts'
LAB_SSH_HOST_KEYS='$keys'
ENV
    mv "$LAB/lab.env.new" "$LAB/lab.env"
}
