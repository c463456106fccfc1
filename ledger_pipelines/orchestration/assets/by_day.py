"""The days of one run of a daily asset: worked on in order, each told when it is done, finished ones kept and not redone.

Belongs here: the loop over days that planning, exporting and reconciling share. Does not belong here: what is done for a
day. Annotations are not postponed: Dagster reads those of assets, and this module is read beside them.

When a day fails, the days before it are told to Dagster by hand and stay green (dagster.md 5). An export that continues
another run (re-execution from failure) skips the days that run finished, unless its plans are made anew: then all days go
again. Going again is always right; skipping is cheap. Plans, which cost no call, are always made anew.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

import dagster as dg

from ledger_pipelines.documents.dates import days_between
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration.failing import told
from ledger_pipelines.orchestration.results import Shown

PARENT, ROOT = "dagster/parent_run_id", "dagster/root_run_id"


class ByDay:
    """The days of one run of one asset.

    Args:
        upstream: Assets that this one is made from; where one of them is made in the same run, no day is skipped.
        begins: First day there is anything to do for; days before it are passed over, and say so.
        finished: Whether a day another run finished, with the metadata it was told with, needs no second look. None: every
            day is done.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        upstream: Sequence[dg.AssetKey] = (),
        begins: date = date.min,
        finished: Callable[[Mapping[str, dg.MetadataValue]], bool] | None = None,
    ) -> None:
        self._context = context
        bounds = context.partition_key_range
        self.first, self.last = date.fromisoformat(bounds.start), date.fromisoformat(bounds.end)
        self._begins = begins
        self._before: dict[date, Mapping[str, dg.MetadataValue]] = {}
        if finished is not None:
            continued = self._continued(upstream)
            self._before = {day: shown for day, shown in continued.items() if finished(shown)}

    @property
    def days(self) -> list[date]:
        """All of them, in order."""
        return days_between(self.first, self.last)

    @property
    def due(self) -> list[date]:
        """Those that `run` will do, in order."""
        return [day for day in self.days if day >= self._begins and day not in self._before]

    def run(self, work: Callable[[date], Shown]) -> None:
        """Do each day that is not done.

        Raises:
            dagster.Failure: A day failed; its error names the day where there are several. Days before it stay done.
        """
        done: dict[date, Shown] = {}
        with self._kept_on_failure(done):
            for day in self.days:
                if day in self._before:
                    continue
                if day < self._begins:
                    done[day] = {m.DAY: day.isoformat(), m.NOTES: f"Before the first day, {self._begins}."}
                    continue
                with self._named(day):
                    done[day] = work(day)
                if len(done) % 100 == 0:
                    self._context.log.info("%d of %d days done", len(done), len(self.days))
        if self._before:
            self._context.log.info("%d days were done by the run before.", len(self._before))
        for day, shown in {**self._before, **done}.items():
            self._context.add_asset_metadata(shown, partition_key=day.isoformat())

    @contextmanager
    def _named(self, day: date) -> Iterator[None]:
        try:
            with told():
                yield
        except dg.Failure as failure:
            if self.first == self.last:
                raise
            raise dg.Failure(
                description=f"{day.isoformat()}: {failure.description}",
                metadata={**failure.metadata, m.DAY: day.isoformat()},
                allow_retries=False,
            ) from failure.__cause__

    @contextmanager
    def _kept_on_failure(self, done: dict[date, Shown]) -> Iterator[None]:
        finished = False
        try:
            yield
            finished = True
        finally:
            if not finished:
                for day, shown in done.items():
                    self._context.log_event(
                        dg.AssetMaterialization(
                            self._context.asset_key, partition=day.isoformat(), metadata=dict(shown)
                        )
                    )
                kept = len(done) + len(self._before)
                self._context.log.warning("%d of %d days are done and stay done.", kept, len(self.days))

    def _continued(self, upstream: Sequence[dg.AssetKey]) -> dict[date, Mapping[str, dg.MetadataValue]]:
        """Days of this run that the run it continues has finished, with what was told of them."""
        tags = self._context.run.tags
        runs = {tags[tag] for tag in (PARENT, ROOT) if tag in tags}
        if not runs or any(made_here(self._context, key) for key in upstream):
            return {}
        wanted = {day.isoformat() for day in self.days}
        events = self._context.instance.fetch_materializations(
            self._context.asset_key, limit=2 * len(wanted) + 100
        ).records
        found: dict[date, Mapping[str, dg.MetadataValue]] = {}
        for event in events:
            told_of = event.asset_materialization
            if event.run_id in runs and told_of is not None and event.partition_key in wanted:
                found.setdefault(date.fromisoformat(str(event.partition_key)), told_of.metadata)
        return found


def made_here(context: dg.AssetExecutionContext, key: dg.AssetKey) -> bool:
    """Whether another asset is made in this run too."""
    run = context.run
    if run.step_keys_to_execute is not None:
        return "__".join(key.path) in run.step_keys_to_execute
    if run.asset_selection is not None:
        return key in run.asset_selection
    return key in context.job_def.asset_layer.selected_asset_keys
