"""Django's rules for passwords, said in our words."""

from django.contrib.auth import password_validation as stock
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

RULES = gettext_lazy("At least 10 characters. Not your name or address, no word that everybody uses, not only digits.")


class NotAboutYou(stock.UserAttributeSimilarityValidator):
    def get_error_message(self) -> str:
        return _("This is too close to your name or address.")


class LongEnough(stock.MinimumLengthValidator):
    def get_error_message(self) -> str:
        return ngettext(
            "Too short: it needs at least %(least)d character.",
            "Too short: it needs at least %(least)d characters.",
            self.min_length,
        ) % {"least": self.min_length}


class NotCommon(stock.CommonPasswordValidator):
    def get_error_message(self) -> str:
        return _("Too many people use this one.")


class NotOnlyDigits(stock.NumericPasswordValidator):
    def get_error_message(self) -> str:
        return _("Only digits are too easy to guess.")
