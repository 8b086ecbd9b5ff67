module example.com/specimens

go 1.25.0

require (
	github.com/aws/aws-lambda-go v1.51.1
	github.com/aws/aws-sdk-go-v2 v1.41.5
	github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi v1.29.13
	github.com/aws/aws-sdk-go-v2/service/dynamodb v1.57.1
	github.com/aws/smithy-go v1.24.2
)

require (
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.4.21 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.7.21 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding v1.13.7 // indirect
	github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery v1.11.21 // indirect
)
