"""How Sphinx builds the site. Nothing in it is fetched from another host, when it is built or when it is read."""

project = "Understudy"
author = "The authors of Understudy"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["files"]
language = "en_GB"

#: Every link and anchor must lead somewhere; with `-W` a warning ends the build.
nitpicky = True
myst_enable_extensions = ["attrs_inline", "deflist"]
myst_heading_anchors = 4
pygments_style = "default"
highlight_language = "none"

html_theme = "pydata_sphinx_theme"
html_title = "Understudy"
html_short_title = "Understudy"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "navbar_align": "left",
    # The field's label for screen readers is other than what it shows, which axe counts as serious.
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "show_version_warning_banner": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars: dict[str, list[str]] = {"index": []}
