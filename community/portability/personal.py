"""What somebody asked of their own data."""

from community.core.personal import GONE, tie

tie("portability.Departure.person", left=GONE, joined=GONE, copy="asked_at due_at words_go")
tie("portability.DataCopy.person", left=GONE, joined=GONE, copy="asked_at ready_at expires_at")
