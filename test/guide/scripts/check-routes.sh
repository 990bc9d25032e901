#!/usr/bin/env bash
# check-routes.sh — exit 1 if any route is unexpectedly disabled
WAYGATE_URL="${WAYGATE_SERVER_URL:-http://localhost:8000/waygate}"
TOKEN="${WAYGATE_TOKEN}"
routes=$(curl -sf \
-H "X-Waygate-Token: $TOKEN" \
"$WAYGATE_URL/api/routes")
if [ $? -ne 0 ]; then
echo "ERROR: Could not reach WaygateAdmin at $WAYGATE_URL" >&2
exit 1
fi
# Alert on any DISABLED route (adapt jq filter to your alert threshold)
disabled=$(echo "$routes" | jq -r '.[] | select(.status == "disabled") | .path')
if [ -n "$disabled" ]; then
echo "ALERT: The following routes are disabled:"
echo "$disabled"
exit 1
fi
echo "OK: all routes nominal"
