#!/usr/bin/env bash
# Runs the whole of Waygate on this machine, without Redis and without Docker: admin (its truth in a file), authz, a
# demo service, and Envoy in front of it. Ctrl-C stops everything; so does the end of any one of them.
#
# Called by "make run". Other ports: ENVOY_PORT, ADMIN_PORT, DEMO_PORT, OPS_PORT (authz), ENVOY_ADMIN_PORT.
# CONFIG=envoy/envoy-fail-closed.yaml fails closed. RUN_DIR is where state and logs go, run/ by default.
set -euo pipefail

cd "$(dirname "$0")/.."
bin=${BIN:-bin}
config=${CONFIG:-envoy/envoy.yaml}
dir=${RUN_DIR:-run}
envoy=${WAYGATE_TEST_ENVOY:-envoy}
envoy_port=${ENVOY_PORT:-10000} envoy_admin_port=${ENVOY_ADMIN_PORT:-9901}
admin_port=${ADMIN_PORT:-8000} ops_port=${OPS_PORT:-9002} demo_port=${DEMO_PORT:-8081}

# What is set for other servers of ours must not reach these.
for variable in "${!WAYGATE_@}"; do unset "$variable"; done

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
sockets=$dir
# The path of a Unix socket may have 107 bytes.
[ ${#dir} -lt 90 ] || sockets=$(mktemp -d)

say() { printf '%-7s %s\n' "$@"; }

names=() pids=()
stop() {
	trap '' INT TERM HUP
	[ ${#pids[@]} -eq 0 ] || echo 'run: stopping'
	local i
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill -TERM "${pids[i]}" 2>/dev/null || continue
		for _ in {1..100}; do
			kill -0 "${pids[i]}" 2>/dev/null || break
			sleep 0.05
		done
		kill -KILL "${pids[i]}" 2>/dev/null || true
	done
	wait
	for i in "${names[@]}"; do rm -f "$dir/$i.pid" "$dir/$i.ready"; done
	[ "$sockets" = "$dir" ] || rm -rf "$sockets"
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

die() {
	printf 'run: %s\n' "$*" >&2
	exit 1
}

# died NAME shows the end of its log.
died() { die "$1 has ended; the last lines of $dir/$1.log:"$'\n'"$(tail -n 15 "$dir/$1.log")"; }

# begin NAME COMMAND... starts it with its output in NAME.log. Should this script be killed, it goes as well.
begin() {
	local name=$1 die_with_us=()
	shift
	rm -f "$dir/$name.ready"
	if type -P setpriv >/dev/null; then die_with_us=(setpriv --pdeathsig KILL); fi
	set -m # a process group of its own: Ctrl-C comes to this script alone, which stops them in order
	"${die_with_us[@]}" "$@" >"$dir/$name.log" 2>&1 </dev/null &
	set +m
	names+=("$name") pids+=($!)
	echo $! >"$dir/$name.pid"
}

# until_ready NAME CONDITION... waits for the condition while the one started last lives.
until_ready() {
	local name=$1 deadline=$((SECONDS + 30))
	shift
	until "$@"; do
		kill -0 "${pids[-1]}" 2>/dev/null || died "$name"
		[ $SECONDS -lt $deadline ] || die "$name is not ready after 30 s; see $dir/$name.log"
		sleep 0.02
	done
}

open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# asked reports whether Envoy takes authz for healthy: from then on requests are judged.
asked() {
	local answer
	answer=$( (exec 3<>"/dev/tcp/127.0.0.1/$envoy_admin_port" &&
		printf 'GET /clusters HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 && cat <&3) 2>/dev/null) || return 1
	[[ $answer =~ waygate::[^$'\n']*::health_flags::healthy ]] && open_port "$envoy_port"
}

for port in "$envoy_port ENVOY_PORT" "$envoy_admin_port ENVOY_ADMIN_PORT" "$admin_port ADMIN_PORT" \
	"$ops_port OPS_PORT" "$demo_port DEMO_PORT"; do
	! open_port "${port% *}" || die "port ${port% *} is in use: stop what listens there, or set ${port#* } to another"
done

begin admin env WAYGATE_BACKEND=file WAYGATE_FILE_PATH="$dir/waygate.json" \
	"$bin/waygate-admin" --listen "127.0.0.1:$admin_port" --ready-file "$dir/admin.ready"
until_ready admin test -s "$dir/admin.ready"
say admin "http://localhost:$admin_port/waygate, what is true is in $dir/waygate.json"

rm -f "$sockets/authz.sock"
begin authz "$bin/waygate-authz" --source "http://127.0.0.1:$admin_port/waygate" \
	--listen "unix://$sockets/authz.sock" --ops-listen "127.0.0.1:$ops_port" --ready-file "$dir/authz.ready"
until_ready authz test -s "$dir/authz.ready"
say authz "$sockets/authz.sock, metrics at http://localhost:$ops_port/metrics"

begin demo "$bin/waygate-demo" --listen "127.0.0.1:$demo_port" --ready-file "$dir/demo.ready"
until_ready demo test -s "$dir/demo.ready"
say demo "the service behind Envoy, http://localhost:$demo_port"

sed -e "s|/run/waygate/authz.sock|$sockets/authz.sock|" \
	-e "s|address: 0.0.0.0, port_value: 10000|address: 127.0.0.1, port_value: $envoy_port|" \
	-e "s|port_value: 9901|port_value: $envoy_admin_port|" \
	-e "s|port_value: 8081|port_value: $demo_port|" "$config" >"$dir/envoy.yaml"
begin envoy "$envoy" --config-path "$dir/envoy.yaml" --use-dynamic-base-id --concurrency 2 --log-level warning
until_ready envoy asked
say envoy "http://localhost:$envoy_port asks authz about every request; stats at http://localhost:$envoy_admin_port"

cat <<TEXT

All is running; logs are in $dir. In another terminal:

  curl -i localhost:$envoy_port/payments
  bin/waygate maintenance GET:/payments --reason "DB migration" --wait
  curl -i localhost:$envoy_port/payments
  bin/waygate enable GET:/payments

Ctrl-C stops everything.
TEXT

while true; do
	for i in "${!pids[@]}"; do
		kill -0 "${pids[i]}" 2>/dev/null || died "${names[i]}"
	done
	{ wait -n || true; } 2>/dev/null # without the shell's own remark on how it ended
done
