// Deletes the closed connection.
import { DeleteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";

const db = new DynamoDBClient({});

export async function handler(event) {
  await db.send(new DeleteItemCommand({
    TableName: process.env.TABLE_NAME,
    Key: { connectionId: { S: event.requestContext.connectionId } },
  }));
  return { statusCode: 200 };
}
