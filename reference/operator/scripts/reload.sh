# shellcheck shell=bash
# Waiting, and watching mounted volumes, with what bash has built in: a process per look would cost
# too much.
#
# A kubelet changes a volume by pointing its ..data link to a new directory. A descriptor held on
# the old one tells them apart: it keeps its inode from being used again.

declare -A held=()
# A datagram socket that nobody writes to: reading from it is a pause that signals may cut short.
exec {silence}<>/dev/udp/127.0.0.1/9

pause() {
    read -rt "$1" -u "$silence" || true
}

# bide: a pause before the next look at what has not come yet, an eighth of the time waited so far.
# One that comes soon is seen soon, and many that wait long for each other cost little.
readonly begun=${EPOCHREALTIME/./}
bide() {
    local ms=$(((${EPOCHREALTIME/./} - begun) / 8000)) seconds
    ms=$((ms < 10 ? 10 : ms > 250 ? 250 : ms))
    printf -v seconds '0.%03d' "$ms"
    pause "$seconds"
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
