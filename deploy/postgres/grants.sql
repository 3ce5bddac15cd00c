-- The least that Notifcenter needs in the cluster's database: a schema of its own, to read those columns of `frameworks`
-- that hold no secret, and to write ten of them. Its role owns nothing of the cluster's.
--
-- Run it in that database as a superuser, after CREATE ROLE notifcenter LOGIN PASSWORD '…'. Repeatable.

BEGIN;
SET LOCAL lock_timeout = '5s';
SET LOCAL client_min_messages = warning;  -- not a notice for each column that is there already

CREATE SCHEMA IF NOT EXISTS notifcenter AUTHORIZATION notifcenter;

DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO notifcenter', current_database());
    EXECUTE format('ALTER ROLE notifcenter IN DATABASE %I SET search_path = notifcenter, public', current_database());
END
$$;
GRANT USAGE ON SCHEMA public TO notifcenter;

-- A function, because an upgrade of the cluster that drops columns or the table takes the rights on them away: the
-- poller calls it then. It does the same whoever calls it.
CREATE OR REPLACE FUNCTION notifcenter.notifcenter_grants() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $grants$
BEGIN
    -- Only the table's owner can add columns. Clusters since v1.8 have them.
    ALTER TABLE public.frameworks
        ADD COLUMN IF NOT EXISTS "notificationAtRunning" boolean,
        ADD COLUMN IF NOT EXISTS "notifiedAtRunning" boolean,
        ADD COLUMN IF NOT EXISTS "notificationAtSucceeded" boolean,
        ADD COLUMN IF NOT EXISTS "notifiedAtSucceeded" boolean,
        ADD COLUMN IF NOT EXISTS "notificationAtFailed" boolean,
        ADD COLUMN IF NOT EXISTS "notifiedAtFailed" boolean,
        ADD COLUMN IF NOT EXISTS "notificationAtStopped" boolean,
        ADD COLUMN IF NOT EXISTS "notifiedAtStopped" boolean,
        ADD COLUMN IF NOT EXISTS "notificationAtRetried" boolean,
        ADD COLUMN IF NOT EXISTS "notifiedAtRetried" integer;

    GRANT SELECT (
        name, namespace, "jobName", "userName", "jobConfig", "executionType", "creationTime", "virtualCluster",
        "jobPriority", "totalGpuNumber", "totalTaskNumber", "submissionTime", retries, "appExitCode", "subState", state,
        "launchTime", "completionTime", "updatedAt", snapshot,
        "notificationAtRunning", "notifiedAtRunning", "notificationAtSucceeded", "notifiedAtSucceeded",
        "notificationAtFailed", "notifiedAtFailed", "notificationAtStopped", "notifiedAtStopped",
        "notificationAtRetried", "notifiedAtRetried"
    ) ON public.frameworks TO notifcenter;

    GRANT UPDATE (
        "notificationAtRunning", "notifiedAtRunning", "notificationAtSucceeded", "notifiedAtSucceeded",
        "notificationAtFailed", "notifiedAtFailed", "notificationAtStopped", "notifiedAtStopped",
        "notificationAtRetried", "notifiedAtRetried"
    ) ON public.frameworks TO notifcenter;

    -- For `capture install`, and for the poller that puts the trigger back. Whoever has this right can run code with
    -- the rights of the cluster's own writers; docs/moving-from-openpai-notifier.md tells how to do without it.
    GRANT TRIGGER ON public.frameworks TO notifcenter;
END
$grants$;
REVOKE ALL ON FUNCTION notifcenter.notifcenter_grants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notifcenter.notifcenter_grants() TO notifcenter;

DO $$ BEGIN PERFORM notifcenter.notifcenter_grants(); END $$;
COMMIT;
