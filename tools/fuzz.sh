#!/usr/bin/env bash
# Fuzzes every target of the product whose name matches, one after the other: tools/fuzz.sh NAME TIME
# TIME is that of "go test -fuzztime": 20000x for a number of inputs, 1m for a time.
set -euo pipefail
cd "$(dirname "$0")/.."

found=0
while IFS=: read -r file target; do
	[[ $target =~ $1 ]] || continue
	found=$((found + 1))
	# The time for making an interesting input smaller is 60 s by default, also where fuzzing itself takes one.
	if output=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$2" -fuzzminimizetime 100x "./$(dirname "$file")" 2>&1); then
		printf 'fuzz %s/%s: %s\n' "$(dirname "$file")" "$target" "$(tail -n 1 <<<"$output" | cut -f 2-)"
	else
		printf 'fuzz %s/%s failed:\n%s\n' "$(dirname "$file")" "$target" "$output" >&2
		exit 1
	fi
done < <(git ls-files -co --exclude-standard '*_test.go' | sort -u | xargs grep -oHE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //')
[ "$found" -gt 0 ] || {
	echo "fuzz: no fuzz target matches $1" >&2
	exit 1
}
