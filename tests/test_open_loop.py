"""Load at a rate: what a closed loop hides, what could not begin in time, and whose fault that is."""

from __future__ import annotations

import asyncio
import contextvars
import http.client
import re
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.latency.budget import BudgetError
from pytest_reliability.latency.load import LEAST_TICKS, TICK, Metronome, OpenLoop, parse_rate

FOREVER = 1e9

BUSY = "all 2 callers were busy"


class Steady(Metronome):
    """A metronome that says what it is told to, whatever the machine is doing."""

    def __init__(self, p99: float | None = None) -> None:
        super().__init__(sleep=lambda _: time.sleep(0.001))
        self._told = p99

    @property
    def p99(self) -> float | None:
        """What it was told."""
        return self._told


class World:
    """A clock that moves only when a call or a pause takes time. With one caller everything in it happens in order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.preempted = 0
        self.made = 0

    def clock(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def load(self, function: Callable[[], Any], rate: float, calls: int, **options: Any) -> OpenLoop:
        """So many calls of the function at that rate, by one caller."""
        options = {"concurrency": 1, "metronome": Steady(), "waited": lambda: None, **options}
        options = {"clock": self.clock, "sleep": self.sleep, **options}
        return OpenLoop(function, rate=rate, duration=calls / rate, **options)

    def taking(self, *seconds: float) -> Callable[[], int]:
        """A function whose calls take so long, the last for ever; negative where the thread is preempted meanwhile."""

        def call() -> int:
            took = seconds[min(self.made, len(seconds) - 1)]
            self.made += 1
            if took == inf:
                raise ValueError(f"call {self.made}")
            self.now += abs(took)
            self.preempted += took < 0
            return self.made

        return call


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on a clock that jumps to whatever is next."""

    def __init__(self) -> None:
        loop = self

        class Selector(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> Any:
                loop.now += timeout or 0.0
                return super().select(0)

        self.now = 1000.0
        super().__init__(Selector())

    def time(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    """An event loop in which no time is wasted."""
    loop = VirtualLoop()
    yield loop
    loop.close()


def in_loop(
    loop: VirtualLoop, function: Callable[[], Coroutine[Any, Any, Any]], rate: float, calls: int, **options: Any
) -> OpenLoop:
    """So many calls of a coroutine function at that rate, in that loop."""
    options = {"concurrency": 50, "metronome": Steady(), **options}
    return OpenLoop(function, rate=rate, duration=calls / rate, clock=loop.time, **options)


def quantile(samples: list[float], share: float) -> float:
    """The sample below which that share of them lies."""
    return sorted(samples)[int(share * len(samples))]


# What a rate is


@pytest.mark.parametrize(
    ("text", "rate"),
    [("200/s", 200.0), ("12000/min", 200.0), ("5 / s", 5.0), (" 0.5/s ", 0.5), ("7200/h", 2.0), ("1.5 /min", 0.025)],
)
def test_a_rate_names_its_unit(text, rate):
    """Seconds, minutes and hours, with spaces or without."""
    assert rate == parse_rate(text)


@pytest.mark.parametrize(
    "value", ["200", "", "200/day", "200/", "/s", "-1/s", "0/s", "1e3/s", "200 rps", "1,000/s", None, True, "9" * 400 + "/s"]
)
def test_other_rates_are_refused_with_what_to_write(value):
    """A BudgetError that can be acted on."""
    with pytest.raises(BudgetError, match=r'rate=.*write .*rate="200/s"'):
        parse_rate(value)


@pytest.mark.parametrize("value", [200, 0.5])
def test_a_bare_number_is_refused(value):
    """A second or a minute? It is not guessed."""
    with pytest.raises(BudgetError, match=rf'rate={value} has no unit; write rate="{value}/s"'):
        parse_rate(value)


@settings(deadline=None)
@given(st.text() | st.builds("{}{}/{}".format, st.floats(), st.text(" ", max_size=1), st.sampled_from(["s", "min", "h", "m"])))
def test_any_text_is_a_rate_or_refused(text):
    """Nothing else comes out of it."""
    try:
        rate = parse_rate(text)
    except BudgetError:
        return
    assert 0 < rate < inf


@pytest.mark.parametrize("concurrency", [0, -1, True, "50", 1.5])
def test_callers_are_a_whole_number(concurrency):
    """At least one."""
    with pytest.raises(BudgetError, match="is no number of callers; write concurrency=50"):
        OpenLoop(print, rate=1.0, duration=1.0, concurrency=concurrency)


def test_less_than_one_call_is_no_load():
    """A rate of 1/h for a second would call nothing, and pass."""
    with pytest.raises(BudgetError, match="less than one call; take a longer duration"):
        OpenLoop(print, rate=1 / 3600, duration=1.0, concurrency=1)


# What a closed loop hides


def test_a_freeze_is_charged_to_every_call_that_was_due_meanwhile():
    """One caller, exactly: a call waits until those before it are over, and counts from when it was due."""
    world, service = World(), [0.001] * 40 + [0.4] + [0.001] * 59
    load = world.load(world.taking(*[0.001] * 10, *service), 100.0, 100)
    drawn = load.draw(100, FOREVER)
    expected, free_at = [], 0.0
    for index, takes in enumerate(service):
        free_at = max(free_at, index * 0.01) + takes
        expected.append(free_at - index * 0.01)
    assert pytest.approx(expected) == drawn
    assert 0.001 == pytest.approx(quantile(service, 0.95))  # what a closed loop reports
    assert 0.3 < quantile(drawn, 0.95)
    waited = sum(latency > 0.0011 for latency in expected) - 1  # the frozen call itself began in time
    (note,) = load.notes
    assert note.endswith(" of 100 waited because the only caller was busy")
    assert waited == pytest.approx(int(note.split()[0]), abs=1)  # one begins the moment that it is due, give or take a rounding


def test_a_frozen_service_is_caught_by_tasks_too(loop):
    """A service that answers in 1 ms freezes once for 400 ms: p95 is 1 ms in a closed loop, over 300 ms in an open one."""
    thaws_at = 0.0

    async def service() -> None:
        if loop.time() < thaws_at:
            await asyncio.sleep(thaws_at - loop.time())
        await asyncio.sleep(0.001)

    async def closed() -> list[float]:
        nonlocal thaws_at
        samples = []
        for index in range(200):
            began = loop.time()
            thaws_at = began + 0.4 if index == 50 else thaws_at
            await service()
            samples.append(loop.time() - began)
        return samples

    async def opened() -> list[float]:
        async def freeze() -> None:
            nonlocal thaws_at
            thaws_at = loop.time() + 0.4

        loop.call_later(1.005, loop.create_task, freeze())
        return await in_loop(loop, service, 100.0, 200).draw_async(200, FOREVER)

    assert 0.001 == pytest.approx(quantile(loop.run_until_complete(closed()), 0.95))
    samples = loop.run_until_complete(opened())
    assert (200, 40) == (len(samples), sum(sample > 0.002 for sample in samples))
    assert 0.3 == pytest.approx(quantile(samples, 0.95), abs=0.011)


def test_the_script_of_the_page_shows_what_the_page_says(tmp_path):
    """A plain function behind a lock, in real time: a freeze is not in p95, unless time counts from when a call was due."""
    page = (Path(__file__).parents[1] / "docs" / "open-loop.md").read_text(encoding="utf-8")
    (script,) = re.findall(r'```python title="freeze.py"\n(.*?)```', page, re.DOTALL)
    (tmp_path / "freeze.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, "freeze.py"], cwd=tmp_path, check=True, capture_output=True, text=True)
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in done.stdout.splitlines()]
    assert [row[0] for row in rows] == re.findall(r"^\| (closed loop|100/s.*?) \|", page, re.MULTILINE)
    assert [True, True, False, False] == [float(row[3]) < 100.0 for row in rows]


class Freezing:
    """An ASGI app that answers at once, but blocks its loop for half a second when it is told to."""

    def __init__(self) -> None:
        self.freezes_at: int | None = None
        self.requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        self.requests += 1
        if self.requests == self.freezes_at:
            time.sleep(0.5)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def server() -> Iterator[tuple[Freezing, int]]:
    """That app under uvicorn, and the port on loopback."""
    uvicorn = pytest.importorskip("uvicorn")
    app = Freezing()
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield app, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10.0)


def test_a_server_that_freezes_is_caught(server):
    """A real server on loopback: half a second without an answer is in 1 of 200 samples, or in a quarter of them."""
    app, port = server
    local, connections = threading.local(), []

    def request() -> int:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port)
            connections.append(local.connection)
        local.connection.request("GET", "/")
        response = local.connection.getresponse()
        response.read()
        return response.status

    app.freezes_at = 100
    closed = []
    for _ in range(200):
        began = time.perf_counter()
        request()
        closed.append(time.perf_counter() - began)
    app.requests, app.freezes_at = 0, 100
    load = OpenLoop(request, rate=100.0, duration=2.0, concurrency=60)
    drawn = load.draw(200, time.perf_counter() + 60.0)
    for connection in connections:
        connection.close()
    assert 200 == load.result
    assert quantile(closed, 0.95) < 0.1 < quantile(drawn, 0.95)
    assert 0.5 <= max(closed)


def test_a_coroutine_that_blocks_the_loop_is_caught():
    """Nothing else can even begin meanwhile, which is its fault and counts."""
    calls = 0

    async def service() -> None:
        nonlocal calls
        calls += 1
        if calls == 40:
            time.sleep(0.5)

    load = OpenLoop(service, rate=100.0, duration=1.0, concurrency=50)
    drawn = asyncio.run(load.draw_async(100, time.perf_counter() + 60.0))
    assert 0.1 < quantile(drawn, 0.95)


# What becomes of calls


def test_samples_come_in_the_order_in_which_the_calls_were_due(loop):
    """Though later ones answer first."""
    takes = iter([0.09, 0.07, 0.05, 0.03, 0.01])

    async def service() -> None:
        await asyncio.sleep(next(takes))

    load = in_loop(loop, service, 100.0, 5)
    assert pytest.approx([0.09, 0.07, 0.05, 0.03, 0.01]) == loop.run_until_complete(load.draw_async(5, FOREVER))
    assert pytest.approx([0.0495, *[0.01] * 4], abs=0.001) == sorted(load.intervals, reverse=True)


def test_no_more_than_so_many_are_called_at_once(loop):
    """The others wait, which is in their latency and is told."""
    running = most = 0

    async def service() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.04)
        running -= 1

    load = in_loop(loop, service, 100.0, 8, concurrency=2)
    drawn = loop.run_until_complete(load.draw_async(8, FOREVER))
    assert 2 == most
    assert pytest.approx([0.04, 0.04, 0.06, 0.06, 0.08, 0.08, 0.1, 0.1], abs=0.002) == drawn
    assert (f"6 of 8 waited because {BUSY}",) == load.notes


def test_arguments_are_passed_and_the_last_result_is_kept():
    """As they were given; nothing is returned before there was a call."""
    load = OpenLoop(lambda *args, **kwargs: (args, kwargs), (1,), {"key": 2}, rate=1000.0, duration=0.002, concurrency=2)
    assert (False, None) == (load.returned, load.result)
    load.draw(2, time.perf_counter() + 60.0)
    assert (True, ((1,), {"key": 2})) == (load.returned, load.result)


def test_threads_know_the_context_of_the_test():
    """Context variables have the values that they have around the load."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")
    variable.set("inside")
    load = OpenLoop(variable.get, rate=1000.0, duration=0.002, concurrency=2)
    load.draw(2, time.perf_counter() + 60.0)
    assert "inside" == load.result


def test_calls_that_never_start_are_counted():
    """The queue closes when the load has been over for as long as it lasted; what waits then has no answer."""
    world = World()
    load = world.load(world.taking(1.0), 8.0, 8)
    assert pytest.approx([1.0, 1.875, *[inf] * 6]) == load.draw(8, FOREVER)
    assert (2, 8) == (world.made, load.measured)
    assert ("1 of 8 waited because the only caller was busy", "6 of 8 never started") == load.notes


def test_a_queue_stays_open_for_as_long_as_a_call_may_take():
    """What may take ten seconds is not lost for waiting one."""
    world = World()
    load = world.load(world.taking(1.0), 8.0, 8, limit=10.0)
    assert pytest.approx([1.0 + 0.875 * index for index in range(8)]) == load.draw(8, FOREVER)


def test_a_call_that_hangs_is_given_up():
    """It has no answer, and the run goes on without it."""
    world, released = World(), threading.Event()

    def hang() -> None:
        world.now += 1000.0
        released.wait(60.0)

    load = world.load(hang, 1.0, 3)
    assert [inf] * 3 == load.draw(3, world.now + 30.0)
    assert ("2 of 3 never started", "1 of 3 never answered") == load.notes
    released.set()


def test_a_task_that_hangs_is_given_up_and_cancelled(loop):
    """Whatever it says to that is not asked for any more."""
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            if len(ended) == 1:
                raise ValueError("while it was cleaning up") from None
            raise

    load = in_loop(loop, hang, 10.0, 2)
    began = loop.time()
    assert [inf, inf] == loop.run_until_complete(load.draw_async(2, began + 30.0))
    assert ["cancelled"] * 2 == ended
    assert ("2 of 2 never answered",) == load.notes
    assert 30.0 <= loop.time() - began <= 31.0
    assert [inf, inf] == load.intervals


def test_the_first_exception_ends_the_load():
    """It is raised here; the calls after it are not made."""
    world = World()
    with pytest.raises(ValueError, match="call 3"):
        world.load(world.taking(0.001, 0.001, inf), 1.0, 9).draw(9, FOREVER)
    assert 3 == world.made


def test_an_exception_does_not_wait_for_those_who_hang():
    """Two callers, one of whom never comes back: it gets a second, not the time for measuring."""
    released = threading.Event()
    hangs = iter([True, False])

    def call() -> None:
        if next(hangs):
            released.wait(60.0)
        raise ValueError("second")

    began = time.perf_counter()
    with pytest.raises(ValueError, match="second"):
        OpenLoop(call, rate=100.0, duration=0.09, concurrency=2).draw(9, began + 60.0)
    assert time.perf_counter() - began < 30.0
    released.set()


def test_the_first_exception_of_a_task_ends_the_load(loop):
    """The same in an event loop; the others are cancelled."""
    made = 0

    async def service() -> None:
        nonlocal made
        made += 1
        if made == 3:
            raise ValueError("call 3")
        await asyncio.sleep(60.0)

    with pytest.raises(ValueError, match="call 3"):
        loop.run_until_complete(in_loop(loop, service, 10.0, 9).draw_async(9, FOREVER))
    assert 3 == made
    assert set() == asyncio.all_tasks(loop)


def test_an_exception_is_no_end_where_it_is_tolerated():
    """It is a call without an answer, and an interval without end; the last one is kept."""
    world = World()
    load = world.load(world.taking(0.001, inf, 0.001, inf, 0.001), 10.0, 5, tolerate_errors=True)
    assert pytest.approx([0.001, inf, 0.001, inf, 0.001]) == load.draw(5, FOREVER)
    assert pytest.approx([0.001, inf, 0.2, inf, 0.2]) == load.intervals
    assert ("call 4", 5, ()) == (str(load.error), load.result, load.notes)


def test_only_exceptions_are_tolerated():
    """Somebody who ends the test means it."""
    world = World()

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        world.load(leave, 10.0, 5, tolerate_errors=True).draw(5, FOREVER)


def test_nothing_is_returned_where_every_call_raises():
    """So that the session can raise what they raised."""
    world = World()
    load = world.load(world.taking(inf), 10.0, 3, tolerate_errors=True)
    assert ([inf] * 3, False, None) == (load.draw(3, FOREVER), load.returned, load.result)


def test_an_interrupt_ends_the_callers():
    """Ctrl-C while waiting for the next call leaves no thread behind."""
    world, before = World(), set(threading.enumerate())

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.load(world.taking(0.001), 10.0, 5, sleep=interrupted, concurrency=3).draw(5, FOREVER)
    for thread in set(threading.enumerate()) - before:
        thread.join(60.0)
        assert not thread.is_alive()


def test_a_cancelled_test_cancels_its_tasks(loop):
    """What is under way ends with the test that asked for it."""
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async def test() -> None:
        await asyncio.wait_for(in_loop(loop, hang, 10.0, 5).draw_async(5, FOREVER), 0.25)

    with pytest.raises(asyncio.TimeoutError):
        loop.run_until_complete(test())
    assert ["ended"] * 3 == ended


# The deadline, warming up, and starting afresh


def test_past_the_deadline_nothing_begins():
    """Nor does anything warm up."""
    world = World()
    load = world.load(world.taking(0.001), 100.0, 100)
    assert ([], 0, 0) == (load.draw(100, world.now), world.made, load.measured)


def test_a_load_is_never_cut_short():
    """The user asked for so many seconds, and half a load is none."""
    world = World()
    assert 100 == len(world.load(world.taking(0.001), 10.0, 100).draw(100, world.now + 3.0))


def test_a_tenth_of_a_load_warms_up():
    """Once: it is not among the samples, and whatever happened in it is not told."""
    world = World()
    load = world.load(world.taking(0.05, 0.001), 100.0, 100)
    assert pytest.approx([0.001] * 100) == load.draw(100, FOREVER)
    assert (110, 100, 100, ()) == (world.made, load.measured, len(load.intervals), load.notes)
    load.draw(100, FOREVER)
    assert (210, 200, 200) == (world.made, load.measured, len(load.intervals))
    load.forget()
    assert (0, []) == (load.measured, load.intervals)


def test_as_many_loads_are_made_as_hold_the_samples():
    """The rule asks for two or three loads at once; preempted calls are not made up for by another."""
    world = World()
    load = world.load(world.taking(0.001, -0.001, 0.001), 10.0, 5, preemptions=lambda: world.preempted)
    assert 14 == len(load.draw(15, FOREVER))
    assert 5 == len(load.draw(1, FOREVER))
    assert 5 == len(load.draw(6, FOREVER))
    assert (25, 1) == (load.measured, load.set_aside)
    assert 5 == len(load.draw(15, world.now + 0.1))


def test_a_load_says_how_many_samples_come_at_once():
    """So that the rule looks at whole loads."""
    assert 1000 == OpenLoop(print, rate=200.0, duration=5.0, concurrency=50).chunk


# Whose fault it is


def test_preempted_calls_are_set_aside():
    """As in a closed loop, by the thread that made them."""
    world = World()
    load = world.load(world.taking(0.001, -0.002, 0.001, 0.003), 10.0, 4, preemptions=lambda: world.preempted)
    assert pytest.approx([0.001, 0.001, 0.003]) == load.draw(4, FOREVER)
    assert (True, 1, 4, False) == (load.guarded, load.set_aside, load.measured, load.too_busy)


@pytest.mark.parametrize(("lost", "kept"), [(0.002, 20), (0.020, 14)])
def test_a_preemption_sets_aside_only_those_calls_under_way_that_it_held_up(loop, lost, kept):
    """Of calls that take 150 ms and overlap, none for 2 ms; for 20 ms all six of them (other calls had ended, or not begun)."""
    preempted, waited, made = 0, 0.0, 0

    async def call() -> None:
        nonlocal preempted, waited, made
        made += 1
        if made == 10:
            preempted, waited = 1, lost
        await asyncio.sleep(0.150)

    load = in_loop(loop, call, 40.0, 20, preemptions=lambda: preempted, waited=lambda: waited)
    load._warm = True
    assert kept == len(loop.run_until_complete(load.draw_async(20, FOREVER)))


def test_without_a_counter_nothing_is_set_aside():
    """And the load says that it is not guarded."""
    world = World()
    load = world.load(world.taking(-0.002), 10.0, 4)
    assert (False, 4) == (load.guarded, len(load.draw(4, FOREVER)))


def test_a_host_that_is_too_busy_is_not_judged():
    """Calls that escaped preemption are a choice; no further load is made."""
    world = World()
    load = world.load(world.taking(*[0.001, -0.002, -0.002] * 30), 10.0, 60, preemptions=lambda: world.preempted)
    assert ([], True) == (load.draw(60, FOREVER), load.too_busy)
    assert ([], 66) == (load.draw(60, FOREVER), world.made)


def test_a_metronome_notes_how_late_it_is():
    """10 ms late, of which the process itself used 4."""
    now = used = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now, used
        now += seconds + 0.010
        used += 0.004

    metronome = Metronome(lambda: now, sleep, lambda: used)
    metronome.tick()
    assert pytest.approx([0.006]) == metronome.late


def test_lateness_of_the_process_itself_is_not_the_hosts():
    """What is called held the interpreter for 300 ms: that is what has to be found."""
    now = used = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now, used
        now += seconds + 0.3
        used += 0.301

    metronome = Metronome(lambda: now, sleep, lambda: used)
    metronome.tick()
    assert [0.0] == metronome.late


def test_a_metronome_needs_some_ticks_to_tell():
    """The worst hundredth of a few ticks is nobody's guess."""
    metronome = Metronome()
    metronome.late += [0.001] * (LEAST_TICKS - 2) + [0.5]
    assert metronome.p99 is None
    metronome.late += [0.3]
    assert 0.5 == metronome.p99


def test_a_metronome_ticks_beside_a_load():
    """In real time, and only as long as it is asked to."""
    metronome = Metronome()
    with metronome:
        time.sleep(50 * TICK)
    ticks = len(metronome.late)
    time.sleep(10 * TICK)
    assert 0 < ticks == len(metronome.late)


@pytest.mark.parametrize(("limit", "doubted"), [(0.099, True), (0.101, False), (None, True)])
def test_a_late_machine_casts_doubt_on_a_failure(limit, doubted):
    """Where it is late by more than a tenth of the tightest limit; of the time between two calls where that is not known."""
    world = World()
    load = world.load(world.taking(0.001), 200.0, 4, metronome=Steady(0.010), limit=limit)
    load.draw(4, FOREVER)
    assert ("this machine was 10.0 ms late at p99",) == load.notes
    assert ("this machine cannot make 200 calls a second on time: it was 10.0 ms late at p99" if doubted else "") == load.doubt


def test_a_rate_that_takes_all_our_time_casts_doubt(monkeypatch):
    """Then nobody knows how long the calls take."""
    world, ticks = World(), iter(range(10_000))
    load = world.load(world.taking(0.001), 1000.0, 5)
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks) * 1e-3)
    load.draw(5, FOREVER)
    assert "this machine cannot make 1,000 calls a second on time: it needs its time for starting them" == load.doubt
    load.forget()
    assert "" == load.doubt


# Other loops than asyncio's


def test_another_loop_needs_anyio(monkeypatch):
    """Where nobody has imported it, the message says so."""
    monkeypatch.delitem(sys.modules, "anyio", raising=False)
    load = World().load(print, 10.0, 3)
    with pytest.raises(RuntimeError, match="write: import anyio"):
        load.draw_async(3, FOREVER).send(None)


def in_trio(
    function: Callable[[], Coroutine[Any, Any, Any]], calls: int, **options: Any
) -> tuple[OpenLoop, Callable[[], list[float]]]:
    """So many calls at 10/s under trio, on a clock that jumps to whatever is next."""
    trio = pytest.importorskip("trio", reason="trio is not installed")
    testing = pytest.importorskip("trio.testing")
    pytest.importorskip("anyio", reason="anyio is not installed")
    load = OpenLoop(
        function,
        rate=10.0,
        duration=calls / 10.0,
        clock=trio.current_time,
        **{"concurrency": 50, "metronome": Steady(), **options},
    )

    async def draw() -> list[float]:
        return await load.draw_async(calls, trio.current_time() + 30.0)

    return load, lambda: trio.run(draw, clock=testing.MockClock(autojump_threshold=0.0))


def test_trio_is_loaded_through_anyio():
    """With as many callers as may be, and every call that hangs given up."""
    trio = pytest.importorskip("trio", reason="trio is not installed")
    made = 0

    async def service() -> int:
        nonlocal made
        made += 1
        await (trio.sleep_forever() if made == 4 else trio.sleep(0.15))
        return made

    load, run = in_trio(service, 4, concurrency=1)
    assert pytest.approx([0.15, 0.2, 0.25, inf], abs=0.002) == run()
    assert ("3 of 4 waited because the only caller was busy", "1 of 4 never answered") == load.notes


def test_an_exception_under_trio_is_raised_as_it_is():
    """Not in a group; the other calls are cancelled."""
    trio = pytest.importorskip("trio", reason="trio is not installed")
    made = 0

    async def service() -> None:
        nonlocal made
        made += 1
        if made == 2:
            raise ValueError("call 2")
        await trio.sleep_forever()

    _, run = in_trio(service, 4)
    with pytest.raises(ValueError, match="call 2"):
        run()
    assert 2 == made
