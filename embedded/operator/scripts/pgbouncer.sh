#!/bin/bash
# Runs PgBouncer, and has it reload when its configuration or certificates change.
set -u
here=${BASH_SOURCE[0]%/*}
# shellcheck source=embedded/operator/scripts/reload.sh
source "$here/reload.sh"

readonly config=/etc/pgbouncer
trap 'kill -TERM "$server"' TERM INT
pgbouncer "$config/pgbouncer.ini" &
server=$!
hold "$config"
while kill -0 "$server" 2>/dev/null; do
    pause 0.2
    changed "$config" || continue
    printf '%s changed: reloading\n' "$config" >&2
    kill -HUP "$server"
done
wait "$server"
