package apigw_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"

	"github.com/securecart/hub/internal/cloud/apigw"
)

// goSDK is the AWS SDK for Go, as the poster uses it.
func goSDK(*testing.T) sdkClient {
	return func(t *testing.T, r request) result {
		client := apigw.Client(config(), r.Endpoint)
		defer client.Options().HTTPClient.(*awshttp.BuildableClient).GetTransport().CloseIdleConnections()
		var err error
		switch r.Op {
		case "post":
			_, err = client.PostToConnection(
				t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &r.ID, Data: r.Data},
			)
		case "delete":
			_, err = client.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &r.ID})
		case "get":
			var out *apigatewaymanagementapi.GetConnectionOutput
			out, err = client.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &r.ID})
			if err == nil {
				return result{ConnectedAt: *out.ConnectedAt, LastActiveAt: *out.LastActiveAt,
					SourceIP: aws.ToString(out.Identity.SourceIp), UserAgent: aws.ToString(out.Identity.UserAgent)}
			}
		}
		return goResult(err)
	}
}

// goResult names exceptions of the service's model by their type, as programs tell
// them apart, and others by their code.
func goResult(err error) result {
	var (
		gone      *types.GoneException
		limit     *types.LimitExceededException
		large     *types.PayloadTooLargeException
		forbidden *types.ForbiddenException
		other     smithy.APIError
	)
	switch {
	case err == nil:
		return result{}
	case errors.As(err, &gone):
		return result{Exception: "GoneException", Message: gone.ErrorMessage()}
	case errors.As(err, &limit):
		return result{Exception: "LimitExceededException", Message: limit.ErrorMessage()}
	case errors.As(err, &large):
		return result{Exception: "PayloadTooLargeException", Message: large.ErrorMessage()}
	case errors.As(err, &forbidden):
		return result{Exception: "ForbiddenException", Message: forbidden.ErrorMessage()}
	case !errors.As(err, &other):
		return result{Exception: err.Error()}
	case slices.Contains(
		[]string{gone.ErrorCode(), limit.ErrorCode(), large.ErrorCode(), forbidden.ErrorCode()}, other.ErrorCode(),
	):
		return result{Exception: other.ErrorCode() + " without its type"}
	}
	return result{Exception: other.ErrorCode(), Message: other.ErrorMessage()}
}

// awsCLI is the AWS CLI.
func awsCLI(t *testing.T) sdkClient {
	path, err := exec.LookPath("aws")
	if err != nil {
		skipWithoutTool(t, "the AWS CLI")
	}
	home := t.TempDir()
	env := append(os.Environ(), "HOME="+home,
		"AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=SECRET", "AWS_DEFAULT_REGION=eu-central-1",
		"AWS_CONFIG_FILE="+filepath.Join(home, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "none"),
		"AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	failed := regexp.MustCompile(`An error occurred \((\w+)\) when calling the \w+ operation(?: \([^)]*\))?: (.*)`)
	return func(t *testing.T, r request) result {
		op := map[string]string{"post": "post-to-connection", "get": "get-connection", "delete": "delete-connection"}[r.Op]
		args := []string{
			"apigatewaymanagementapi", op, "--endpoint-url", r.Endpoint, "--connection-id", r.ID, "--output", "json",
		}
		if r.Op == "post" {
			file := filepath.Join(home, "data")
			if err := os.WriteFile(file, r.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, "--data", "fileb://"+file)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = env
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			if m := failed.FindSubmatch(exit.Stderr); m != nil {
				return result{Exception: string(m[1]), Message: string(m[2])}
			}
			return result{Exception: string(exit.Stderr)}
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.Op != "get" {
			return result{Exception: string(out)} // it must print nothing
		}
		var answer struct {
			ConnectedAt, LastActiveAt time.Time
			Identity                  struct{ SourceIP, UserAgent string }
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		return result{ConnectedAt: answer.ConnectedAt, LastActiveAt: answer.LastActiveAt,
			SourceIP: answer.Identity.SourceIP, UserAgent: answer.Identity.UserAgent}
	}
}

// javaScriptSDK is the AWS SDK for JavaScript, in one process of Node.js.
func javaScriptSDK(t *testing.T) sdkClient {
	tools, err := filepath.Abs("../../../.tools/sdk")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules/@aws-sdk/client-apigatewaymanagementapi")); err != nil {
		skipWithoutTool(t, "the AWS SDK for JavaScript")
	}
	cmd := exec.Command("node", "testdata/sdk.mjs", tools)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // a hang is a failure
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
		timeout.Stop()
	})
	lines := bufio.NewReader(stdout)
	return func(t *testing.T, r request) result {
		if err := json.NewEncoder(stdin).Encode(r); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("node: %v", err)
		}
		var v result
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return v
	}
}
