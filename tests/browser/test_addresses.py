"""Whatever stands behind the # of the map's address: no fault, no script, no request."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opened, opened_by
from tests.soak.addresses import spoil_addresses


def test_addresses_that_nobody_writes_do_no_harm(browser: Any, town_file: Path) -> None:
    found = spoil_addresses(lambda address: opened_by(browser, town_file, address), 100, 1)
    assert not found.faults, found.summary()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("null.length", "reading 'length'"),
        ("window.ran = 1", "a script ran"),
        ("document.body.append(document.createElement('iframe'))", "elements more"),
        ("document.body.append(undefined)", "a value of the program"),
    ],
)
def test_a_page_that_takes_harm_is_noticed(
    browser: Any, town_file: Path, fault: str, told: str
) -> None:
    def opened(_: str) -> Opened:
        one = opened_by(browser, town_file, "")
        one.page.evaluate(f"() => window.addEventListener('hashchange', () => {{ {fault}; }})")
        return one

    found = spoil_addresses(opened, 3, 1)
    assert any(told in fault for fault in found.faults), found.summary()
