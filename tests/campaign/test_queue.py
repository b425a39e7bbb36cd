"""The queue of a batch: each realization is taken once, and a batch has one run at a time."""

import threading

from porefail.campaign.queue import Parts
from porefail.store import Status


def test_a_claim_is_given_once(tmp_path):
    parts = Parts(tmp_path / "s.h5")
    parts.open_queue([])
    assert [parts.claim(3), parts.claim(3), parts.claim(4)] == [True, False, True]
    assert parts.claimed() == {3: None, 4: None}
    parts.settle(3, Status.NOT_CONVERGED, 2.5)
    assert parts.claimed() == {3: (Status.NOT_CONVERGED, 2.5), 4: None}
    parts.open_queue([])
    assert parts.claimed() == {}
    assert parts.claim(3)


def test_two_runs_of_one_batch_take_turns(tmp_path, capsys):
    entered = []

    def second() -> None:
        with Parts(tmp_path / "s.h5").alone("second"):
            entered.append("second")

    with Parts(tmp_path / "s.h5").alone("first"):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.3)
        assert not entered
    other.join()
    assert entered == ["second"]
    assert "second: another run is at work on this batch, waiting" in capsys.readouterr().out
