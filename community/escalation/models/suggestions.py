"""What was learned from where cases went."""

from django.db import models

from community.core import clock


class RoutingModel(models.Model):
    """Weights of words for departments, learned from settled cases. The newest is used; a page only adds them up."""

    trained_at = models.DateTimeField(default=clock.now)
    weights = models.JSONField(help_text="classes, intercepts and, for each word, its idf and a weight per class")
    cases = models.PositiveIntegerField(help_text="settled cases it was learned from")
    held_back = models.PositiveIntegerField(help_text="cases it was measured on, none of which it had seen")
    accuracy = models.FloatField()
    majority = models.FloatField(help_text="what always naming the commonest department would have got right")
    mis_routed = models.JSONField(
        help_text="department's id: the share of its suggestions that were wrong", default=dict
    )

    class Meta:
        get_latest_by = "trained_at"

    def __str__(self) -> str:
        return f"{self.cases} cases, {self.accuracy:.0%} right"
