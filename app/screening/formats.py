"""Formats of secrets that issuers made recognisable, beside those the maintained scanner knows (ADR 0009).

The scanner's rules are older than many of these issuers. Each pattern is the issuer's published prefix and alphabet,
with a length that its shortest live token has; a kind is a name for people and never part of a secret.
"""

import re
from typing import NamedTuple


class Format(NamedTuple):
    """`anchors`: lower-case literals of which one is in every match; they are asked for first, all at once."""

    kind: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]


def _format(kind: str, anchors: str, pattern: str) -> Format:
    return Format(kind, tuple(anchors.split()), re.compile(pattern))


_KEY_MARK = r"-----(?:BEGIN|END) [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
#: The hunk may cut the body of a key on either side, and in a string its lines stand between quotes and \\n.
_KEY_BODY = r"[A-Za-z0-9+/=]{24,400}"

FORMATS: tuple[Format, ...] = (
    _format(
        "private key",
        "-----begin -----end",
        rf"{_KEY_MARK}[^-]{{0,400}}?{_KEY_BODY}|{_KEY_BODY}[\s\"'+,;\\n]{{0,16}}{_KEY_MARK}",
    ),
    _format("AWS access key", "akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    _format(
        "GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{40,}"
    ),
    _format(
        "GitLab token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct- gr1348941",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w.-]{20,}|\bGR1348941[\w-]{20}",
    ),
    _format("Slack token", "xox xapp-", r"\bxox[a-z](?:\.xox[a-z])?-[\w-]{20,}|\bxapp-\d-[\w-]{20,}"),
    _format("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]{30,}"),
    _format(
        "chat webhook",
        "/api/webhooks/ /webhookb2/",
        r"discord(?:app)?\.com/api/webhooks/\d{15,}/[\w-]{40,}|webhook\.office\.com/webhookb2/[\w@/-]{60,}",
    ),
    _format(
        "Stripe key", "k_live_ k_test_ whsec_", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/]{24,}"
    ),
    _format(
        "Google key",
        "aiza gocspx- ya29. 1//0",
        r"\bAIza[\w-]{35}|\bGOCSPX-[\w-]{28}|\bya29\.[\w-]{30,}|\b1//0[\w-]{40,}",
    ),
    _format("JSON web token", "eyj", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
    _format("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    _format("PyPI token", "pypi-ag", r"\bpypi-Ag[EN][\w-]{50,}"),
    _format("RubyGems key", "rubygems_", r"\brubygems_[0-9a-f]{48}"),
    _format("Docker token", "dckr_", r"\bdckr_(?:pat|oat)_[\w-]{24,}"),
    _format("SendGrid key", "sg.", r"\bSG\.[\w-]{20,24}\.[\w-]{39,50}"),
    _format("Mailgun key", "key-", r"\bkey-[0-9a-f]{32}\b"),
    _format("Twilio key", " ".join(f"sk{digit}" for digit in "0123456789abcdef"), r"\bSK[0-9a-f]{32}\b"),
    _format("Azure key", "key= sig=", r"\b(?:AccountKey|SharedAccessKey|sig)=[A-Za-z0-9+/%]{40,}={0,2}"),
    _format("Azure client secret", "7q~ 8q~", r"[78]Q~[\w~.-]{31,34}"),
    _format(
        "OpenAI key",
        "t3blbkfj sk-proj- sk-svcacct- sk-admin-",
        r"\bsk-(?:[a-zA-Z]{4,8}-)?[\w-]{16,200}T3BlbkFJ[\w-]{16,}|\bsk-(?:proj|svcacct|admin)-[\w-]{40,}",
    ),
    _format("Anthropic key", "sk-ant-", r"\bsk-ant-[a-z]{3,6}\d\d-[\w-]{60,}"),
    _format(
        "language-service key",
        "sk- gsk_ xai- r8_ pplx-",
        r"\bsk-or-v1-[0-9a-f]{48,}|\bgsk_[A-Za-z0-9]{48,}|\bxai-[A-Za-z0-9]{64,}|\br8_[A-Za-z0-9]{37}\b"
        r"|\bpplx-[A-Za-z0-9]{40,}|\bsk-[A-Za-z0-9]{48}\b",
    ),
    _format("Hugging Face token", "hf_ api_org_", r"\b(?:hf|api_org)_[A-Za-z0-9]{30,40}\b"),
    _format("Telegram token", ":aa", r"\b\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _format("DigitalOcean token", "_v1_", r"\bdo[opr]_v1_[0-9a-f]{64}"),
    _format("Shopify token", "shp", r"\bshp(?:at|ca|pa|ss|ua|tka)_[0-9a-fA-F]{32}"),
    _format("Square token", "sq0 eaaa", r"\bsq0(?:atp|csp|idp)-[\w-]{22,}|\bEAAA[\w-]{56,}"),
    _format("Databricks token", "dapi", r"\bdapi[0-9a-f]{32}\b"),
    _format("HashiCorp token", "hvs. hvb. hvr. .atlasv1.", r"\bhv[sbr]\.[\w-]{24,}|\.atlasv1\.[\w-]{60,}"),
    _format("Atlassian token", "atatt atctt atbb", r"\bAT(?:ATT|CTT|BB)[A-Za-z0-9][\w=-]{28,}"),
    _format("Doppler token", "dp.", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}"),
    _format("Linear key", "lin_", r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    _format("Notion token", "ntn_ secret_", r"\bntn_[A-Za-z0-9]{40,}|\bsecret_[A-Za-z0-9]{43}\b"),
    _format("Grafana token", "glc_ glsa_", r"\bglc_[A-Za-z0-9+/]{32,}|\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"),
    _format("monitoring key", "nrak- sntry", r"\bNRAK-[A-Z0-9]{27}|\bsntry[su]_[\w+/=]{60,}"),
    _format("Figma token", "figd_", r"\bfigd_[\w-]{38,}"),
    _format("Postman key", "pmak-", r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _format(
        "cloud token",
        "pscale_ sbp_ pul- hrku- fo1_ flyv1",
        r"\bpscale_(?:tkn|pw|oauth)_[\w.-]{32,}|\bsbp_[0-9a-f]{40}\b|\bpul-[0-9a-f]{40}\b|\bHRKU-[\w-]{36,}"
        r"|\bfo1_[\w-]{43}|\bFlyV1 fm\d[\w+/=,-]{40,}",
    ),
    _format("age key", "age-secret-key-", r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
)
