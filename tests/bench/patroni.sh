# shellcheck shell=bash
# One part of a cluster of Patroni's, started by hand in a container of its image: an instance, the
# pooler or the repository. Prints when its program was started, and when it was ready and all that
# it has to wait for. Before it comes what it needs: part, name, address, peer and certificates.
set -eu
: "${part:?}" "${name:?}" "${namespace:?}" "${address:?}" "${peer:?}"
: "${root:?}" "${server:?}" "${server_key:?}" "${replication:?}" "${replication_key:?}"
# The same in all containers: Patroni's instances share their settings, and with them these paths.
home=/tmp/floor
mkdir "$home"
cd "$home"
exec {silence}<>/dev/udp/127.0.0.1/9

# -- before the clock starts: what the operator would bring by Secrets and ConfigMaps
umask 077
printf '%s' "$root" >ca.crt
printf '%s' "$server" >server.crt
printf '%s' "$server_key" >server.key
cat server.crt server.key >server.pem
printf '%s' "$replication" >replication.crt
printf '%s' "$replication_key" >replication.key

cat >pgbackrest.conf <<CONF
[global]
log-level-console=warn
log-level-file=off
lock-path=$home
spool-path=$home
repo1-path=$home
tls-server-address=0.0.0.0
tls-server-auth=$name=*
tls-server-ca-file=$home/ca.crt
tls-server-cert-file=$home/server.crt
tls-server-key-file=$home/server.key
CONF

cat >pgbouncer.ini <<INI
[databases]
* = host=$peer port=5432
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 5432
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

login="{username: _crunchyrepl, sslmode: verify-ca, sslcert: $home/replication.crt,"
login+=" sslkey: $home/replication.key, sslrootcert: $home/ca.crt}"
cat >patroni.yaml <<YAML
name: $name
scope: floor-ha
kubernetes:
  namespace: $namespace
  labels: {floor: instance}
  scope_label: floor-scope
  role_label: floor-role
  use_endpoints: true
  pod_ip: $address
  ports: [{name: postgres, port: 5432}]
restapi:
  listen: 0.0.0.0:8008
  connect_address: $address:8008
  certfile: $home/server.pem
  cafile: $home/ca.crt
  verify_client: optional
ctl: {cacert: $home/ca.crt, certfile: $home/server.pem, insecure: false}
watchdog: {mode: "off"}
bootstrap:
  dcs:
    ttl: 30
    loop_wait: 10
    postgresql:
      use_slots: false
      use_pg_rewind: true
      parameters:
        archive_mode: "on"
        archive_command: "true"
        wal_level: logical
        ssl: "on"
        ssl_cert_file: $home/server.crt
        ssl_key_file: $home/server.key
        ssl_ca_file: $home/ca.crt
        unix_socket_directories: $home
      pg_hba:
      - local all postgres peer
      - hostssl replication _crunchyrepl all cert
      - hostssl postgres _crunchyrepl all cert
      - hostssl all all all scram-sha-256
  method: initdb
  initdb: [data-checksums, encoding=UTF8]
postgresql:
  listen: 0.0.0.0:5432
  connect_address: $address:5432
  data_dir: /pgdata/data
  pgpass: $home/.pgpass
  use_unix_socket: true
  authentication: {replication: $login, rewind: $login}
  create_replica_methods: [basebackup]
YAML

# -- programs, and how each is seen to be ready
pause() {
    read -rt 0.1 -u "$silence" || true
}

is_ready() {
    curl --silent --insecure --fail --output /dev/null --max-time 5 "https://$1:8008/readiness"
}

until_ready() {
    until "$@" 2>/dev/null; do
        if ! kill -0 "$program"; then
            tail -n 20 program.log >&2
            exit 1
        fi
        pause
    done
}

serves() {
    : <>/dev/tcp/127.0.0.1/5432
}

keeps_backups() {
    pgbackrest server-ping --config="$home/pgbackrest.conf" >/dev/null
}

# -- the clock runs
began=$EPOCHREALTIME
case $part in
pooler)
    pgbouncer pgbouncer.ini >program.log 2>&1 &
    program=$!
    until_ready serves
    ;;
repository)
    pgbackrest server --config="$home/pgbackrest.conf" >program.log 2>&1 &
    program=$!
    until_ready keeps_backups
    ;;
instance)
    pgbackrest server --config="$home/pgbackrest.conf" >pgbackrest.log 2>&1 &
    patroni patroni.yaml >program.log 2>&1 &
    program=$!
    until_ready is_ready localhost
    # Its end would take the base backup with it.
    until_ready is_ready "$peer"
    ;;
esac
echo "$began $EPOCHREALTIME"
