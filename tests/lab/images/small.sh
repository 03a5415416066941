# shellcheck shell=bash
# Small services out of busybox: a page, an echo of a setting, a counter that needs redis, and one that dies.

# A folder with busybox, its library and the names that services use.
busybox_root() {
    local root name
    root=$(mktemp -d)
    debs_unpack "$root" libc6 busybox
    rm -rf "${root:?}"/usr/lib/{x86_64-linux-gnu/gconv,locale,systemd} "${root:?}"/{usr/share,etc,var}
    mkdir -p "$root"/{etc,proc,sys,dev,run,var,srv/cgi-bin} "$root/tmp"
    ln -s ../run "$root/var/run"
    chmod 1777 "$root/tmp"
    for name in $(chroot "$root" /usr/bin/busybox --list); do
        [[ -e $root/usr/bin/$name ]] || ln -s busybox "$root/usr/bin/$name"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\n' >"$root/etc/group"
    # As process 1 a program ignores TERM unless it asked for it; a `docker stop` would then take ten seconds.
    cat >"$root/usr/bin/serve" <<'SERVE'
#!/bin/sh
trap 'kill "$server"; exit 0' TERM INT
echo "listening on port 80"
httpd -f -vv -p 80 -h /srv &
server=$!
wait "$server"
SERVE
    chmod 755 "$root/usr/bin/serve"
    printf '%s\n' "$root"
}

web_config() { printf '{"Env":["PATH=/usr/bin:/usr/sbin:/bin"],"Cmd":["serve"],"ExposedPorts":{"80/tcp":{}}}'; }

# web_image NAME:TAG TEXT: answers / with the text
web_image() {
    local root
    root=$(busybox_root)
    printf '<!doctype html><title>lab</title><h1>%s</h1>\n' "$2" >"$root/srv/index.html"
    push_image "$root" "$1" "$(web_config)"
    rm -rf "$root"
}

# Answers /cgi-bin/value with the environment value VALUE, byte for byte and nothing else.
echo_image() {
    local root
    root=$(busybox_root)
    echo 'see /cgi-bin/value' >"$root/srv/index.html"
    cat >"$root/srv/cgi-bin/value" <<'CGI'
#!/bin/sh
printf 'Content-Type: application/octet-stream\r\n\r\n%s' "$VALUE"
CGI
    chmod 755 "$root/srv/cgi-bin/value"
    push_image "$root" "$1" "$(web_config)"
    rm -rf "$root"
}

# Says why it cannot start, and dies.
crash_image() {
    local root
    root=$(busybox_root)
    push_image "$root" "$1" '{"Env":["PATH=/usr/bin"],"Cmd":["sh","-c","echo cannot read /etc/crash.conf >&2; exit 3"]}'
    rm -rf "$root"
}

# Answers /cgi-bin/visits with a number that redis at REDIS_HOST counts up; 503 without redis.
visits_image() {
    local root
    root=$(busybox_root)
    echo 'see /cgi-bin/visits' >"$root/srv/index.html"
    cat >"$root/srv/cgi-bin/visits" <<'CGI'
#!/bin/sh
answer=$({ printf 'INCR visits\r\nQUIT\r\n'; sleep 0.2; } | nc -w 2 "${REDIS_HOST:-redis}" 6379 2>/dev/null | head -n 1)
case $answer in
:*) printf 'Content-Type: text/plain\r\n\r\nvisits %s\n' "$(printf %s "${answer#:}" | sed 's/[^0-9]//g')" ;;
*) printf 'Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nredis does not answer\n' ;;
esac
CGI
    chmod 755 "$root/srv/cgi-bin/visits"
    push_image "$root" "$1" "$(web_config)"
    rm -rf "$root"
}
