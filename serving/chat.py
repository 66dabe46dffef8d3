"""The two requests that pass through the front: fields, each with its bounds. Anything else is refused.

vLLM takes some eighty fields (templates, extra arguments, prompts as audio, other decoders); what is not named here
cannot reach it.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

#: Bytes of a request body.
LARGEST_BODY = 256 * 1024
#: Tokens of an answer; more is cut to this, for a review comment is short.
MOST_TOKENS = 512
#: Tokens of a prompt that is given as tokens; vLLM's own limit is lower for most bases, and this is for the rest.
LONGEST_PROMPT = 32 * 1024
#: The spelling of training's completions (`json.dumps`): free white space would let a decoder run on in blanks, and
#: any other separator would make it write what the adapter never saw. Read by vLLM's `guidance` backend.
SPELLING = {"x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ChatMessage(_Strict):
    role: Literal["system", "user", "assistant"]
    content: str


class JsonSchema(_Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    strict: bool | None = None


class ResponseFormat(_Strict):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class ChatRequest(_Strict):
    model: Annotated[str, Field(min_length=1, max_length=128)]
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, max_length=32, strict=False)]
    max_tokens: Annotated[int, Field(ge=1)] = MOST_TOKENS
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    response_format: ResponseFormat | None = None
    cache_salt: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    def render(self) -> dict[str, Any]:
        """The body for vLLM, with the bound on the answer's length applied."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if "response_format" in body:
            body["response_format"]["json_schema"]["schema"] |= SPELLING
        return body | {"max_tokens": min(self.max_tokens, MOST_TOKENS)}


class CompletionRequest(_Strict):
    """A prompt as token ids, so that what is measured here is what training encoded: the likeliest answer to it.

    With `prompt_logprobs` 0 also the log-probability of each of its tokens, and of no other: whoever asks brings the
    text along, so it is told nothing that it could not have asked for.
    """

    model: Annotated[str, Field(min_length=1, max_length=128)]
    prompt: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=LONGEST_PROMPT, strict=False)
    ]
    max_tokens: Annotated[int, Field(ge=1)] = MOST_TOKENS
    prompt_logprobs: Literal[0] | None = None
    cache_salt: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    def render(self) -> dict[str, Any]:
        """The body for vLLM, always for the likeliest answer."""
        body = self.model_dump(mode="json", exclude_none=True)
        return body | {"max_tokens": min(self.max_tokens, MOST_TOKENS), "temperature": 0}
