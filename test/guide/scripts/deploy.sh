#!/usr/bin/env bash
# deploy.sh
set -euo pipefail
WAYGATE_URL="${WAYGATE_SERVER_URL:-http://localhost:8000/waygate}"
waygate_cmd() {
waygate --server-url "$WAYGATE_URL" "$@"
}
echo "==> Enabling global maintenance..."
waygate_cmd global enable \
--reason "Deploying v$(cat VERSION) — back in ~5 minutes" \
--exempt /health \
--exempt GET:/readiness
echo "==> Running migrations..."
uv run alembic upgrade head
echo "==> Deploying new container..."
docker compose up -d --no-deps --build api
echo "==> Waiting for health check..."
until curl -sf http://localhost:8000/health; do sleep 2; done
echo "==> Disabling global maintenance..."
waygate_cmd global disable
echo "==> Deploy complete."
