"""What moderators see and do, inside the Wagtail admin: a file for each page."""
