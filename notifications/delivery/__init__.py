"""How notifications reach people outside the web portal.

A new channel is one file with a `Transport`, one line in `registry.py` and one test file.
"""
