package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/local/template/samapi"
	"github.com/securecart/hub/internal/redact"
)

// start returns the handler of a function: the program at the URL of -function, or a
// bootstrap in the folder of CodeUri.
func (h *Host) start(f *samapi.Function) (lambda.Handler, error) {
	if address, ok := h.opts.Functions[f.ID]; ok {
		e, err := lambdaproc.NewEndpoint(address, f.ID)
		if err != nil {
			return nil, err
		}
		h.running = append(h.running, runningFunction{f.ID, "at " + redact.URL(address)})
		return named{h.withTexts(f.ID, h.withTimeout(f, e)), f.ID}, nil
	}
	path := filepath.Join(f.Folder, "bootstrap")
	if _, err := os.Stat(path); f.Folder == "" || err != nil {
		return nil, errNotRunning(f, path)
	}
	p, err := lambdaproc.New(lambdaproc.Options{
		Path: path, Name: f.Name, ARN: f.ARN, Env: h.environment(f), Output: h.output.writer(f.ID), Lines: h.logLine(f.ID),
	})
	if err != nil {
		return nil, err
	}
	h.processes = append(h.processes, p)
	h.running = append(h.running, runningFunction{f.ID, path})
	return named{h.withTexts(f.ID, h.withTimeout(f, p)), f.ID}, nil
}

func errNotRunning(f *samapi.Function, path string) error {
	where := "beside the template, in CodeUri"
	if f.Folder != "" {
		where = "as " + path
	}
	return fmt.Errorf("nothing runs the function %s (%s): put an executable for provided.al2023 %s, or start it "+
		"behind Lambda's Invoke API and add -function %s=http://127.0.0.1:9001", f.ID, f.Runtime, where, f.ID)
}

// environment has the variables of a function: those that Lambda sets, those of the
// template, the API's address, and those of -env. Later ones win.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (h *Host) environment(f *samapi.Function) []string {
	fromFlags := h.envFlags(f.ID)
	env := []string{
		"AWS_REGION=" + f.Region, "AWS_DEFAULT_REGION=" + f.Region,
		"AWS_ACCESS_KEY_ID=" + account.Credential.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + account.Credential.SecretAccessKey,
		fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", f.Memory), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name, "AWS_LAMBDA_LOG_STREAM_NAME=local",
		"LAMBDA_TASK_ROOT=" + f.Folder, "_HANDLER=" + f.Handler, "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=" + h.opts.Path,
	}
	// The API's address in AWS becomes its address here: posts must stay on this
	// machine.
	localAddr := strings.NewReplacer("https://"+f.APIHost, "http://"+h.opts.Addr, "wss://"+f.APIHost, "ws://"+h.opts.Addr)
	for _, variable := range f.Environment(fromFlags) {
		env = append(env, localAddr.Replace(variable))
	}
	env = append(env, h.apiEnv(f.Stage)...)
	for _, name := range slices.Sorted(maps.Keys(fromFlags)) {
		env = append(env, name+"="+fromFlags[name])
	}
	return env
}

// envFlags are the variables that -env sets for a function. NAME=VALUE is for all
// functions, ID.NAME=VALUE for one, and wins.
func (h *Host) envFlags(id string) map[string]string {
	env := map[string]string{}
	for name, value := range h.opts.Env {
		if !strings.Contains(name, ".") {
			env[name] = value
		}
	}
	for name, value := range h.opts.Env {
		if name, ok := strings.CutPrefix(name, id+"."); ok {
			env[name] = value
		}
	}
	return env
}

// apiEnv has the variables with which functions reach the API: the endpoint for SDKs,
// and the authority to trust for clients of https://domainName/stage.
func (h *Host) apiEnv(stage string) []string {
	return []string{
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=http://" + h.opts.Addr + "/" + stage,
		"AWS_CA_BUNDLE=" + h.opts.Authority.File(), "NODE_EXTRA_CA_CERTS=" + h.opts.Authority.File(),
	}
}

// withTimeout ends an invocation after the function's timeout, wherever the function
// runs. That of a function of another stack is not known. It writes failures to the
// function's log.
func (h *Host) withTimeout(f *samapi.Function, next lambda.Handler) lambda.Handler {
	return handlerFunc(func(ctx context.Context, event []byte) ([]byte, error) {
		if f.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, f.Timeout)
			defer cancel()
		}
		answer, err := next.Invoke(ctx, event)
		if err != nil {
			fmt.Fprintln(h.output.writer(f.ID), "failed:", err)
		}
		if errors.Is(err, lambdaproc.ErrNoFunction) {
			err = fmt.Errorf("%w: %w", gatewaytest.ErrNoFunction, err)
		}
		return answer, err
	})
}

// handlerFunc is a function as a [lambda.Handler].
type handlerFunc func(ctx context.Context, event []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }
