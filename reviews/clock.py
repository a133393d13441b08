"""Until when a review should have been looked at."""

from datetime import datetime, timedelta

BUSINESS_HOURS = 72  # FEATURES C


def business_hours_later(start: datetime, hours: int = BUSINESS_HOURS) -> datetime:
    """The moment `hours` hours of weekdays after `start`, in UTC; Saturdays and Sundays don't count.

    A business hour of moderation is any hour from Monday to Friday: 72 of them are three working days
    (docs/decisions/0040).
    """
    moment = start
    left = timedelta(hours=hours)
    while left:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if moment.weekday() >= 5:
            moment = midnight
            continue
        step = min(left, midnight - moment)
        moment, left = moment + step, left - step
    return moment
