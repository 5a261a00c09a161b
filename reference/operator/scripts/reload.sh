# shellcheck shell=bash
# Waiting, and watching mounted volumes, with what bash has built in: a process per look would cost
# too much.
#
# A kubelet changes a volume by pointing its ..data link to a new directory, and removes the old one.
# Whether that is still there is the cheapest question: each container asks it five times a second.

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
    local volume
    for volume in "$@"; do
        cd -P "$volume/..data" || exit
        held[$volume]=$PWD
        cd "$OLDPWD" || exit
    done
}

# changed VOLUME: true once for each change of its content.
changed() {
    [[ -e ${held[$1]} ]] && return 1
    hold "$1"
}

# unchanged: true as long as `changed` is true of no volume.
unchanged() {
    local directory
    for directory in "${held[@]}"; do
        [[ -e $directory ]] || return 1
    done
}
