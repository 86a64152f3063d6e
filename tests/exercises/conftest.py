"""What a check prints, as text."""

from collections.abc import Callable

import pytest

from exercises import check


@pytest.fixture
def verdict(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def printed(name: str, *answers: object, **given: object) -> str:
        check(name, *answers, **given)
        return capsys.readouterr().out

    return printed
