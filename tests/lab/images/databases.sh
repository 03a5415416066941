# shellcheck shell=bash
# Real databases from Debian's packages, in images that take the settings of Docker Hub's official ones.

# Adds a package with all it depends on to a root, without what only Debian's own scripts need.
add_with_dependencies() {
    local root=$1 name wanted=()
    shift
    for name in $(debs_closure "$@"); do
        case $name in
            debconf | adduser | passwd | init-system-helpers | perl* | libperl* | lib*-perl | postgresql-common* | postgresql-client-common) ;;
            ssl-cert | ucf | locales | libc-l10n | sensible-utils | libllvm* | libz3-4 | readline-common | base-passwd | login*) ;;
            gcc-14-base | libdebconfclient0 | libpam-modules* | libsemanage* | libdb5* | openssl | procps | sysvinit-utils) ;;
            *) wanted+=("$name") ;;
        esac
    done
    debs_fetch "${wanted[@]}"
    debs_unpack "$root" "${wanted[@]}"
    rm -rf "$root"/usr/lib/x86_64-linux-gnu/gconv "$root"/usr/lib/systemd "$root"/etc/{init.d,default,logrotate.d}
}

# redis_image NAME:TAG…
redis_image() {
    local root name missing
    root=$(busybox_root)
    add_with_dependencies "$root" redis-server
    rm -f "$root"/usr/bin/redis-benchmark
    mkdir -p "$root/data"
    missing=$(missing_libraries "$root" | grep redis || true)
    [[ -z $missing ]] || die "redis lacks libraries: $missing"
    for name in "$@"; do
        push_image "$root" "$name" '{"Env":["PATH=/usr/bin"],"WorkingDir":"/data","Volumes":{"/data":{}},"ExposedPorts":{"6379/tcp":{}},
            "Cmd":["redis-server","--protected-mode","no","--dir","/data"]}'
    done
    rm -rf "$root"
}

# postgres_image NAME:TAG…: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, PGDATA
postgres_image() {
    local root name missing bin=usr/lib/postgresql/17/bin
    root=$(busybox_root)
    add_with_dependencies "$root" postgresql-17 postgresql-client-17 tzdata
    rm -rf "$root"/usr/lib/postgresql/17/lib/{bitcode,llvmjit*} "$root"/usr/include "$root/$bin"/pgbench
    missing=$(missing_libraries "$root" | grep "$bin" || true)
    [[ -z $missing ]] || die "postgres lacks libraries: $missing"
    printf 'postgres:x:999:999::/var/lib/postgresql:/bin/sh\n' >>"$root/etc/passwd"
    printf 'postgres:x:999:\n' >>"$root/etc/group"
    mkdir -p "$root/var/lib/postgresql/data" "$root/run/postgresql" "$root/etc/postgresql"
    chown -R 999:999 "$root/var/lib/postgresql" "$root/run/postgresql"
    install -m 755 "$HERE/images/postgres-entrypoint" "$root/usr/bin/docker-entrypoint.sh"
    for name in "$@"; do
        push_image "$root" "$name" '{"Env":["PATH=/usr/lib/postgresql/17/bin:/usr/bin","PGDATA=/var/lib/postgresql/data"],
            "Volumes":{"/var/lib/postgresql/data":{}},"ExposedPorts":{"5432/tcp":{}},"StopSignal":"SIGINT",
            "Entrypoint":["docker-entrypoint.sh"],"Cmd":["postgres"]}'
    done
    rm -rf "$root"
}
