"""A simulated cluster: the table as OpenPAI makes it, and someone who writes into it the way OpenPAI does."""
