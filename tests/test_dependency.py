"""Dependencies that are slow or fail at their call points: what acts when, and what is left when it is over."""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pytest_reliability.latency import dependency
from pytest_reliability.latency.dependency import CallPoints, DependencyError, DependencyUntouched, call_point, pause


class Store:
    """A dependency in all the forms in which Python has functions."""

    prefix = "store"
    length = len
    lazily = functools.partialmethod(lambda self, key: key, "key")

    def get(self, key: str) -> str:
        """Plain."""
        return f"{self.prefix}:{key}"

    @staticmethod
    def parse(text: str) -> str:
        """Static."""
        return text.upper()

    @classmethod
    def connect(cls, name: str) -> str:
        """Of the class."""
        return f"{cls.__name__}:{name}"

    async def fetch(self, key: str) -> str:
        """Asynchronous."""
        return f"{self.prefix}:{key}"

    def execute(self, key: str) -> Any:
        """Not marked as asynchronous, but to be awaited."""
        return self.fetch(key)

    def scan(self) -> Iterator[str]:
        """A generator that returns something."""
        got = yield "a"
        yield got
        return "end"

    async def scan_async(self) -> AsyncIterator[str]:
        """An asynchronous generator."""
        yield "a"
        yield "b"


class Heir(Store):
    """A dependency whose functions are inherited."""


class Meta(type):
    """What classes may be called with."""

    def make(cls) -> str:
        """A method of the class that its objects do not have."""
        return cls.__name__


class Made(metaclass=Meta):
    """A class with such a method."""


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("get",)

    def __init__(self) -> None:
        self.get = str.upper


class Sleeps:
    """Call points that note how long they would have waited."""

    def __init__(self) -> None:
        self.waited: list[tuple[str, float]] = []
        self.points = CallPoints(sleep=lambda seconds: self.waited.append(("thread", seconds)), sleep_async=self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Wait in a loop."""
        self.waited.append(("loop", seconds))


@pytest.fixture
def sleeps() -> Iterator[Sleeps]:
    """Call points of their own, closed after the test."""
    sleeps = Sleeps()
    yield sleeps
    sleeps.points.close()


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A registry of its own for each test."""
    registry: dict[str, Any] = {}
    monkeypatch.setattr(dependency, "_REGISTERED", registry)
    return registry


async def everything(items: AsyncIterator[str]) -> list[str]:
    """What an asynchronous generator yields."""
    return [item async for item in items]


FORMS: dict[str, tuple[object, Callable[[], Any], Any, str]] = {
    "get": (Store, lambda: Store().get("a"), "store:a", "thread"),
    "parse": (Store, lambda: (Store.parse("a"), Store().parse("a"))[1], "A", "thread"),
    "connect": (Heir, lambda: Heir.connect("a"), "Heir:a", "thread"),
    "length": (Store, lambda: Store.length("abc"), 3, "thread"),
    "scan": (Store, lambda: list(Store().scan()), ["a", None], "thread"),
    "make": (Made, lambda: Made.make(), "Made", "thread"),
    "fetch": (Store, lambda: asyncio.run(Store().fetch("a")), "store:a", "loop"),
    "execute": (Store, lambda: asyncio.run(Store().execute("a")), "store:a", "loop"),
    "scan_async": (Store, lambda: asyncio.run(everything(Store().scan_async())), ["a", "b"], "loop"),
}


@pytest.mark.parametrize("attribute", FORMS)
def test_every_form_of_function_is_slowed_and_gives_its_result(sleeps: Sleeps, attribute: str) -> None:
    """What is called in a thread sleeps there, what is awaited sleeps in the loop; afterwards nothing has changed."""
    owner, call, result, where = FORMS[attribute]
    before = dict(vars(owner))
    sleeps.points.register("store", owner, attribute)
    with sleeps.points.slow("store", by="200ms") as injection:
        assert result == call()
    assert {(where, 0.2)} == set(sleeps.waited)
    assert len(sleeps.waited) == injection.acted == injection.calls
    assert before == dict(vars(owner))
    assert list(before) == list(vars(owner))


@pytest.mark.parametrize("attribute", FORMS)
def test_every_form_of_function_can_fail(sleeps: Sleeps, attribute: str) -> None:
    """The error comes where the call would have answered."""
    owner, call, result, _ = FORMS[attribute]
    sleeps.points.register("store", owner, attribute)
    with sleeps.points.failing("store", error=OSError("refused")), pytest.raises(OSError, match="refused"):
        call()
    assert result == call()


def test_kinds_of_functions_stay_what_they_are(sleeps: Sleeps) -> None:
    """Whoever asks whether a function is asynchronous gets the same answer, and sees its name."""
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    attributes = ("get", "fetch", "scan", "scan_async")
    for attribute in attributes:
        sleeps.points.register("store", Store, attribute)
    before = [[kind(getattr(Store, attribute)) for kind in kinds] for attribute in attributes]
    with sleeps.points.slow("store", by="1s"):
        Store().get("a")
        assert before == [[kind(getattr(Store, attribute)) for kind in kinds] for attribute in attributes]
        assert "get" == Store.get.__name__


def test_a_generator_can_still_be_sent_to(sleeps: Sleeps) -> None:
    """What is sent in and what it returns pass through."""
    sleeps.points.register("store", Store, "scan")
    with sleeps.points.slow("store", by="1s"):
        scan = Store().scan()
        assert "a" == next(scan)
        assert "sent" == scan.send("sent")  # type: ignore[attr-defined]
        with pytest.raises(StopIteration) as stopped:
            next(scan)
        assert "end" == stopped.value.value


def test_an_inherited_function_is_not_left_behind(sleeps: Sleeps) -> None:
    """Only the heir is slowed, and it has nothing of its own when that is over."""
    sleeps.points.register("heir", Heir, "get")
    with sleeps.points.slow("heir", by="1s"):
        Store().get("a")
        assert [] == sleeps.waited
        Heir().get("a")
        assert [("thread", 1.0)] == sleeps.waited
    assert "get" not in vars(Heir)


def test_objects_and_modules_have_call_points_too(sleeps: Sleeps) -> None:
    """A function of one object, one in a slot, one of a module; all are what they were."""
    one, other, slotted, module = Store(), Store(), Slotted(), ModuleType("shop")
    module.find = str.lower  # type: ignore[attr-defined]
    for owner, attribute in ((one, "get"), (slotted, "get"), (module, "find")):
        sleeps.points.register("store", owner, attribute)
    with sleeps.points.slow("store", by="50ms") as injection:
        other.get("a")
        assert 0 == injection.calls
        assert ("store:a", "A", "a") == (one.get("a"), slotted.get("a"), module.find("A"))  # type: ignore[attr-defined]
    assert [("thread", 0.05)] * 3 == sleeps.waited
    assert {} == vars(one)
    assert str.upper is slotted.get
    assert str.lower is module.find  # type: ignore[attr-defined]


def test_a_share_is_spread_evenly(sleeps: Sleeps) -> None:
    """Not chance decides: 30% of ten calls are three, spread evenly."""
    sleeps.points.register("store", Store, "get")
    slowed = []
    with sleeps.points.slow("store", by="1s", share="30%") as injection:
        for _ in range(10):
            before = len(sleeps.waited)
            Store().get("a")
            slowed.append(len(sleeps.waited) - before)
    assert [0, 0, 0, 1, 0, 0, 1, 0, 0, 1] == slowed
    assert (10, 3) == (injection.calls, injection.acted)


def test_shares_are_exact_across_threads(sleeps: Sleeps) -> None:
    """Callers that call at once do not lose a call."""
    sleeps.points.register("store", Store, "get")

    def many() -> None:
        for _ in range(250):
            Store().get("a")

    with sleeps.points.slow("store", by="1s", share="12.5%") as injection:
        threads = [threading.Thread(target=many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (1000, 125) == (injection.calls, injection.acted)
    assert 125 == len(sleeps.waited)


def test_injections_add_up(sleeps: Sleeps) -> None:
    """Slow and slower, slow and failing, left in whatever order: an error comes late, and all is undone at the end."""
    own = vars(Store)["get"]
    sleeps.points.register("store", Store, "get")
    first, second = sleeps.points.slow("store", by="1s"), sleeps.points.slow("store", by="2s")
    first.__enter__()
    second.__enter__()
    Store().get("a")
    with sleeps.points.failing("store", error=OSError), pytest.raises(OSError):
        Store().get("a")
    first.__exit__(None, None, None)
    Store().get("a")
    second.__exit__(None, None, None)
    Store().get("a")
    assert [("thread", 3.0), ("thread", 3.0), ("thread", 2.0)] == sleeps.waited
    assert own is vars(Store)["get"]


def test_calls_that_are_not_acted_on_do_not_wait(sleeps: Sleeps) -> None:
    """Not even for no time at all, which would let others run; and the same injection can be used again."""
    sleeps.points.register("store", Store, "fetch")
    injection = sleeps.points.slow("store", by="1s", share="50%")
    for _ in range(2):
        with injection:
            asyncio.run(Store().fetch("a"))
            asyncio.run(Store().fetch("a"))
        assert (2, 1) == (injection.calls, injection.acted)
    assert [("loop", 1.0)] * 2 == sleeps.waited


def test_an_error_is_the_one_that_was_given(sleeps: Sleeps) -> None:
    """An exception, or a class of exceptions; without one it is a ConnectionError that says where it comes from."""
    error = TimeoutError("redis")
    sleeps.points.register("store", Store, "get")
    for given, expected in ((error, "redis"), (KeyError, None), (None, r"injected by latency.failing\('store'\)")):
        with sleeps.points.failing("store", error=given), pytest.raises(Exception, match=expected) as raised:
            Store().get("a")
        assert given is None or raised.value is given or isinstance(raised.value, KeyError)


def test_an_error_does_not_gather_traces(sleeps: Sleeps) -> None:
    """Raised a thousand times, one exception does not grow."""
    error = OSError("refused")
    sleeps.points.register("store", Store, "get")

    def depth() -> int:
        with pytest.raises(OSError) as raised:
            Store().get("a")
        return len(raised.traceback)

    with sleeps.points.failing("store", error=error):
        assert 1 == len({depth() for _ in range(20)})


def test_an_injection_that_nothing_called_fails_the_test(sleeps: Sleeps) -> None:
    """A test under an injection that never acted proves nothing; the message names the places and the likely cause."""
    sleeps.points.register("store", Store, "get")
    sleeps.points.register("store", Store(), "get")
    with pytest.raises(DependencyUntouched) as raised, sleeps.points.slow("store", by="200ms"):
        pass
    assert (
        "latency.slow('store', by='200ms') never took effect: nothing called Store.get, Store.get\n"
        "  a function that was imported by name has to be registered at the module that imported it"
    ) == str(raised.value)


def test_a_share_that_never_came_round_is_told_where_asked_for(sleeps: Sleeps) -> None:
    """A test that runs once makes too few calls for 10%; one that measures should make enough."""
    call_point("store", Store, "get")
    with sleeps.points.failing("store", share="10%") as injection:
        Store().get("a")
    assert (1, 0) == (injection.calls, injection.acted)
    for calls, counted in ((1, "1 call"), (9, "9 calls")):
        injection = CallPoints(strict=True).failing("store", share="10%").__enter__()
        for _ in range(calls):
            Store().get("a")
        with pytest.raises(DependencyUntouched) as raised:
            injection.__exit__(None, None, None)
        expected = f"latency.failing('store') never took effect: 10% of {counted} is none; make more calls, or raise the share"
        assert expected == str(raised.value)


def test_an_exception_in_the_body_is_not_hidden(sleeps: Sleeps) -> None:
    """What went wrong first is told, not that the injection never acted."""
    sleeps.points.register("store", Store, "get")
    with pytest.raises(ZeroDivisionError), sleeps.points.slow("store", by="1s"):
        raise ZeroDivisionError


def test_closing_undoes_an_injection_that_was_never_left(sleeps: Sleeps) -> None:
    """Also one whose end nobody reached; ending it later harms nothing."""
    own = vars(Store)["get"]
    sleeps.points.register("store", Store, "get")
    injection = sleeps.points.slow("store", by="1s")
    injection.__enter__()
    assert own is not vars(Store)["get"]
    sleeps.points.close()
    assert own is vars(Store)["get"]
    with pytest.raises(DependencyUntouched):
        injection.__exit__(None, None, None)
    assert own is vars(Store)["get"]


def test_a_registered_dependency_is_known_to_every_test(sleeps: Sleeps, registered: dict[str, Any]) -> None:
    """`call_point` is for all tests, `register` for one; registering twice slows once."""
    for _ in range(2):
        call_point("store", Store, "get")
        sleeps.points.register("store", Store, "get")
    sleeps.points.register("store", Store, "parse")
    with sleeps.points.slow("store", by="1s"):
        Store().get("a")
        Store.parse("a")
    assert [("thread", 1.0)] * 2 == sleeps.waited
    assert 1 == len(registered["store"])
    with pytest.raises(DependencyUntouched, match=r"nothing called Store\.get\n"), CallPoints().slow("store", by="1s"):
        pass


@pytest.mark.parametrize(
    ("name", "hint"),
    [("reddis", "did you mean 'redis'?"), ("postgres", "there is 'checkout', 'redis'"), (7, "there is 'checkout', 'redis'")],
)
def test_an_unknown_dependency_is_told_with_the_nearest(sleeps: Sleeps, name: Any, hint: str) -> None:
    """And how to register it."""
    call_point("redis", Store, "get")
    sleeps.points.register("checkout", Store, "get")
    with pytest.raises(DependencyError) as raised:
        sleeps.points.slow(name, by="1s")
    assert (
        f"no dependency is registered as {name!r}; {hint}\n"
        f"  register it: latency.call_point({name!r}, Cache, 'get') or latency.proxy({name!r}, '127.0.0.1:6379')"
    ) == str(raised.value)


def test_without_any_dependency_the_message_says_so(sleeps: Sleeps) -> None:
    """There is no nearest name among none."""
    with pytest.raises(DependencyError, match="no dependency is registered as 'redis'; none is\n"):
        sleeps.points.failing("redis")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": 200}, 'by=200 has no unit; write by="200ms"'),
        ({"by": 0.05}, 'by=0.05 has no unit; write by="50ms"'),
        ({"by": "fast"}, "by='fast' is no duration that holds anything up; write by=\"200ms\""),
        ({"by": "0ms"}, "by='0ms' is no duration that holds anything up"),
        ({"by": True}, "by=True is no duration that holds anything up"),
        ({"by": "1s", "share": 0.1}, 'share=0.1 is no share of the calls; write share="10%"'),
        ({"by": "1s", "share": "0%"}, "share='0%' is no share of the calls"),
        ({"by": "1s", "share": "101%"}, "share='101%' is no share of the calls"),
        ({"by": "1s", "share": "some"}, "share='some' is no share of the calls"),
    ],
)
def test_a_wrong_slowness_is_refused(sleeps: Sleeps, arguments: dict[str, Any], message: str) -> None:
    """Durations and shares have units, and none that does nothing."""
    sleeps.points.register("store", Store, "get")
    with pytest.raises(DependencyError) as raised:
        sleeps.points.slow("store", **arguments)
    assert message in str(raised.value)


@pytest.mark.parametrize("error", ["refused", int, 503])
def test_an_error_that_is_no_exception_is_refused(sleeps: Sleeps, error: object) -> None:
    """The message shows one."""
    sleeps.points.register("store", Store, "get")
    with pytest.raises(DependencyError, match=r'is no exception; write error=ConnectionError\("refused"\)'):
        sleeps.points.failing("store", error=error)


@pytest.mark.parametrize(
    ("name", "owner", "attribute", "message"),
    [
        ("store", Store, "gett", "Store.gett is no function; write call_point('store', owner, 'attribute')"),
        ("store", Store, "prefix", "Store.prefix is no function"),
        ("store", SimpleNamespace(), "get", "SimpleNamespace.get is no function"),
        ("store", Store, 3, "Store.3 is no function"),
        ("", Store, "get", "'' is no name for a dependency; write call_point('redis', owner, 'attribute')"),
        (None, Store, "get", "None is no name for a dependency"),
    ],
)
def test_what_is_no_call_point_is_refused(name: Any, owner: object, attribute: Any, message: str) -> None:
    """As soon as it is registered."""
    with pytest.raises(DependencyError) as raised:
        call_point(name, owner, attribute)
    assert message in str(raised.value)


def test_what_cannot_be_replaced_is_told(sleeps: Sleeps) -> None:
    """A class written in C keeps its functions; those that were replaced before are put back."""
    own = vars(Store)["get"]
    sleeps.points.register("text", Store, "get")
    sleeps.points.register("text", str, "upper")
    with pytest.raises(DependencyError, match=r"str.upper cannot be replaced .*use latency.proxy"):
        sleeps.points.slow("text", by="1s").__enter__()
    assert own is vars(Store)["get"]
    assert "A" == "a".upper()


def test_a_partial_method_is_slowed_too(sleeps: Sleeps) -> None:
    """It gets the object that it is called on."""
    sleeps.points.register("store", Store, "lazily")
    with sleeps.points.slow("store", by="1s"):
        assert "key" == Store().lazily()
    assert [("thread", 1.0)] == sleeps.waited


def test_waiting_is_real_by_default() -> None:
    """In a thread and in a loop."""
    points = CallPoints()
    points.register("store", Store, "get")
    points.register("store", Store, "fetch")
    with points.slow("store", by="1ms") as injection:
        Store().get("a")
        asyncio.run(Store().fetch("a"))
    assert 2 == injection.acted


def test_a_loop_of_trio_waits_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no loop of asyncio's runs it is trio's."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setitem(sys.modules, "trio", SimpleNamespace(sleep=sleep))
    with pytest.raises(StopIteration):
        pause(0.2).send(None)
    assert [0.2] == slept


def test_a_proxy_acts_under_its_name(sleeps: Sleeps) -> None:
    """Call points and proxies of one name act together, and the message names both; a name is needed here, too."""
    proxy = sleeps.points.proxy("store", "127.0.0.1", 1)
    sleeps.points.register("store", Store, "get")
    places = rf"Store.get, the proxy at 127.0.0.1:{proxy.port} to 127.0.0.1:1\n"
    with pytest.raises(DependencyUntouched, match=places), sleeps.points.failing("store"):
        pass
    with pytest.raises(DependencyError, match="is no name for a dependency"):
        sleeps.points.proxy("", "127.0.0.1", 1)


PAGE = Path(__file__).parents[1] / "docs" / "dependencies.md"


def test_the_page_s_example_runs(pytester: pytest.Pytester) -> None:
    """The complete example in the documentation passes; it is not judged here."""
    files = dict(re.findall(r'```python title="(.+?)"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL))
    assert {"shop.py", "conftest.py", "test_prices.py"} == set(files)
    for name, text in files.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    pytester.syspathinsert()
    pytester.runpytest().assert_outcomes(passed=2)
