// Posts a message to all connections, and deletes those that are gone.
import {
  ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { DeleteItemCommand, DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";

const db = new DynamoDBClient({});
const table = { TableName: process.env.TABLE_NAME };

export async function handler(event) {
  const { domainName, stage } = event.requestContext;
  const api = new ApiGatewayManagementApiClient({ endpoint: `https://${domainName}/${stage}` });
  const data = JSON.parse(event.body).data;
  const post = async (connectionId) => {
    try {
      await api.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: data }));
    } catch (e) {
      if (!(e instanceof GoneException)) throw e;
      await db.send(new DeleteItemCommand({ ...table, Key: { connectionId: { S: connectionId } } }));
    }
  };
  for await (const page of paginateScan({ client: db }, { ...table, ConsistentRead: true })) {
    await Promise.all(page.Items.map((row) => post(row.connectionId.S)));
  }
  return { statusCode: 200 };
}
