# shellcheck shell=bash
# A primary, a replica copied from it over TLS, PgBouncer before both, and psql with verify-ca
# through it: by hand, and as directly as it goes. Prints the seconds from the template's copy to
# psql's answer. Runs in a container of the PostgreSQL image.
set -eu
home=$(mktemp -d /tmp/floor.XXXXXX)
cd "$home"
exec {silence}<>/dev/udp/127.0.0.1/9

# -- before the clock starts: what the operator would read from Secrets and ConfigMaps
issue() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
        -subj "/CN=$2" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
        -extfile <(echo "subjectAltName=DNS:localhost") -out "$1.crt" 2>/dev/null
    chmod 600 "$1.key"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -subj /CN=ca \
    -days 2 -out ca.crt 2>/dev/null
issue server localhost
issue replication _crunchyrepl

cat >roles.sql <<'SQL'
CREATE ROLE app LOGIN PASSWORD 'app'
CREATE ROLE _crunchyrepl LOGIN REPLICATION
CREATE DATABASE app OWNER app STRATEGY file_copy
SQL
cat >pg_hba.conf <<'HBA'
local all all trust
hostssl replication _crunchyrepl all cert
hostssl all all all scram-sha-256
HBA
cat >postgresql.conf <<CONF
hba_file = '$home/pg_hba.conf'
unix_socket_directories = '$home'
ssl = on
ssl_cert_file = '$home/server.crt'
ssl_key_file = '$home/server.key'
ssl_ca_file = '$home/ca.crt'
fsync = off
full_page_writes = off
max_connections = 40
shared_buffers = 8MB
wal_keep_size = 32MB
CONF
cat >pgbouncer.ini <<INI
[databases]
* = host=localhost port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $home/users.txt
client_tls_sslmode = require
client_tls_cert_file = $home/server.crt
client_tls_key_file = $home/server.key
client_tls_ca_file = $home/ca.crt
server_tls_sslmode = verify-full
server_tls_ca_file = $home/ca.crt
INI
echo '"app" "app"' >users.txt

serves() {
    until { : <>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null; do
        read -rt 0.005 -u "$silence" || true
    done
}

takes_connections() {
    local lines=()
    until [[ ${lines[7]-} == ready* ]]; do
        read -rt 0.005 -u "$silence" || true
        [[ -f $1/postmaster.pid ]] && mapfile -t lines <"$1/postmaster.pid"
    done
}

# -- the clock runs
began=$EPOCHREALTIME
pg-template-copy primary >&2
postgres --single -D primary -c config_file="$home/postgresql.conf" -c log_min_messages=error \
    template1 <roles.sql >&2
pgbouncer pgbouncer.ini >pgbouncer.log 2>&1 &
pooler=$!
postgres -D primary -c config_file="$home/postgresql.conf" >primary.log 2>&1 &
primary=$!
takes_connections primary
login="host=localhost port=5432 user=_crunchyrepl dbname=postgres sslmode=verify-ca"
login+=" sslcert=$home/replication.crt sslkey=$home/replication.key sslrootcert=$home/ca.crt"
pg_basebackup -D replica -d "$login" --checkpoint=fast --wal-method=none --no-sync --no-manifest \
    --no-verify-checksums >&2
: >replica/standby.signal
postgres -D replica -c config_file="$home/postgresql.conf" -c port=5433 \
    -c primary_conninfo="$login" >replica.log 2>&1 &
replica=$!
takes_connections replica
psql -qX -h "$home" -p 5433 -U postgres -c "DO \$\$ BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') LOOP
        PERFORM pg_sleep(0.005);
    END LOOP;
END \$\$" >&2
serves 6432
PGPASSWORD=app psql -AXtqc "select 1" \
    "host=localhost port=6432 user=app dbname=app sslmode=verify-ca sslrootcert=$home/ca.crt" >&2
ended=$EPOCHREALTIME

# -- the clock stands
kill -TERM "$pooler"
kill -QUIT "$replica" "$primary"
wait
cd /
rm -rf "$home"
micros=$((${ended/./} - ${began/./}))
printf '%d.%06d\n' $((micros / 1000000)) $((micros % 1000000))
