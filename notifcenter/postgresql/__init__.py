"""Django's PostgreSQL backend for servers as old as OpenPAI's own, which is version 12.

Django itself asks for 14 because older ones have left its maintenance; nothing that we use of it needs more than 12.
"""
