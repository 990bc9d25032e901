#!/usr/bin/env python3
"""audit-sentinel.py — alert on unexpected route state changes."""
import httpx, os, sys
from datetime import datetime, UTC, timedelta
WAYGATE_URL = os.environ.get("WAYGATE_SERVER_URL", "http://localhost:8000/waygate")
TOKEN = os.environ["WAYGATE_TOKEN"]
LOOKBACK = timedelta(minutes=15)
resp = httpx.get(
    f"{WAYGATE_URL}/api/audit?limit=50",
    headers={"Authorization": f"Bearer {TOKEN}"},
    timeout=10,
)
resp.raise_for_status()
cutoff = datetime.now(UTC) - LOOKBACK
unexpected = [
    e for e in resp.json()
    if datetime.fromisoformat(e["timestamp"]) > cutoff
    and e["actor"] not in {"system", "deploy-bot", "alice", "bob"}
]
if unexpected:
    for e in unexpected:
        print(f"UNKNOWN ACTOR {e['actor']} {e['action']} {e['path']} {e['timestamp']}")
    sys.exit(1)
print("OK")
