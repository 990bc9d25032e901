#!/usr/bin/env python3
"""monitor_routes.py — check waygate route states and alert on anomalies."""
import os
import sys
import httpx
WAYGATE_URL = os.environ.get("WAYGATE_SERVER_URL", "http://localhost:8000/waygate")
TOKEN = os.environ["WAYGATE_TOKEN"]
ALERT_ON = {"disabled", "maintenance"} # statuses that warrant an alert
def fetch_routes() -> list[dict]:
    resp = httpx.get(
        f"{WAYGATE_URL}/api/routes",
        headers={"X-Waygate-Token": TOKEN},
        timeout=10,
    )
    resp.raise_for_status()
    return resp.json()
def main() -> int:
    try:
        routes = fetch_routes()
    except httpx.HTTPError as exc:
        print(f"ERROR: {exc}", file=sys.stderr)
        return 2 # unknown — monitoring system treats as warning
    alerts = [r for r in routes if r["status"] in ALERT_ON]
    if alerts:
        for r in alerts:
            print(f"ALERT {r['status'].upper():<12} {r['path']} reason={r.get('reason', '')!r}")
        return 1
    print(f"OK {len(routes)} route(s) nominal")
    return 0
if __name__ == "__main__":
    sys.exit(main())
