"""How gunicorn serves the site: `manage.py serve` uses this, and so does `gunicorn` alone in this folder.

Everything comes from the settings, whose one-line complaints end the start here as well.
"""

import os
import signal
import threading
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "community.settings.production")

from django.conf import settings

bind = f"[{settings.HOST}]:{settings.PORT}" if ":" in settings.HOST else f"{settings.HOST}:{settings.PORT}"
wsgi_app = "community.wsgi:application"
worker_class = "gthread"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
timeout = 60
graceful_timeout = 20
keepalive = 5
# Only these may say that the visitor came by https; SecurityMiddleware believes what follows from it.
forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
control_socket_disable = True
logconfig_dict = settings.LOGGING
loglevel = "warning"
errorlog = "-"


def when_ready(server):
    """Started by `manage.py serve`: end when it ends, however it ends."""
    parent = os.environ.get("SERVE_PARENT")
    if not parent:
        return

    def watch():
        while os.getppid() == int(parent):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def post_worker_init(worker):
    """Before its first request each process loads all addresses, and what they import, and settles in its memory."""
    from django.urls import get_resolver

    from community.core.memory import settle

    get_resolver().url_patterns  # noqa: B018 - reading loads them
    settle()
