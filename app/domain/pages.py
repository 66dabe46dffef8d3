"""How a page is made from a template, for every page that shows words of other people."""

from jinja2 import BaseLoader, Environment, StrictUndefined

from app.domain.readable import readable


def page_environment(templates: BaseLoader) -> Environment:
    """Whatever comes into a template is text there, never markup, and unseen characters are shown by their number; a
    name that nobody gave is an error."""
    return Environment(
        loader=templates,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: readable(value) if isinstance(value, str) else value,
    )
