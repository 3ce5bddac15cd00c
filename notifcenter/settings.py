"""Django's settings, read from the environment (the names are in docs/configuration.md)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

from notifcenter import environment
from notifications import tokens, vapid
from notifications.sources.frameworks import exit_spec

_PACKAGE = Path(__file__).resolve().parent
BASE_DIR = _PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent
"""Holds templates, static and locale: the checkout, or when installed this package, into which the wheel puts them."""

DATA_DIR = Path(environment.text("NOTIFCENTER_DATA_DIR", ".data")).resolve()
DEMO = environment.boolean("NOTIFCENTER_DEMO", False)


def kept_secret_key() -> str:
    """The key of an installation that sets none: made once, then kept in the data folder."""
    path = environment.folder("NOTIFCENTER_DATA_DIR", DATA_DIR) / "secret_key"
    if not path.exists():
        draft = DATA_DIR / f"secret_key.{get_random_secret_key()[:8].encode().hex()}"
        draft.write_text(get_random_secret_key(), encoding="utf-8")
        draft.chmod(0o600)
        try:
            path.hardlink_to(draft)  # the first of several starting processes wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")


DEBUG = environment.boolean("DEBUG", False)
SECRET_KEY = environment.text("SECRET_KEY") or kept_secret_key()
ENCRYPTION_KEYS = environment.fernet_keys("ENCRYPTION_KEYS")
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
CORS_ALLOWED_ORIGINS = environment.origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/(api|static)/.*$"

BASE_URL = environment.url("BASE_URL", "http://127.0.0.1:8000")
CLUSTER_NAME = environment.line("CLUSTER_NAME", "cluster")
PAI_WEBPORTAL_URL = environment.url("PAI_WEBPORTAL_URL")
PAI_REST_SERVER_URL = environment.url("PAI_REST_SERVER_URL")
PAI_REST_SERVER_TOKEN = environment.checked("PAI_REST_SERVER_TOKEN", tokens.check)
PAI_JWT_SECRET = environment.text("PAI_JWT_SECRET")
PAI_EXIT_SPEC = environment.usable_file("PAI_EXIT_SPEC", exit_spec.read)
OIDC_ISSUER_URL = environment.safe_url("OIDC_ISSUER_URL")
OIDC_CLIENT_ID = environment.needed("OIDC_CLIENT_ID", by="OIDC_ISSUER_URL")
OIDC_CLIENT_SECRET = environment.needed("OIDC_CLIENT_SECRET", by="OIDC_ISSUER_URL")
OIDC_SCOPES = environment.line("OIDC_SCOPES", "openid profile email")
OIDC_USERNAME_CLAIM = environment.line("OIDC_USERNAME_CLAIM", "preferred_username")
OIDC_USERNAME_DOMAIN = environment.line("OIDC_USERNAME_DOMAIN", "").removeprefix("@")
OIDC_CREATE_USERS = environment.boolean("OIDC_CREATE_USERS", False)
OIDC_NAME = environment.line("OIDC_NAME", "single sign-on")
ADMIN_PATH = environment.path_part("ADMIN_PATH", "admin")
METRICS_TOKEN = environment.checked("METRICS_TOKEN", tokens.check)
INGEST_TOKEN = environment.checked("INGEST_TOKEN", tokens.check)
ALERTMANAGER_URL = environment.url("ALERTMANAGER_URL")
TARGETS_ALLOW_PRIVATE = environment.networks("TARGETS_ALLOW_PRIVATE")
TARGETS_PROXY = environment.url("TARGETS_PROXY")
TARGETS_DENY = environment.networks("TARGETS_DENY")
VAPID_PRIVATE_KEY = environment.checked("VAPID_PRIVATE_KEY", vapid.check_private_key)
VAPID_CONTACT = environment.checked("VAPID_CONTACT", vapid.check_contact, needed_by="VAPID_PRIVATE_KEY")

INSTALLED_APPS = [
    "notifcenter",
    "accounts",
    "notifications",
    "preferences",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "corsheaders",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "notifcenter.logs.request_ids",  # before all others, so that their lines bear it too
    "corsheaders.middleware.CorsMiddleware",  # before the static files, which need its headers
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "notifcenter.assets.AssetsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "notifcenter.languages.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "notifcenter.hardening.Hardening",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "notifcenter.urls"
ASGI_APPLICATION = "notifcenter.asgi.application"

TEMPLATE_DIR = environment.existing_folder("TEMPLATE_DIR")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*([TEMPLATE_DIR] if TEMPLATE_DIR else []), BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "notifcenter.pages.site",
            ],
        },
    },
]

PRIVATE_DATABASE = {"ENGINE": "notifcenter.embedded", "NAME": "notifcenter", "USER": "postgres"}
_DATABASE = environment.database("DATABASE_URL")
if _DATABASE is None:  # PostgreSQL's programs pass the path on in double quotes, and hosts in a list
    environment.folder("NOTIFCENTER_DATA_DIR", DATA_DIR, without='"$`\\,\n')
# Who waits for an answer, or only listens, does not notice by itself that the other end is gone without a word.
DATABASE_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
DATABASES = {
    "default": {
        **(_DATABASE or PRIVATE_DATABASE),
        "OPTIONS": {**DATABASE_KEEPALIVE, **(_DATABASE or {}).get("OPTIONS", {})},
        "CONN_MAX_AGE": 0,  # each request has a thread of its own under ASGI
        "TEST": {"NAME": environment.text("NOTIFCENTER_TEST_DATABASE") or None},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses who has failed too often
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "accounts.sign_in.Handler"
AXES_CLIENT_IP_CALLABLE = "accounts.sign_in.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.sign_in.refused"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
SIGN_IN_FAILURES_PER_ADDRESS = environment.integer("SIGN_IN_FAILURES_PER_ADDRESS", 50, least=5)
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES", "127.0.0.0/8,::1")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False  # CORS_ALLOWED_ORIGINS decides

_HTTPS = BASE_URL.startswith("https://")
SESSION_ENGINE = "notifcenter.sessions"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = environment.integer("HSTS_SECONDS", 30 * 24 * 3600, least=0) if _HTTPS else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # what else there is below this host's name is not ours to decide about
    "security.W008",  # the proxy redirects; Alertmanager, Prometheus and probes ask from inside, without TLS
    "security.W021",  # as W005
]
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "notifcenter.auth.BearerAuthentication",
        "notifcenter.auth.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["notifcenter.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Notifcenter",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "Language": "django.conf.settings.LANGUAGES",
        "WishSource": "notifications.jobs_api.SOURCES",
        "AddressChannel": "notifications.targets_api.ADDRESS_CHOICES",
        "TargetChannel": "preferences.models.TARGET_CHOICES",
        "EventName": "preferences.kinds.Event.choices",
        "JobEventName": "notifications.ingest_api.JOB_EVENT_CHOICES",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

_EMAIL = environment.email("EMAIL_URL")
EMAIL_CONFIGURED = bool(_EMAIL)
EMAIL_BACKEND = _EMAIL.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = _EMAIL.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _EMAIL.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _EMAIL.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _EMAIL.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_EMAIL.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_EMAIL.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = _EMAIL.get("EMAIL_FILE_PATH") or str(DATA_DIR / "mails")
DEFAULT_FROM_EMAIL = environment.sender("DEFAULT_FROM_EMAIL", "notifcenter@localhost")

CELERY_BROKER_URL = environment.broker("CELERY_BROKER_URL", "filesystem://")
LEAST_RETENTION_DAYS = 7
RETENTION_DAYS = environment.integer("RETENTION_DAYS", 180, least=LEAST_RETENTION_DAYS, or_zero=True)
SWEEP_SECONDS = environment.integer("NOTIFCENTER_SWEEP_SECONDS", 10, least=1)
DELIVERY_LEASE_SECONDS = environment.integer("NOTIFCENTER_LEASE_SECONDS", 120, least=2)
EMAIL_TIMEOUT = min(
    20, DELIVERY_LEASE_SECONDS / 6
)  # seconds between two answers; a mail has a quarter of its lease

LOG_FORMAT = environment.choice("LOG_FORMAT", ("text", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "notifcenter.logs.Lines"},
        "json": {"()": "notifcenter.logs.Json"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "accounts": {"level": "INFO"},
        "celery": {"level": "INFO"},
        "apprise": {"level": "CRITICAL"},  # its lines may show what users have typed in
        "axes": {"level": "ERROR"},  # accounts.sign_in says it in one line
        "notifcenter": {"level": "INFO"},
        "notifications": {"level": "INFO"},
        "preferences": {"level": "INFO"},
    },
}
