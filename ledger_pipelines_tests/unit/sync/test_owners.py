"""A dead owner of a lease is recognised; a living or a foreign one never taken for dead."""

from __future__ import annotations

import multiprocessing

from ledger_pipelines.sync.owners import active, alive, new_owner


def _report(queue: multiprocessing.Queue[str]) -> None:
    queue.put(new_owner())


def test_a_run_is_alive_while_it_goes_on_and_dead_after() -> None:
    with active(new_owner()) as owner:
        assert alive(owner) is True
    assert alive(owner) is False


def test_the_owner_of_an_ended_process_is_dead() -> None:
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_report, args=(queue,))
    process.start()
    owner = queue.get(timeout=60)
    process.join(60)
    assert alive(owner) is False


def test_an_owner_of_another_machine_or_form_is_not_judged() -> None:
    with active(new_owner()) as owner:
        _boot, _, rest = owner.partition("/")
    assert alive(f"another-boot/{rest}") is None
    assert alive("?#abc") is None
    assert alive("someone") is None
