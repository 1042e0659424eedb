"""The name of a report, or none for all → the site published, the mails in the outbox."""

from muster import cloud
from muster.pipeline.publish import report


@cloud.logged
def handler(event, context):
    names = [event["report"]] if "report" in event else []
    with cloud.opened() as project:
        written = report(project, names, send=False)
    return {"reports": sorted({one.report for one in written}), "mails": len(written)}
