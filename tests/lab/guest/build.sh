# shellcheck shell=bash
# The guest: a root file system like stock Alpine's (busybox, OpenRC, nothing else), packed as the template.
# See the README for what is like Alpine and what is not.


# build_guest OUT: OUT/template.tar.zst
build_guest() {
    local out=$1 root
    root=$(mktemp -d)
    debs_fetch busybox libc6 libcap2 libgcc-s1 libpcre2-8-0 libselinux1 libaudit1 libcap-ng0 libeinfo1 \
        librc1t64 libpam0g openrc ca-certificates util-linux
    debs_unpack "$root" libc6 libgcc-s1 libpcre2-8-0 libselinux1 libaudit1 libcap-ng0 libcap2 libpam0g \
        libeinfo1 librc1t64 openrc busybox
    guest_programs "$root"
    guest_files "$root"
    guest_trust "$root" "$out"
    local missing
    missing=$(missing_libraries "$root" | head -n 5)
    [[ -z $missing ]] || die "the guest lacks libraries: $missing"
    tar -c -C "$root" --numeric-owner --sort=name --mtime=@0 . | zstd -q -3 -T0 -o "$out/template.tar.zst" -f
    rm -rf "$root"
}

# busybox under all of its names; flock and mountpoint, which Debian's lacks, from util-linux.
guest_programs() {
    local root=$1 extra
    rm -rf "$root"/etc/init.d "$root"/etc/rc?.d "$root"/usr/lib/systemd "$root"/usr/share/{initramfs-tools,locale,doc}
    rm -rf "$root/etc/default" "$root/usr/lib/x86_64-linux-gnu/gconv" "$root/usr/lib/locale"
    chroot "$root" /usr/bin/busybox --list-full >/dev/null
    local name
    for name in $(chroot "$root" /usr/bin/busybox --list); do
        case $name in
            # Names of Debian's tools that an Alpine guest has not got.
            busybox | dpkg | dpkg-deb | rpm | rpm2cpio | init) continue ;;
            # OpenRC has its own, which its scripts expect.
            start-stop-daemon) continue ;;
        esac
        [[ -e $root/usr/bin/$name || -e $root/usr/sbin/$name ]] || ln -s /bin/busybox "$root/usr/bin/$name"
    done
    for name in init halt poweroff reboot ifup ifdown ip route udhcpc syslogd klogd; do
        rm -f "$root/usr/bin/$name"
        ln -sfn /bin/busybox "$root/usr/sbin/$name"
    done
    ln -sfn ../lib/rc/sbin/start-stop-daemon "$root/usr/sbin/start-stop-daemon"
    extra=$(mktemp -d)
    debs_unpack "$extra" util-linux
    cp "$extra/usr/bin/flock" "$extra/usr/bin/mountpoint" "$root/usr/bin/"
    rm -rf "$extra"
}

guest_files() {
    local root=$1 folder
    cp -a "$HERE/guest/files/." "$root/"
    chown -R 0:0 "$root/etc" "$root/usr"
    chmod 640 "$root/etc/shadow"
    for folder in dev proc sys run tmp root home mnt media opt srv var/log var/lib var/cache/apk var/tmp var/spool \
        lib/apk/db etc/apk/keys etc/network etc/insserv.conf.d etc/runlevels/{sysinit,boot,default,shutdown,nonetwork} usr/local/bin; do
        mkdir -p "$root/$folder"
    done
    chmod 1777 "$root/tmp" "$root/var/tmp"
    chmod 700 "$root/root"
    ln -sfn ../../etc/os-release "$root/usr/lib/os-release"
    ln -sfn /run "$root/var/run"
    ln -sfn /run/lock "$root/var/lock"
    ln -sfn /usr/lib/rc/sh/functions.sh "$root/etc/init.d/functions.sh"
    local service
    for service in hostname networking; do ln -s "/etc/init.d/$service" "$root/etc/runlevels/boot/$service"; done
    # rc_sys as Alpine's own template for containers sets it.
    printf 'rc_sys="lxc"\nrc_logger="NO"\nrc_parallel="NO"\nunicode="YES"\n' >"$root/etc/rc.conf"
    printf '127.0.0.1\tlocalhost localhost.localdomain\n::1\t\tlocalhost localhost.localdomain\n' >"$root/etc/hosts"
    echo localhost >"$root/etc/hostname"
    guest_database "$root"
}

# The packages that a stock guest has, as apk's database names them.
guest_database() {
    local root=$1 name
    for name in alpine-baselayout alpine-keys apk-tools busybox ca-certificates-bundle musl openrc zlib; do
        printf 'P:%s\nV:1.0-r0\nA:x86_64\nI:524288\nT:%s\n\n' "$name" "part of the lab's guest"
    done >"$root/lib/apk/db/installed"
    printf '%s\n' alpine-baselayout apk-tools busybox openrc >"$root/etc/apk/world"
    echo x86_64 >"$root/etc/apk/arch"
}

# The certificate authorities of a stock guest, and the lab's own: it stands in for the public registries.
guest_trust() {
    local root=$1 out=$2 extra
    extra=$(mktemp -d)
    debs_unpack "$extra" ca-certificates
    mkdir -p "$root/etc/ssl/certs"
    cat "$extra"/usr/share/ca-certificates/mozilla/*.crt "$out/ca.crt" >"$root/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$extra"
}
