#!/bin/bash
# A start-up probe that waits until PgBouncer takes connections.
exec {silence}<>/dev/udp/127.0.0.1/9
until { : <>/dev/tcp/127.0.0.1/5432; } 2>/dev/null; do
    read -rt 0.02 -u "$silence"
done
