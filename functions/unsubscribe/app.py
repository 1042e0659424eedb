"""A click on Unsubscribe, by a function URL → the page that asks, or that says it is done."""

from muster import cloud
from muster.pipeline import leaving


@cloud.logged
def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    token = (event.get("queryStringParameters") or {}).get("u", "")
    with cloud.opened() as project:
        found = leaving.answer(project, method, token)
    return {"statusCode": found.status, "headers": leaving.HEADERS, "body": found.page}
