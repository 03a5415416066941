# shellcheck shell=bash
# The mirror that the guest's `apk` installs from: Debian's programs, cut and named as Alpine's packages.
# Form of a package: a plain tar of files; of the index: Alpine's, one block of "K:value" lines a package.

# build_mirror OUT: OUT/mirror/{main,community}/x86_64/…
build_mirror() {
    local mirror=$1/mirror
    rm -rf "$mirror"
    mkdir -p "$mirror/main/x86_64" "$mirror/community/x86_64"
    debs_fetch docker.io docker-cli docker-compose containerd runc tini iptables libseccomp2 libip4tc2 libip6tc2 \
        libxtables12 libmnl0 libnftnl11 libnfnetlink0 libnetfilter-conntrack3 libsystemd0 libcap2 libbtrfs0t64 \
        libdevmapper1.02.1 libudev1

    package main libseccomp 2.6.0-r0 "" libseccomp2
    package main iptables 1.8.11-r1 "" iptables libip4tc2 libip6tc2 libxtables12 libmnl0 libnftnl11 libnfnetlink0 libnetfilter-conntrack3
    package main ca-certificates 20250619-r0 ""
    package community runc 1.1.15-r0 "libseccomp" runc
    package community containerd 1.7.24-r0 "runc" containerd libbtrfs0t64
    package community tini-static 0.19.0-r3 "" tini
    package community docker-engine 26.1.5-r0 "ca-certificates containerd iptables tini-static" \
        docker.io libsystemd0 libcap2 libdevmapper1.02.1 libudev1
    package community docker-cli 26.1.5-r0 "ca-certificates" docker-cli
    package community docker-openrc 26.1.5-r0 ""
    package community docker 26.1.5-r0 "docker-engine docker-openrc docker-cli"
    package community docker-cli-compose 2.26.1-r0 "docker-cli" docker-compose
    local repository
    for repository in main community; do
        (cd "$mirror/$repository/x86_64" && mv INDEX APKINDEX && tar -czf APKINDEX.tar.gz APKINDEX && rm APKINDEX)
    done
}

# package REPOSITORY NAME VERSION "DEPENDENCIES" DEBIAN-PACKAGE…
package() {
    local folder="$mirror/$1/x86_64" name=$2 version=$3 depends=$4 root
    shift 4
    root=$(mktemp -d)
    debs_unpack "$root" "$@"
    package_trim "$root"
    [[ ! -d $HERE/guest/packages/$name ]] || cp -a "$HERE/guest/packages/$name/." "$root/"
    # Files only: a folder in the package would change the mode of the guest's own.
    (cd "$root" && find . -mindepth 1 ! -type d -not -path './bin' -not -path './sbin' -not -path './lib' -not -path './lib64' |
        sort | tar -cf "$folder/$name-$version.apk" --owner=0 --group=0 --no-recursion -T -)
    {
        printf 'P:%s\nV:%s\nA:x86_64\nS:%s\nI:%s\nT:%s\n' "$name" "$version" "$(stat -c %s "$folder/$name-$version.apk")" \
            "$(du -sb "$root" | cut -f1)" "$name for the lab's guest"
        [[ -z $depends ]] || printf 'D:%s\n' "$depends"
        echo
    } >>"$folder/INDEX"
    rm -rf "$root"
}

# What Debian ships beside the programs and Alpine does not.
package_trim() {
    local root=$1
    rm -rf "$root"/etc/{default,init.d,init,logrotate.d,apparmor.d} "$root"/usr/lib/{systemd,udev,tmpfiles.d,sysusers.d} \
        "$root"/usr/share/{bug,docker.io,apport,doc-base,bash-completion,fish,zsh,initramfs-tools} "$root"/etc/containerd
    rm -f "$root"/usr/bin/{ctr,containerd-stress,docker-compose}
    # Where Alpine has them.
    [[ ! -e $root/usr/sbin/dockerd ]] || mv "$root/usr/sbin/dockerd" "$root/usr/bin/"
    [[ ! -e $root/usr/bin/tini-static ]] || ln -sf tini-static "$root/usr/bin/docker-init"
}
