# shellcheck shell=bash
# Watching mounted volumes with what bash has built in, for a process per look would cost too much.
#
# A kubelet changes a volume by pointing its ..data link to a new directory. A descriptor held on
# the old one tells them apart: it keeps its inode from being used again.

declare -A held=()
# A datagram socket that nobody writes to: reading from it is a pause that signals may cut short.
exec {silence}<>/dev/udp/127.0.0.1/9

pause() {
    read -rt "$1" -u "$silence" || true
}

hold() {
    local volume fd
    for volume in "$@"; do
        exec {fd}<"$volume/..data"
        held[$volume]=$fd
    done
}

# changed VOLUME: true once for each change of its content.
changed() {
    local fd=${held[$1]}
    [[ $1/..data -ef /dev/fd/$fd ]] && return 1
    exec {fd}<&-
    hold "$1"
}
