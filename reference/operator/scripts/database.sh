#!/bin/bash
# Runs PostgreSQL as one instance of a cluster, as the primary or as a replica of it, and reloads
# it when its certificates, rules or settings change. Arguments are handed on to PostgreSQL.
#
# ROLE is primary or replica, INSTANCE the name to be seen by. PRIMARY is the host that a replica
# copies from. RELOAD_ON names the volumes whose changes count.
set -u
here=${BASH_SOURCE[0]%/*}
# shellcheck source=reference/operator/scripts/reload.sh
source "$here/reload.sh"

readonly config=/etc/database tls=/pgconf/tls roles=/etc/roles
server=

say() {
    printf '%s\n' "$*" >&2
}

stop() {
    trap '' TERM INT
    [[ -n $server ]] && kill -INT "$server" 2>/dev/null
}

# A new directory is filled beside its place: what was cut off half-way is never started.
make_primary() {
    [[ -f $PGDATA/PG_VERSION ]] && return
    rm -rf "$PGDATA.new"
    if [[ -x /usr/local/bin/pg-template-copy ]]; then
        /usr/local/bin/pg-template-copy "$PGDATA.new" || exit
    else
        initdb --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
            --data-checksums --no-sync >/dev/null || exit
    fi
    single "$PGDATA.new"
    mv "$PGDATA.new" "$PGDATA"
}

# Roles and databases, before anybody can knock: one start of the server less than with psql.
single() {
    postgres --single -D "$1" -c config_file="$config/postgresql.conf" -c log_min_messages=error \
        template1 <"$roles/roles.sql" >/dev/null || exit
    printf '%s\n' "$(<"$roles/roles.sql")" >"$1/roles.applied"
}

make_replica() {
    [[ -f $PGDATA/PG_VERSION ]] && return
    until primary_answers && copy_primary; do
        [[ -z $stopping ]] || exit 0
        bide
    done
}

# The address of a Pod that is gone answers nothing, for which a connection waits two minutes.
primary_answers() {
    local answer=
    read -rt 5 answer < <({ : <>"/dev/tcp/$PRIMARY/$PGPORT"; } 2>/dev/null && echo yes)
    kill "$!" 2>/dev/null
    [[ $answer == yes ]]
}

# Without WAL: the replica fetches what it needs by streaming, as soon as it runs.
copy_primary() {
    rm -rf "$PGDATA.new"
    pg_basebackup --pgdata="$PGDATA.new" --dbname="$(<"$config/conninfo")" --checkpoint=fast \
        --wal-method=none --no-sync --no-manifest --no-verify-checksums || return
    : >"$PGDATA.new/standby.signal"
    mv "$PGDATA.new" "$PGDATA"
}

follow() {
    hold "$config" "$tls" "$roles"
    local reload
    while kill -0 "$server" 2>/dev/null; do
        pause 0.2
        unchanged && continue
        reload=
        for volume in $RELOAD_ON; do
            changed "$volume" && reload=$volume
        done
        if changed "$roles" && [[ $ROLE == primary ]]; then
            say "roles changed"
            psql -qX -d template1 -f "$roles/roles.sql"
        fi
        [[ -z $reload ]] && continue
        say "$reload changed: reloading"
        kill -HUP "$server"
    done
}

stopping=
trap 'stopping=1; stop' TERM INT

mkdir -p "$PGHOST"
# Of a server of an earlier container: its pid may be anybody's now.
[[ -f $PGDATA/postmaster.pid ]] && rm -f "$PGDATA/postmaster.pid"
options=(-D "$PGDATA" -c config_file="$config/postgresql.conf" -c cluster_name="$INSTANCE")
if [[ $ROLE == primary ]]; then
    make_primary
    [[ -f $PGDATA/standby.signal ]] && rm -f "$PGDATA/standby.signal"
    [[ $(<"$PGDATA/roles.applied") == "$(<"$roles/roles.sql")" ]] || single "$PGDATA"
else
    make_replica
    [[ -f $PGDATA/standby.signal ]] || : >"$PGDATA/standby.signal"
fi
[[ -n $stopping ]] && exit 0
postgres "${options[@]}" "$@" &
server=$!
follow
wait "$server"
