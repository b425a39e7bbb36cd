"""How far a campaign is."""

from porefail.campaign.accounting import Entry
from porefail.campaign.progress import outlook


def test_all_but_a_few_is_not_all():
    entries = dict.fromkeys(range(9999), Entry("EMPTY")) | {9999: Entry("MISSING")}
    assert outlook(entries) == "99.9 % done, no simulation is running"
