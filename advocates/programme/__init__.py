"""The way into the programme: the code of conduct, applying and inviting, a blind trial, two judges, a decision."""

from .applying import (
    LONGEST_MOTIVATION,
    MOST_PRODUCTS,
    SHORTEST_MOTIVATION,
    apply,
    best_owners,
    invite,
    open_application,
    why_not_apply,
    withdraw,
)
from .code import accept_code, acceptance_of, current_code, publish_code
from .deciding import decide
from .judging import PATIENCE, items_for, judge, keep_judging, possible_judges
from .trial import LONGEST_ANSWER, QUESTIONS, SHORTEST_ANSWER, answer_trial, send_trial
from .verdicts import (
    JUDGES,
    Agreement,
    agreement,
    agreement_of_all,
    differing,
    helps,
    pairs_of,
    passed_products,
    told_to_applicant,
    verdicts_of,
)

__all__ = [
    "Agreement",
    "JUDGES",
    "LONGEST_ANSWER",
    "LONGEST_MOTIVATION",
    "MOST_PRODUCTS",
    "PATIENCE",
    "QUESTIONS",
    "SHORTEST_ANSWER",
    "SHORTEST_MOTIVATION",
    "accept_code",
    "acceptance_of",
    "agreement",
    "agreement_of_all",
    "answer_trial",
    "apply",
    "best_owners",
    "current_code",
    "decide",
    "differing",
    "helps",
    "invite",
    "items_for",
    "judge",
    "keep_judging",
    "open_application",
    "pairs_of",
    "passed_products",
    "possible_judges",
    "publish_code",
    "send_trial",
    "told_to_applicant",
    "verdicts_of",
    "why_not_apply",
    "withdraw",
]
