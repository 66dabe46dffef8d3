"""The person's words and values are told as they are, in their own case."""

from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from app.domain.explaining import Explained, explain


class _Row(BaseModel):
    side: Literal["LEFT", "RIGHT"]
    name: str = "n"

    @field_validator("name")
    @classmethod
    def _check(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("Names are good")
        return name


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ('{"side": "right"}', Explained("side", "Input should be 'LEFT' or 'RIGHT'", "right")),
        ('{"side": "LEFT", "name": "bad"}', Explained("name", "Names are good", "bad")),
    ],
)
def test_the_first_wrong_field_is_explained(text: str, explained: Explained) -> None:
    with pytest.raises(ValidationError) as refused:
        _Row.model_validate_json(text)
    assert explain(refused.value, whole="the row") == explained


def test_a_record_that_is_none_is_named_as_a_whole() -> None:
    with pytest.raises(ValidationError) as refused:
        _Row.model_validate_json("{oops" + "x" * 99)
    explained = explain(refused.value, whole="the row")
    assert explained.field == "the row"
    assert len(explained.given) == 60
