# shellcheck shell=bash
# Disks of the guests: subvolumes of a btrfs file system in a file, which is what gives snapshots and linked clones.

STORAGE_SIZE=24G

storage_up() {
    mkdir -p "$LAB/storage"
    if ! mountpoint -q "$LAB/storage"; then
        [[ -e $LAB/storage.img ]] || {
            truncate -s "$STORAGE_SIZE" "$LAB/storage.img"
            mkfs.btrfs -q "$LAB/storage.img" >>"$LAB/log/storage.log" 2>&1
        }
        loop_nodes
        mount -o loop,noatime,discard=async "$LAB/storage.img" "$LAB/storage"
        # Sizes of disks are limits of quota groups.
        btrfs quota enable "$LAB/storage"
    fi
    # The guests' root, an ordinary user here, has to pass through on its way to its own disk.
    chmod 711 "$LAB/storage"
}

# Where nobody makes device nodes (no udev), a free loop device may lack its node.
loop_nodes() {
    local free
    free=$(losetup -f 2>/dev/null) || free=
    [[ -z $free || -b $free ]] || mknod "$free" b 7 "${free#/dev/loop}"
}

storage_down() {
    # Taken by hand or left by a guest: what lies on top goes first.
    while mountpoint -q "$LAB/storage"; do umount "$LAB/storage" 2>/dev/null || umount -l "$LAB/storage"; done
    rm -f "$LAB/storage.img"
    rmdir "$LAB/storage" 2>/dev/null || true
}
