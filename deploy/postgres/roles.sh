#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: the owner of the schemas and one role per service.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
  -v owner="$GRID_OWNER_PASSWORD" -v intake="$GRID_INTAKE_PASSWORD" \
  -v dispatch="$GRID_DISPATCH_PASSWORD" -v escalation="$GRID_ESCALATION_PASSWORD" <<'SQL'
CREATE ROLE grid_owner LOGIN PASSWORD :'owner';
CREATE ROLE grid_intake LOGIN PASSWORD :'intake';
CREATE ROLE grid_dispatch LOGIN PASSWORD :'dispatch';
CREATE ROLE grid_escalation LOGIN PASSWORD :'escalation';
ALTER DATABASE grid OWNER TO grid_owner;
REVOKE ALL ON DATABASE grid FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE grid TO grid_intake, grid_dispatch, grid_escalation;
SQL
