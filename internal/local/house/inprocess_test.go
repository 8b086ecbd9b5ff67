package house_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/local/house"
)

// TestInProcess: functions in this process take and return what they do in Lambda.
func TestInProcess(t *testing.T) {
	function := func(
		_ context.Context, e events.APIGatewayWebsocketProxyRequest,
	) (*events.APIGatewayProxyResponse, error) {
		switch e.Body {
		case "error":
			return nil, errors.New("failed <&>")
		case "null":
			return nil, nil
		}
		return &events.APIGatewayProxyResponse{StatusCode: 200, Body: "<&>\u2028" + e.Body + e.RequestContext.RouteKey}, nil
	}
	ours, theirs := house.InProcess(function), lambda.NewHandler(function)
	for _, event := range []string{
		`{"body":"é\ud800","requestContext":{"routeKey":"$default"},"unknown":[1]}`, `{"body":"error"}`, `{"body":"null"}`,
		`{"body":1}`, `[]`, `{"BODY":"x"}`, `null`,
	} {
		got, err := ours.Invoke(t.Context(), []byte(event))
		want, wantErr := theirs.Invoke(t.Context(), []byte(event))
		if string(got) != string(want) || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("%s: got %q, %v, want %q, %v", event, got, err, want, wantErr)
		}
	}
}
