        -- NOTIFY serialises commits, so it is sent only to a poller that sleeps. An awake poller cannot go to
        -- sleep before this transaction has ended (it needs the lock that is shared here), and looks again then.
        IF NOT pg_try_advisory_xact_lock_shared({space}, {sleep}) THEN
            PERFORM pg_notify('{channel}', '');
        END IF;
