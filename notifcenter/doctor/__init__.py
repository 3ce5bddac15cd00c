"""`notifcenter doctor`: looks at everything that has to work, and says what to do where it does not."""
