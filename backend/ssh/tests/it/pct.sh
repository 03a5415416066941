#!/bin/sh
# A stand-in for pct: `exec` runs its arguments on this machine without a shell, `set` writes down what it was given.
# It is an old one: it has no options. 101 and 103 run (103 has busybox for its tools), 102 is stopped, 104 is
# frozen, others are elsewhere.
home=${0%/*}
command=$1
id=$2
shift 2
case $command:$id in
*:101 | exec:103) ;;
exec:102)
    echo "container '102' not running!" >&2
    exit 255
    ;;
exec:104)
    echo $$ > "$home/frozen"
    exec sleep 60
    ;;
*)
    echo "Configuration file 'nodes/pve1/lxc/$id.conf' does not exist" >&2
    exit 2
    ;;
esac
if [ "$command" = set ]; then
    echo "set $id $*" >> "$home/calls"
    exit 0
fi
case $1 in
--) shift ;;
*)
    echo "Unknown option: ${1#--}" >&2
    echo "400 unable to parse option" >&2
    exit 255
    ;;
esac
# the real one decodes its arguments by the locale, and here that is C
for argument; do
    case $argument in
    *[!\ -~]*)
        echo "pct would mangle this" >&2
        exit 99
        ;;
    esac
done
if [ "$id" = 103 ]; then
    count=$#
    while [ "$count" -gt 0 ]; do
        case $1 in
        PATH=*) set -- "$@" "PATH=$home/busybox" ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        count=$((count - 1))
    done
fi
echo "pct: a warning of its own" >&2
export SSL_CERT_FILE=/of/the/node
exec "$@"
