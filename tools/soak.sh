#!/usr/bin/env bash
# Runs the tests that take minutes: tools/soak.sh NAME. They are those with the build tag "soak" and a name that begins
# with TestSoakNAME, in any case; "all" is all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
[ "$name" != all ] || name=
tests=$(git ls-files -co --exclude-standard '*_test.go' | sort -u |
	xargs grep -oHiE "^func TestSoak${name//-/}[A-Za-z0-9_]*" | sed 's/func //' || true)
[ -n "$tests" ] || {
	echo "soak: there is no TestSoak… of that name; there are: $(git grep -ohE '^func TestSoak[A-Za-z0-9_]+' | sed 's/func TestSoak//' | xargs)" >&2
	exit 1
}
while IFS=: read -r file test; do
	echo "soak: $test"
	go test -tags soak -count=1 -timeout 60m -v -run "^$test\$" "./$(dirname "$file")"
done <<<"$tests"
