"""Passwords of the tests need not be strong, and are set a thousand times."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """The product's own algorithm, so that a web process with the product's settings can check them."""

    iterations = 1
