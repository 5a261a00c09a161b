#!/bin/bash
# A start-up probe that waits until PgBouncer takes connections.
# shellcheck source=reference/operator/scripts/reload.sh
source "${BASH_SOURCE[0]%/*}/reload.sh"
until { : <>/dev/tcp/127.0.0.1/5432; } 2>/dev/null; do
    bide
done
