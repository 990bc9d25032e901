#!/usr/bin/env bash
# rolling-deploy.sh
set -euo pipefail
waygate maintenance "POST:/orders" \
--reason "Order service upgrade — ETA 10 minutes" \
--start "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
--end "$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)"
# ... deploy only the orders service ...
docker compose up -d --no-deps --build orders
# Wait for readiness
until curl -sf http://localhost:8001/health; do sleep 2; done
waygate enable "POST:/orders"
echo "Orders service back online."
