#!/usr/bin/env python
"""The command line of a checkout; an installed Notifcenter has the same as `notifcenter`."""

from notifcenter.__main__ import main

if __name__ == "__main__":
    main()
