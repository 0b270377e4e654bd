"""The office's notices, as a service manager hears them."""

from central.notify import ServiceManager
from provisioning.notify import NotifySocket


def test_what_the_office_says_is_what_systemd_hears() -> None:
    listener = NotifySocket()
    listener.open()
    try:
        manager = ServiceManager({"NOTIFY_SOCKET": listener.address})
        manager.ready()
        manager.status("two\nlines")
        manager.watchdog()
        manager.stopping()
        heard = listener.read(3.0)
        assert (heard.ready, heard.status, heard.fed_s, heard.stopping) == (True, "two lines", 3.0, True)
    finally:
        listener.close()


def test_without_a_service_manager_it_says_nothing() -> None:
    for address in ("", "@nobody-listens-here", "relative"):
        ServiceManager({"NOTIFY_SOCKET": address} if address else {}).ready()
