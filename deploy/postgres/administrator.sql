-- What the administrator of an own PostgreSQL (16 or newer) runs once, with psql, as a role that may create roles and
-- databases; nothing of the system ever needs such a role again:
--
--   psql -X -v ON_ERROR_STOP=1 -d postgres -v owner=… -v intake=… -v dispatch=… -v escalation=… -f administrator.sql
--
-- The four variables are the passwords. Running it again changes nothing but the passwords. With `-v shared=…` instead
-- of the four it makes one role `grid` that owns the database and does everything: simpler, and without the fence
-- between the services.
\set QUIET on
-- A statement that fails must not write a password into the server's log (only a superuser may say so).
SELECT CASE WHEN rolsuper THEN set_config('log_min_error_statement', 'panic', false) END AS quiet
  FROM pg_roles WHERE rolname = current_user \gset
SET password_encryption = 'scram-sha-256';
\if :{?database} \else \set database grid \endif
\if :{?shared}
  \set owning grid
  SELECT 'CREATE ROLE grid' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grid') \gexec
  ALTER ROLE grid LOGIN PASSWORD :'shared';
\else
  \set owning grid_owner
  SELECT format('CREATE ROLE %I', role) FROM unnest(ARRAY['grid_owner', 'grid_intake', 'grid_dispatch', 'grid_escalation'])
    AS role WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
  ALTER ROLE grid_owner LOGIN PASSWORD :'owner';
  ALTER ROLE grid_intake LOGIN PASSWORD :'intake';
  ALTER ROLE grid_dispatch LOGIN PASSWORD :'dispatch';
  ALTER ROLE grid_escalation LOGIN PASSWORD :'escalation';
\endif
-- An administrator who is no superuser may only give the database to a role he is a member of.
SELECT format('GRANT %I TO CURRENT_USER', :'owning')
  WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' LOCALE_PROVIDER libc LOCALE ''C'' TEMPLATE template0',
    :'database', :'owning')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :owning;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
\if :{?shared} \else
  GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO grid_intake, grid_dispatch, grid_escalation;
\endif
