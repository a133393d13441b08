"""The desk, inside the Wagtail admin: queues, one case on one screen, an address for each act."""
