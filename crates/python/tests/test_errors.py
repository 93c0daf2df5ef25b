"""One exception class for each thing that a caller can do."""

from __future__ import annotations

import pickle

import pytest

import dalsegno
from dalsegno import Engine, errors


def test_every_error_is_a_dalsegno_error_and_says_its_kind() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(each, dalsegno.DalsegnoError) for each in classes)
    kinds = {each.kind for each in classes if each is not dalsegno.DalsegnoError}
    assert kinds == {
        "not_found",
        "ambiguous",
        "conflict",
        "locked",
        "wrong_key",
        "damaged",
        "denied",
        "invalid_input",
        "unreachable",
        "storage",
    }
    assert set(errors.__all__) <= set(dalsegno.__all__)


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (dalsegno.NotFoundError, LookupError),
        (dalsegno.AmbiguousError, LookupError),
        (dalsegno.StoreNotFoundError, FileNotFoundError),
        (dalsegno.InvalidInputError, ValueError),
        (dalsegno.AccessDeniedError, PermissionError),
        (dalsegno.StorageError, OSError),
        (dalsegno.UnreachableError, ConnectionError),
    ],
)
def test_errors_are_also_what_python_would_raise(
    error: type[dalsegno.DalsegnoError], also: type[Exception]
) -> None:
    assert issubclass(error, also)


@pytest.mark.parametrize("name", errors.__all__)
def test_the_message_is_the_sentence_and_survives_pickling(name: str) -> None:
    error = getattr(errors, name)("there is no session 'x'")
    assert str(error) == error.message == "there is no session 'x'"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)


def test_an_error_has_no_quotes_of_a_key_error_around_it(engine: Engine) -> None:
    with pytest.raises(LookupError) as caught:
        engine.info("party")
    assert str(caught.value) == "no snapshot answers to 'party'"
    assert caught.value.kind == "not_found"  # type: ignore[attr-defined]  # pyright: ignore
