#!/usr/bin/env bash
# Checks that generated files are what "make generate" would make, and each go.mod what "make tidy" would:
# tools/fresh.sh MODULE... It works on a copy, so that a tree with changes in it is neither touched nor in the way.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do
	[ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - | tar -x -C "$copy"
cp -a "$copy" "$copy.before"
trap 'rm -rf "$copy" "$copy.before"' EXIT

go -C "$copy" generate ./...
diff -ru "$copy.before" "$copy" || {
	echo 'fresh: generated files differ from their sources; run "make generate"' >&2
	exit 1
}
for module in "$@"; do
	go -C "$module" mod tidy -diff || {
		echo "fresh: $module/go.mod is not tidy; run \"make tidy\"" >&2
		exit 1
	}
done
