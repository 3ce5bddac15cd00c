-- The trigger function on the cluster's table. It must never fail or hold up the cluster's write:
--   * it returns at once when neither state nor retries changed (most of the cluster's updates);
--   * whatever goes wrong becomes a warning in the server's log, and the poller is told to look for itself;
--   * it needs no right of the writer, and nobody can put another function in its way;
--   * it waits at most a second for a lock on our table, once in a transaction: after that, the poller's look is enough.
-- A retry wipes out what the row says of the attempt that has ended, so that is kept with the change.
-- It names no column in the trigger's definition: that would break the cluster's own schema upgrade.
CREATE OR REPLACE FUNCTION {schema}.notifcenter_capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $capture$
DECLARE
    same_job boolean;
    attempt json;
    ended text;
BEGIN
    -- Most updates end here, so this comes first. A new row has no OLD, and NULL is not true.
    IF NEW.state IS NOT DISTINCT FROM OLD.state
        AND NEW.retries IS NOT DISTINCT FROM OLD.retries
        AND NEW."submissionTime" = OLD."submissionTime"
    THEN
        RETURN NULL;
    END IF;
    IF current_setting('notifcenter.missed', true) = 'on' THEN
        RETURN NULL;
    END IF;

    same_job := NEW."submissionTime" = OLD."submissionTime";
    IF same_job AND NEW.retries > OLD.retries THEN
        BEGIN
            IF OLD."appExitCode" IS NOT NULL THEN
                ended := json_build_object('completionStatus', json_build_object('code', OLD."appExitCode"));
            END IF;
            IF octet_length(OLD.snapshot) <= {most_read} THEN
                attempt := OLD.snapshot::json #> ARRAY['status', 'attemptStatus'];
                IF octet_length(attempt::text) > {most_kept} THEN  -- of many tasks: all but the tasks
                    attempt := json_build_object(
                        'completionStatus', attempt -> 'completionStatus', 'startTime', attempt -> 'startTime',
                        'runTime', attempt -> 'runTime', 'completionTime', attempt -> 'completionTime');
                END IF;
                IF octet_length(attempt::text) <= {most_kept} THEN
                    ended := attempt::text;
                END IF;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;  -- a broken snapshot costs the diagnosis, not the change
        END;
    END IF;
    INSERT INTO {schema}.notifications_capturedchange (framework_name, submission_time, user_name,
        old_state, new_state, old_retries, new_retries, changed_at, ended_attempt)
    VALUES (NEW.name, NEW."submissionTime", NEW."userName",
        CASE WHEN same_job THEN COALESCE(OLD.state, '') END, NEW.state,
        CASE WHEN same_job THEN OLD.retries END, NEW.retries, clock_timestamp(), ended);
    {wake}
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    BEGIN
        IF SQLSTATE = '42804' THEN
            -- This session has planned with the types from before an upgrade of the cluster's table.
            EXECUTE $insert$
                INSERT INTO {schema}.notifications_capturedchange (framework_name, submission_time, user_name,
                    old_state, new_state, old_retries, new_retries, changed_at)
                SELECT n.name, n."submissionTime", n."userName",
                    CASE WHEN same.job THEN COALESCE(o.state, '') END, n.state,
                    CASE WHEN same.job THEN o.retries END, n.retries, clock_timestamp()
                FROM (SELECT ($1).*) AS n, (SELECT ($2).*) AS o, LATERAL (
                    SELECT n."submissionTime" IS NOT DISTINCT FROM o."submissionTime" AS job) AS same
                WHERE NOT same.job OR n.state IS DISTINCT FROM o.state OR n.retries IS DISTINCT FROM o.retries
            $insert$ USING NEW, OLD;
            PERFORM pg_notify('{channel}', '');
        ELSE
            RAISE WARNING 'notifcenter: a change was not captured: % (%)', SQLERRM, SQLSTATE;
            PERFORM pg_notify('{channel}', '{missed}');
            IF SQLSTATE = '55P03' THEN  -- the lock was not to be had
                PERFORM set_config('notifcenter.missed', 'on', true);
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'notifcenter: a change was not captured: % (%)', SQLERRM, SQLSTATE;
    END;
    RETURN NULL;
END
$capture$;
-- Nobody else may use it: whoever could put it on a table of their own could make up changes.
REVOKE ALL ON FUNCTION {schema}.notifcenter_capture() FROM PUBLIC;
