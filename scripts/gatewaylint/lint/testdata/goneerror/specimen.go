// Package goneerror looks for 410 in right and in wrong ways.
package goneerror

import (
	"context"
	"errors"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
)

var client *api.Client

func post(ctx context.Context, id string) error {
	_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &id})
	return err
}

func wrong(ctx context.Context, ids []string) {
	for _, id := range ids {
		err := post(ctx, id)
		if err != nil && strings.Contains(err.Error(), "GoneException") { // want `compares the text of an error`
			continue
		}
		if err != nil && strings.HasSuffix(strings.ToLower(err.Error()), "statuscode: 410") { // want `compares the text of an error`
			continue
		}
		if err != nil && err.Error() == "410" { // want `compares the text of an error`
			continue
		}
		if _, ok := err.(*types.GoneException); ok { // want `this type assertion never holds`
			continue
		}
		if errors.Is(err, &types.GoneException{}) { // want `errors.Is compares pointers`
			continue
		}
		switch err.(type) { // want `this case never holds`
		case *types.GoneException, *types.ForbiddenException:
		}
	}
}

func right(ctx context.Context, ids []string) {
	for _, id := range ids {
		err := post(ctx, id)
		var gone *types.GoneException
		if errors.As(err, &gone) {
			continue
		}
		var status *awshttp.ResponseError
		if errors.As(err, &status) && status.HTTPStatusCode() == http.StatusGone {
			continue
		}
		var coded smithy.APIError
		if errors.As(err, &coded) && coded.ErrorCode() == "GoneException" {
			continue
		}
		if errors.As(err, &coded) {
			switch coded.(type) {
			case *types.GoneException:
			}
		}
		if err != nil && strings.Contains(err.Error(), "no such host") {
			continue
		}
		if err == context.Canceled || errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
}
