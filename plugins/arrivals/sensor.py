"""The sensor: gives the arrivals of a feed that are new to the ledger, and complete.

It looks once on a worker. When there is something to wait for, it defers to its trigger, which
goes on looking on the triggerer.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator, BaseSensorOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferralTimeout,
)

from include.airflow_bridge.connections import store_of, warehouse_of
from include.airflow_bridge.errors import airflow_errors, verdict
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from plugins.arrivals.grouping import MOST_GROUPED, grouped, most_files
from plugins.arrivals.look import event_of, look, look_again, waiting_message
from plugins.arrivals.trigger import NewArrivalsTrigger
from plugins.arrivals.waiting import MOST_ARRIVALS, Nothing, Ready, Wait, Watch

# How long the event of a deferred sensor may be overdue before the task itself fails.
TRIGGERER_GRACE_SECONDS = 600


class NewArrivalsSensor(BaseSensorOperator):  # type: ignore[misc]
    """Waits for arrivals of a feed that the ledger does not have.

    It gives them oldest first, and after them those that failed before. A failed one waits five
    minutes, and twice as long after each further failure, up to a day (`retry_after` in the
    ledger); a run that a person starts hands it on at once.

    XCom: a list of at most `most` arrivals as dicts (`Arrival.as_dict`), for a mapped task; by
    default at most 1,000, as many as Airflow maps over. With `by_task` it is a list of such lists,
    one for each task that loads (`files_per_task` of the feed), and has at most 10,000 arrivals.
    The rest is left to the next run.

    What is new is the listing of the feed's prefix minus the ledger, and does not depend on any
    time. So the next look finds files that are late, that have a wrong clock, or that arrived
    during a listing.

    An object that still grows (`source.settle_seconds`) is waited for. `timeout` (seconds) is how
    long to wait for anything new, deferrals included; 0 looks once. Then the task is skipped with
    `soft_fail`, and fails without. A wrong bucket, key or password always fails at once.
    """

    ui_color = "#d7ecd9"

    def __init__(
        self,
        *,
        feed: Feed,
        most: int | None = None,
        by_task: bool = False,
        deferrable: bool = True,
        timeout: float | timedelta = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        if self.never_fail or self.silent_fail or self.exponential_backoff or self.reschedule:
            raise ValueError(
                "NewArrivalsSensor takes no never_fail, silent_fail, exponential_backoff or"
                " mode='reschedule': it is deferrable, and only the absence of files is soft"
            )
        if not isinstance(feed, Feed):
            raise TypeError(f"feed is {feed!r}: a Feed is needed, such as read_feed(path) returns")
        limit = MOST_GROUPED if by_task else MOST_ARRIVALS
        if most is not None and (type(most) is not int or not 1 <= most <= limit):
            raise ValueError(f"most is {most!r}: a run takes 1 to {limit} arrivals")
        self.feed = feed
        self.most = most or limit
        self.by_task = by_task
        self.deferrable = deferrable

    def execute(self, context: Any) -> list[Any]:
        """Looks, and waits here or on the triggerer while there is something to wait for."""
        watch = self._watch(time.time(), is_manual(context))
        with airflow_errors():
            while isinstance(outcome := self._look(watch), Wait):
                watch = outcome.watch
                self.log.info(waiting_message(outcome, self.feed))
                if self.deferrable:
                    self._defer(watch)
                time.sleep(max(0.0, watch.next_look - time.time()))
        return self.conclude(context, event_of(outcome, self.feed))

    def conclude(self, context: Any, event: dict[str, Any]) -> list[Any]:
        """Ends the task as the event of a look says, here or on the triggerer."""
        if event["status"] == "failed":
            raise verdict(event["message"], event["retryable"], event.get("failures", ()))
        if event["status"] == "ready":
            self._log(event)
            arrivals = event["arrivals"]
            if self.by_task:
                return grouped(arrivals, self.feed.files_per_task, _max_map_length())
            return list(arrivals)
        if self.soft_fail:
            self._log(event)
            raise AirflowSkipException(event["message"])
        raise AirflowSensorTimeout(event["message"])

    def _log(self, event: dict[str, Any]) -> None:
        (self.log.warning if event.get("warns") else self.log.info)(event["message"])

    def _look(self, watch: Watch) -> Ready | Wait | Nothing:
        try:
            store = store_of(self.feed.source.connection)
            warehouse = warehouse_of(self.feed.target.connection)
            return look(self.feed, watch, store, warehouse)
        except LandfallError as error:
            wait = look_again(error, watch)
            self.log.warning(str(error))
            return wait

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Resumes the task after its trigger.

        BaseSensorOperator's method would turn every failure into a skip under `soft_fail`, even a
        wrong password.
        """
        try:
            return BaseOperator.resume_execution(self, next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            raise AirflowException(
                "the triggerer did not look for new arrivals in time: check that it runs"
            ) from None

    def _watch(self, now: float, retries_failed: bool) -> Watch:
        per_task = self.feed.files_per_task if self.by_task else 1
        return Watch(
            started=now,
            timeout=self.timeout,
            poke_interval=self.poke_interval,
            settle=self.feed.source.settle_seconds,
            most=min(self.most, most_files(per_task, _max_map_length())),
            retries_failed=retries_failed,
        )

    def _defer(self, watch: Watch) -> NoReturn:
        overdue = watch.ends_for_growing - watch.started + TRIGGERER_GRACE_SECONDS
        trigger = NewArrivalsTrigger(self.feed.model_dump(mode="json"), watch.as_dict())
        self.defer(trigger=trigger, method_name="conclude", timeout=overdue)
        raise AssertionError("defer does not return")


def _max_map_length() -> int:
    return int(conf.getint("core", "max_map_length", fallback=MOST_ARRIVALS))


def is_manual(context: Any) -> bool:
    """Returns whether a person started the run."""
    run = context.get("dag_run")
    return run is not None and run.run_type == "manual"
