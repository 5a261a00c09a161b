#!/bin/bash
# Runs PgBouncer, and has it reload when its configuration or certificates change.
set -u
here=${BASH_SOURCE[0]%/*}
# shellcheck source=reference/operator/scripts/reload.sh
source "$here/reload.sh"

readonly config=/etc/pgbouncer sockets=/tmp/pgbouncer
mkdir -p "$sockets"
trap 'kill -TERM "$server"' TERM INT
pgbouncer "$config/pgbouncer.ini" &
server=$!
hold "$config"
while kill -0 "$server" 2>/dev/null; do
    pause 0.2
    changed "$config" || continue
    printf '%s changed: reloading\n' "$config" >&2
    kill -HUP "$server"
    # Connections to the server that were made under the old settings must not be lent out again.
    # PgBouncer lets its own uid in by the socket, as the user pgbouncer.
    psql -qX -h "$sockets" -p 5432 -U pgbouncer -d pgbouncer -c RECONNECT
done
wait "$server"
