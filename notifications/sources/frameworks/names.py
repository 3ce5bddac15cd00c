"""Names in the database that the trigger function and the poller have in common."""

LOCK_SPACE = 0x6E6F7463
"""First key of all our advisory locks; it keeps them apart from other users of the database."""

SLEEP_LOCK = 1
"""Held by the poller while it sleeps; a writer that cannot share it has to wake the poller."""

LEADER_LOCK = 2
"""Held by the one poller that works."""

WISHES_LOCK = 3
"""Held shared by a transaction that changes wishes, exclusively by the poller's while it decides by them."""

CAPTURE_LOCK = 4
"""Held by a transaction that changes the capture itself."""

BUNDLE_LOCK = 5
"""Held by the transaction of a worker that puts waiting deliveries together."""

PRUNE_LOCK = 6
"""Held by the transaction that removes a batch of what is too old."""

CHANGES_CHANNEL = "notifcenter_changes"
"""NOTIFY: the poller should look. Payload: '' or MISSED."""

MISSED = "missed"
"""The trigger could not write a change down; only a reconciling scan will find it."""
