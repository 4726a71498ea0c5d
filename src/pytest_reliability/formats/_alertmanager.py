"""The vocabulary of Alertmanager's configuration, as of version 0.33; https://prometheus.io/docs/alerting/latest/configuration/.

It grows with every release, so that a key which is not here is told only where it looks like a misspelling of one that is.
"""

from __future__ import annotations

import re
from functools import partial

from pytest_reliability.shape import (
    ANYTHING,
    BOOLEAN,
    TEXT,
    Entries,
    Fields,
    Items,
    Scalar,
    Shape,
    or_nothing,
)

DURATION = Scalar(
    "a duration such as 30s or 4h",
    types=(str, int),
    accepts=partial(re.fullmatch, r"0|(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?"),
    optional=True,
)
NAME = Scalar("a name", accepts=str.strip)
_TEXT = Scalar(optional=True)
_TEXTS = or_nothing(Items(TEXT), "a list")
_LABELS = or_nothing(Entries(_TEXT), "a mapping")
_MATCHERS = or_nothing(Items(Scalar('a matcher such as severity="critical"', types=(str,))), "a list")
_BOOLEAN = Scalar("true or false", types=(bool,), optional=True)

_TLS = """
    ca ca_file ca_ref cert cert_file cert_ref key key_file key_ref server_name insecure_skip_verify min_version max_version
"""
_HTTP = """
    basic_auth authorization oauth2 bearer_token bearer_token_file proxy_url no_proxy proxy_from_environment proxy_connect_header
    tls_config follow_redirects enable_http2 http_headers
"""
_GLOBAL = """
    resolve_timeout http_config jira_api_url smtp_from smtp_hello smtp_smarthost smtp_auth_username smtp_auth_password
    smtp_auth_password_file smtp_auth_secret smtp_auth_secret_file smtp_auth_identity smtp_require_tls smtp_tls_config
    smtp_force_implicit_tls slack_api_url slack_api_url_file slack_app_token slack_app_token_file slack_app_url pagerduty_url
    opsgenie_api_url opsgenie_api_key opsgenie_api_key_file wechat_api_url wechat_api_secret wechat_api_secret_file
    wechat_api_corp_id victorops_api_url victorops_api_key victorops_api_key_file telegram_api_url telegram_bot_token
    telegram_bot_token_file webex_api_url rocketchat_api_url rocketchat_token rocketchat_token_file rocketchat_token_id
    rocketchat_token_id_file mattermost_webhook_url mattermost_webhook_url_file hipchat_api_url hipchat_auth_token
"""
_INTEGRATIONS = {
    "discord": "avatar_url content message title username webhook_url webhook_url_file",
    "email": """
        auth_identity auth_password auth_password_file auth_secret auth_secret_file auth_username force_implicit_tls from headers
        hello html require_tls smarthost text threading tls_config to
    """,
    "incidentio": "alert_source_token alert_source_token_file max_alerts metadata timeout url url_file",
    "jira": """
        api_type api_url custom_fields description fields issue_type labels priority project reopen_duration reopen_transition
        resolve_transition summary wont_fix_resolution
    """,
    "mattermost": """
        attachments channel fields icon_emoji icon_url priority props text type username webhook_url webhook_url_file
    """,
    "msteams": "summary text title webhook_url webhook_url_file",
    "msteamsv2": "text title webhook_url webhook_url_file",
    "opsgenie": """
        actions api_key api_key_file api_url description details entity message note priority responders source tags teams
        update_alerts
    """,
    "pagerduty": """
        class client client_url component description details group images links routing_key routing_key_file service_key
        service_key_file severity source timeout url
    """,
    "pushover": """
        device expire html message monospace priority retry sound title token token_file ttl url url_title user_key user_key_file
    """,
    "rocketchat": """
        actions api_url channel color emoji fields icon_url image_url link_names short_fields text thumb_url title title_link
        token token_file token_id token_id_file
    """,
    "slack": """
        actions api_url api_url_file app_token app_token_file app_url callback_id channel color edit_messages fallback fields
        footer icon_emoji icon_url image_url link_names message_text mrkdwn_in pretext short_fields text thumb_url timeout title
        title_link update_message username
    """,
    "sns": "api_url attributes message phone_number sigv4 subject target_arn topic_arn",
    "telegram": """
        api_url bot_token bot_token_file chat_id chat_id_file disable_notifications message message_thread_id parse_mode
    """,
    "victorops": """
        api_key api_key_file api_url custom_fields entity_display_name message_type monitoring_tool routing_key state_message
    """,
    "webex": "api_url message room_id",
    "webhook": "max_alerts payload timeout url url_file",
    "wechat": "agent_id api_secret api_secret_file api_url corp_id message message_type to_party to_tag to_user",
}


def _growing(what: str, words: str, **shapes: Shape) -> Fields:
    """A mapping with these keys; of a key and its `_file` only one may be given."""
    keys = words.split()
    pairs = tuple((key, f"{key}_file") for key in keys if f"{key}_file" in keys)
    return Fields(what, {**dict.fromkeys(keys, ANYTHING), **shapes}, at_most_one=pairs, growing=True)


_TLS_CONFIG = or_nothing(_growing("a TLS configuration", _TLS), "a mapping")
_HTTP_CONFIG = or_nothing(_growing("an HTTP configuration", _HTTP, tls_config=_TLS_CONFIG), "a mapping")
_COMMON: dict[str, Shape] = {"send_resolved": _BOOLEAN, "http_config": _HTTP_CONFIG}

RECEIVER = Fields(
    "a receiver",
    {
        "name": NAME,
        **{
            f"{name}_configs": or_nothing(Items(_growing(f"a {name} configuration", words, **_COMMON)), "a list")
            for name, words in _INTEGRATIONS.items()
        },
    },
    required=("name",),
    growing=True,
)

_route: dict[str, Shape] = {
    "receiver": _TEXT,
    "group_by": _TEXTS,
    "group_wait": DURATION,
    "group_interval": DURATION,
    "repeat_interval": DURATION,
    "continue": BOOLEAN,
    "match": _LABELS,
    "match_re": or_nothing(Entries(Scalar("a regular expression")), "a mapping"),
    "matchers": _MATCHERS,
    "mute_time_intervals": _TEXTS,
    "active_time_intervals": _TEXTS,
    "labels": _LABELS,
}
ROUTE = Fields("a route", _route, renamed={"matcher": "matchers", "match_regex": "match_re", "children": "routes"}, growing=True)
_route["routes"] = or_nothing(Items(ROUTE), "a list")

_PERIOD = _growing("a time interval", "times weekdays days_of_month months years location")
_TIME_INTERVALS = or_nothing(
    Items(
        Fields(
            "a time interval",
            {"name": NAME, "time_intervals": or_nothing(Items(_PERIOD), "a list")},
            required=("name",),
            growing=True,
        )
    ),
    "a list",
)
_INHIBITION = Fields(
    "an inhibition rule",
    {
        "name": _TEXT,
        "source_match": _LABELS,
        "source_match_re": _LABELS,
        "source_matchers": _MATCHERS,
        "target_match": _LABELS,
        "target_match_re": _LABELS,
        "target_matchers": _MATCHERS,
        "sources": ANYTHING,
        "equal": _TEXTS,
    },
    growing=True,
)
CONFIGURATION = Fields(
    "an Alertmanager configuration",
    {
        "global": or_nothing(
            _growing("the global block", _GLOBAL, http_config=_HTTP_CONFIG, resolve_timeout=DURATION), "a mapping"
        ),
        "route": ROUTE,
        "receivers": Items(RECEIVER),
        "inhibit_rules": or_nothing(Items(_INHIBITION), "a list"),
        "templates": _TEXTS,
        "mute_time_intervals": _TIME_INTERVALS,
        "time_intervals": _TIME_INTERVALS,
        "tracing": ANYTHING,
    },
    required=("route", "receivers"),
    growing=True,
)
"""A file."""

_MATCHER = Fields(
    "a matcher",
    {
        "name": NAME,
        "value": _TEXT,
        "matchType": Scalar("one of =, !=, =~, !~", accepts=("=", "!=", "=~", "!~", "").__contains__),
        "regex": BOOLEAN,
    },
    required=("name",),
    growing=True,
)
_resource_route: dict[str, Shape] = {
    "receiver": _TEXT,
    "groupBy": _TEXTS,
    "groupWait": DURATION,
    "groupInterval": DURATION,
    "repeatInterval": DURATION,
    "continue": BOOLEAN,
    "matchers": or_nothing(Items(_MATCHER), "a list"),
    "muteTimeIntervals": _TEXTS,
    "activeTimeIntervals": _TEXTS,
}
_RESOURCE_ROUTE = Fields("a route", _resource_route, renamed={"matcher": "matchers"}, growing=True)
_resource_route["routes"] = or_nothing(Items(_RESOURCE_ROUTE), "a list")
RESOURCE = Fields(
    "the configuration",
    {
        "route": or_nothing(_RESOURCE_ROUTE, "a mapping"),
        "receivers": or_nothing(Items(Fields("a receiver", {"name": NAME}, required=("name",), open=True)), "a list"),
        "inhibitRules": ANYTHING,
        "muteTimeIntervals": ANYTHING,
        "timeIntervals": ANYTHING,
    },
    growing=True,
)
"""The `spec` of an AlertmanagerConfig; the integrations of its receivers are not looked into."""
