"""What colleagues write short, and pages write out: "deps" is looked for as "dependencies", too.

Only what has one meaning at work is here; a short form that is a word of its own, or has several meanings, is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

LONG: Final[Mapping[str, str]] = {
    "2fa": "two-factor authentication", "a11y": "accessibility", "authn": "authentication", "authz": "authorization",
    "config": "configuration", "configs": "configurations", "creds": "credentials", "db": "database",
    "dbs": "databases", "deps": "dependencies", "dept": "department", "devs": "developers", "dir": "directory",
    "dirs": "directories", "env": "environment", "envs": "environments", "i18n": "internationalization",
    "infra": "infrastructure", "k8s": "kubernetes", "l10n": "localization", "lang": "language", "langs": "languages",
    "lib": "library", "libs": "libraries", "max": "maximum", "mfa": "multi-factor authentication",
    "mgmt": "management", "mgr": "manager", "msg": "message", "msgs": "messages", "ooo": "out of office",
    "params": "parameters", "perf": "performance", "perms": "permissions", "prod": "production",
    "pto": "paid time off", "pw": "password", "pwd": "password", "repo": "repository", "repos": "repositories",
    "reqs": "requirements", "specs": "specifications", "sso": "single sign-on", "wfh": "working from home",
    "yr": "year", "yrs": "years",
}
_SHORT: Final = re.compile(
    rf"(?<![\w./@#-])(?:{'|'.join(sorted(map(re.escape, LONG), key=len, reverse=True))})(?![\w/@-]|\.\w)", re.IGNORECASE
)


def spelled_out(question: str) -> str:
    """The question with the long forms in their place. Names of files, hosts and options stay as they are."""
    return _SHORT.sub(lambda found: LONG[found.group().lower()], question)


def shortened(question: str) -> Mapping[str, str]:
    """The short forms in it, folded, each with its long one."""
    return {short: LONG[short] for short in dict.fromkeys(found.lower() for found in _SHORT.findall(question))}
