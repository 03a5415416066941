# shellcheck shell=bash
# Debian packages as raw material: fetched into a folder and unpacked, never installed on this machine,
# none of their scripts run. The package lists of the guest's release live in a folder of their own.

DEBS_RELEASE=trixie

debs_apt() {
    local root=$CACHE/apt
    apt-get -q -o Dir="$root" -o Dir::State::status="$root/var/lib/dpkg/status" -o Dir::Etc::parts=/nonexistent \
        -o Dir::Etc::sourceparts=/nonexistent -o APT::Sandbox::User=root -o APT::Install-Recommends=0 \
        -o Acquire::Languages=none "$@"
}

# Package lists of the release, fetched once (and again when a fetch from them fails: see debs_fetch).
debs_update() {
    local root=$CACHE/apt mirror
    mkdir -p "$root"/etc/apt/{trusted.gpg.d,preferences.d} "$root"/var/lib/apt/lists/partial "$root"/var/cache/apt/archives/partial \
        "$root"/var/lib/dpkg
    : >"$root/var/lib/dpkg/status"
    cp /usr/share/keyrings/debian-archive-keyring.gpg "$root/etc/apt/trusted.gpg.d/"
    # The mirror that this machine uses already.
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
    printf 'deb %s %s main\n' "${mirror:-http://deb.debian.org/debian/}" "$DEBS_RELEASE" >"$root/etc/apt/sources.list"
    debs_apt update >/dev/null
}

# Names of the packages and of everything they depend on.
debs_closure() {
    debs_apt -s install "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# Fetches packages into $CACHE/debs: debs_fetch NAME…
debs_fetch() {
    mkdir -p "$CACHE/debs"
    (cd "$CACHE/debs" && debs_apt download "$@" >/dev/null) && return 0
    debs_update
    (cd "$CACHE/debs" && debs_apt download "$@" >/dev/null)
}

# The fetched file of a package (apt writes "name_version_arch.deb").
deb_file() {
    local newest
    newest=$(find "$CACHE/debs" -name "$1_*.deb" | sort -V | tail -n 1)
    [[ -n $newest ]] || die "the package $1 was not fetched"
    printf '%s\n' "$newest"
}

# Unpacks packages below ROOT without their documentation: debs_unpack ROOT NAME…
debs_unpack() {
    local root=$1 name
    shift
    merged_usr "$root"
    for name in "$@"; do
        # A package may ship /lib/… while /lib is a link here: the link is kept and followed.
        dpkg-deb --fsys-tarfile "$(deb_file "$name")" | tar -x -C "$root" --keep-directory-symlink \
            --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
            --exclude='./usr/share/lintian/*' --exclude='./usr/share/bash-completion/*' --exclude='./usr/share/zsh/*'
    done
}

# Debian's libraries expect /lib, /bin and /sbin to be links into /usr.
merged_usr() {
    local root=$1 name
    for name in bin sbin lib lib64; do
        mkdir -p "$root/usr/$name"
        [[ -L $root/$name ]] || ln -s "usr/$name" "$root/$name"
    done
}

# Names what a folder of programs still misses: prints nothing when every library is there.
missing_libraries() {
    local root=$1 file
    find "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" -type f \( -perm -u+x -o -name '*.so*' \) -print | while read -r file; do
        LC_ALL=C chroot "$root" /usr/lib64/ld-linux-x86-64.so.2 --list "${file#"$root"}" 2>/dev/null |
            sed -n "s|^[[:space:]]*\(.*\) => not found|${file#"$root"}: \1|p"
    done
}
