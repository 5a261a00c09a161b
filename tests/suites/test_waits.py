"""The one line of what a run waits for names whoever is at work."""

from fixtures.run.awaiting import Awaited
from suites.plugin.waits import Waits


def test_of_a_scenario_that_waits_for_its_turn_the_work_of_others_is_shown() -> None:
    waits = Waits()
    waits.awaits("", Awaited(text="generated: stage stored", began=0, of="generated"))
    waits.awaits("generated", Awaited(text="its turn comes", began=1, queued=True))
    assert waits.text() == "generated: its turn comes"
    waits.awaits("refused", Awaited(text="stage applied", began=3))
    waits.awaits("custom", Awaited(text="stage wire", began=2))
    assert waits.text() == "custom: stage wire"
    waits.awaits("generated", Awaited(text="stage deployed", began=4))
    assert waits.text() == "generated: stage deployed"
