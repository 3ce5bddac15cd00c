from __future__ import annotations

from django.db.backends.postgresql import base, features


class DatabaseFeatures(features.DatabaseFeatures):
    minimum_database_version = (12,)


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
