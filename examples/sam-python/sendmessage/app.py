"""Posts a message to all connections, and deletes those that are gone."""
import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def connections():
    """Yields the ids of all connections."""
    page = {}
    while True:
        page = table.scan(ConsistentRead=True, **page)
        for row in page["Items"]:
            yield row["connectionId"]
        if "LastEvaluatedKey" not in page:
            return
        page = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def handler(event, context):
    request = event["requestContext"]
    endpoint = f"https://{request['domainName']}/{request['stage']}"
    api = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
    data = json.loads(event["body"])["data"]
    for connection in connections():
        try:
            api.post_to_connection(ConnectionId=connection, Data=data)
        except api.exceptions.GoneException:
            table.delete_item(Key={"connectionId": connection})
    return {"statusCode": 200}
