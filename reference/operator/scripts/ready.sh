#!/bin/bash
# A start-up probe that waits instead of being asked again and again: it ends as soon as the server
# takes connections, and on a replica as soon as it streams.
set -u
# shellcheck source=reference/operator/scripts/reload.sh
source "${BASH_SOURCE[0]%/*}/reload.sh"

until
    lines=()
    [[ -f $PGDATA/postmaster.pid ]] && mapfile -t lines <"$PGDATA/postmaster.pid" 2>/dev/null
    [[ ${lines[7]-} == ready* ]]
do
    bide
done
[[ $ROLE == primary ]] && exit 0
psql -qX -d postgres -c "DO \$\$ BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') LOOP
        PERFORM pg_sleep(0.005);
    END LOOP;
END \$\$"
