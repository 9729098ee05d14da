#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: what an administrator does for any other server.
set -eu
psql -X -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v database="$POSTGRES_DB" \
  -v owner="$GRID_OWNER_PASSWORD" -v intake="$GRID_INTAKE_PASSWORD" \
  -v dispatch="$GRID_DISPATCH_PASSWORD" -v escalation="$GRID_ESCALATION_PASSWORD" \
  -f /etc/grid/administrator.sql
