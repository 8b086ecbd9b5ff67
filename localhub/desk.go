package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// desk is a template's API with what runs its functions.
type desk struct {
	templateSettings
	host      string // where the API is served
	authority *authority
	output    *lines
	signed    bool                 // requests need signatures
	gateway   *gatewaytest.Gateway // nil until the template is understood
	processes []*lambdaproc.Function
	served    []string // what runs each function, for the greeting
}

// Close ends the connections, then the functions.
func (d *desk) Close() error {
	var failed error
	if d.gateway != nil {
		failed = d.gateway.Close()
	}
	for _, p := range d.processes {
		failed = errors.Join(failed, p.Close())
	}
	return failed
}

// checkNames refuses -function and -env for functions that there are not.
func (d *desk) checkNames(result *samapi.Result) error {
	known := map[string]bool{}
	for _, f := range result.Functions {
		known[f.ID] = true
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(d.functions)) {
		if !known[id] {
			errs = append(errs, fmt.Errorf("-function %s: the API invokes no such function", id))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.env)) {
		if id, _, one := strings.Cut(name, "."); one && !known[id] {
			errs = append(errs, fmt.Errorf("-env %s: the API invokes no function %s", name, id))
		}
	}
	return errors.Join(errs...)
}

// handler runs a function: at the URL that -function gives, or else as a bootstrap
// beside the template.
func (d *desk) handler(f *samapi.Function) (lambda.Handler, error) {
	if address, ok := d.functions[f.ID]; ok {
		e, err := lambdaproc.NewEndpoint(address, f.ID)
		if err != nil {
			return nil, err
		}
		d.served = append(d.served, f.ID+"  at "+address)
		return d.watched(f, e, 0), nil
	}
	path := filepath.Join(f.Folder, "bootstrap")
	if _, err := os.Stat(path); f.Folder == "" || err != nil {
		where := "beside the template, in CodeUri"
		if f.Folder != "" {
			where = "as " + path
		}
		return nil, fmt.Errorf("nothing runs the function %s (%s): put an executable for provided.al2023 %s, or start it behind Lambda's Invoke API and say -function %s=http://127.0.0.1:9001", f.ID, f.Runtime, where, f.ID)
	}
	p, err := lambdaproc.New(lambdaproc.Options{
		Path: path, Name: f.Name, ARN: f.ARN, Env: d.environment(f), Output: d.output.of(f.ID),
	})
	if err != nil {
		return nil, err
	}
	d.processes = append(d.processes, p)
	d.served = append(d.served, f.ID+"  "+path)
	return d.watched(f, p, f.Timeout), nil
}

// environment is what a function finds in its environment: what Lambda sets, what the
// template says, where the API is, and what -env gives, each before the next.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (d *desk) environment(f *samapi.Function) []string {
	given := map[string]string{}
	for name, value := range d.env {
		if !strings.Contains(name, ".") {
			given[name] = value
		}
	}
	for name, value := range d.env {
		if own, ok := strings.CutPrefix(name, f.ID+"."); ok {
			given[own] = value
		}
	}
	env := []string{
		"AWS_REGION=" + f.Region, "AWS_DEFAULT_REGION=" + f.Region,
		"AWS_ACCESS_KEY_ID=" + devKey.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + devKey.SecretAccessKey,
		fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", f.Memory), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name, "AWS_LAMBDA_LOG_STREAM_NAME=local",
		"LAMBDA_TASK_ROOT=" + f.Folder, "_HANDLER=" + f.Handler, "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=" + os.Getenv("PATH"),
	}
	// Posts to the API's own address in AWS would leave the desk.
	toDesk := strings.NewReplacer("https://"+f.APIHost, "http://"+d.host, "wss://"+f.APIHost, "ws://"+d.host)
	for _, variable := range f.Environment(given) {
		env = append(env, toDesk.Replace(variable))
	}
	env = append(env, d.apiVariables(f.Stage)...)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		env = append(env, name+"="+given[name])
	}
	return env
}

// apiVariables lead functions to the API: SDKs to its endpoint, and those that post to
// https://domainName/stage to the authority of its certificate.
func (d *desk) apiVariables(stage string) []string {
	return []string{
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=http://" + d.host + "/" + stage,
		"AWS_CA_BUNDLE=" + d.authority.file, "NODE_EXTRA_CA_CERTS=" + d.authority.file,
	}
}

// either serves TLS beside plain text, for the names that the API has here and in
// AWS.
func (d *desk) either(l net.Listener, result *samapi.Result) (net.Listener, error) {
	names := []string{"127.0.0.1", "::1", "localhost", result.Host}
	if result.API.Domain != nil {
		names = append(names, result.API.Domain.Name)
	}
	certificate, err := d.authority.certificate(names)
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return &eitherListener{l, &tls.Config{Certificates: []tls.Certificate{certificate}}}, nil
}

// watched is a function with its time-out, that says in its log when it fails.
func (d *desk) watched(f *samapi.Function, h lambda.Handler, timeout time.Duration) lambda.Handler {
	return invoker(func(ctx context.Context, event []byte) ([]byte, error) {
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		answer, err := h.Invoke(ctx, event)
		if err != nil {
			fmt.Fprintln(d.output.of(f.ID), "failed:", err)
		}
		if errors.Is(err, lambdaproc.ErrNoFunction) {
			err = fmt.Errorf("%w: %w", gatewaytest.ErrNoFunction, err)
		}
		return answer, err
	})
}

// invoker is a function as a [lambda.Handler].
type invoker func(ctx context.Context, event []byte) ([]byte, error)

func (i invoker) Invoke(ctx context.Context, event []byte) ([]byte, error) { return i(ctx, event) }

// greet tells what is served, what is not, and what to type.
func (d *desk) greet(w io.Writer, result *samapi.Result) error {
	api := result.API
	base := "://" + d.host + "/" + api.Stage
	var text strings.Builder
	fmt.Fprintf(&text, "localhub %s, the WebSocket API %s of %s\n", buildVersion(), result.ID, d.template)
	fmt.Fprintf(&text, "  socket        ws%s\n  @connections  http%s/@connections\n", base, base)
	fmt.Fprintf(&text, "  routes        %s\n", strings.Join(slices.Sorted(maps.Keys(api.Routes)), "  "))
	for _, served := range d.served {
		fmt.Fprintf(&text, "  function      %s\n", served)
	}
	if len(d.served) > len(d.processes) {
		fmt.Fprintf(&text, "\nfor functions that are started elsewhere:\n  export %s\n", strings.Join(d.apiVariables(api.Stage), " "))
	}
	if d.signed {
		what := "requests to @connections"
		if api.IAM {
			what += " and handshakes"
		}
		fmt.Fprintf(&text, "\n%s are signed with AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n", what, devKey.AccessKeyID, devKey.SecretAccessKey)
	}
	if len(result.NotImitated) > 0 {
		total, kinds := 0, []string(nil)
		for _, kind := range slices.Sorted(maps.Keys(result.NotImitated)) {
			total += result.NotImitated[kind]
			kinds = append(kinds, fmt.Sprintf("%s (%d)", kind, result.NotImitated[kind]))
		}
		fmt.Fprintf(&text, "\nnot imitated: %d resources: %s\n", total, strings.Join(kinds, ", "))
	}
	for _, note := range result.Notes {
		fmt.Fprintf(&text, "note: %s\n", note)
	}
	fmt.Fprintf(&text, "\n  npx wscat -c ws%s\n\nInterrupt (ctrl-c) to end.\n", base)
	_, err := io.WriteString(w, text.String())
	return err
}
