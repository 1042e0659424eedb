"""A report's name → the site and whom to mail; none → site and alerts; a reader → their mail."""

from muster import cloud
from muster.pipeline import reporting
from muster.settings import any_source


@cloud.logged
def handler(event, context):
    with cloud.opened(options=any_source) as project:
        if "recipient" in event:
            return cloud.delivered(reporting.deliver(project, event["report"], event["recipient"]))
        return _published(project, event.get("report"))


def _published(project, report):
    from muster.pipeline import alerts, publish  # what a mail need not wait for

    publish.publish_site(project)
    if report is None:  # the nightly look, between reports
        return {"mails": [], **cloud.alerted(alerts.alert(project, send=True))}
    found = publish.recipients(project, [report])
    return {"mails": [{"report": name, "recipient": reader} for name, reader in found]}
