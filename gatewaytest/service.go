package gatewaytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/sigv4"
)

// Service is an action of another AWS service, such as DynamoDB, as the backend of a
// route. It is integration type AWS, and needs a Mapping (G-INTEG-11).
//
// Requests go to the endpoint in API.Services and are signed. The body is what the
// Mapping writes, of type application/json, and "Accept: application/json" asks for
// JSON. The URI of an action adds the query parameter Action. For DynamoDB, Step
// Functions, EventBridge, Kinesis and Firehose it also sets the content type and the
// header X-Amz-Target of their protocol (G-INTEG-20). RequestParameters may replace
// each of these headers.
type Service struct {
	// URI is "arn:aws:apigateway:REGION:SERVICE:action/ACTION", or with
	// "path/PATH" in place of the action. ${stageVariables.NAME} is replaced by a
	// stage variable.
	URI string

	// Method is the method of the requests. Default "POST".
	Method string

	// RequestParameters are as in [HTTP].
	RequestParameters map[string]string
}

// ServiceEndpoint is where requests to an AWS service go.
type ServiceEndpoint struct {
	// URL is http or https, with a host and with or without a path.
	URL string

	// Credential signs the requests. Its Policy is not used. Default: an access
	// key that is good enough for services that run locally.
	Credential Credential
}

// localCredential is the default of ServiceEndpoint.Credential.
var localCredential = Credential{AccessKeyID: "AKIAGATEWAYTEST", SecretAccessKey: "gatewaytest"}

// errNoEndpoint means that API.Services has no endpoint for a service.
var errNoEndpoint = errors.New("no endpoint in API.Services")

// checkServices returns an error for each endpoint that no request can go to.
func checkServices(services map[string]ServiceEndpoint) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(services)) {
		endpoint, field := services[name], fmt.Sprintf("Services[%q]", name)
		if !isHTTP(endpoint.URL) {
			errs = append(errs, fieldErrorf(field, "URL %q: must be http://HOST or https://HOST, with or without a path",
				endpoint.URL))
		}
		if c := endpoint.Credential; (c.AccessKeyID == "") != (c.SecretAccessKey == "") {
			errs = append(errs, fieldErrorf(field, "Credential: no AccessKeyID or no SecretAccessKey"))
		}
	}
	return errors.Join(errs...)
}

// isHTTP reports whether a text is the URL of a web server.
func isHTTP(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "http" || parsed.Scheme == "https")
}

// serviceURI matches the URI of a service. A subdomain before the service is not
// used.
var serviceURI = regexp.MustCompile(`^arn:[^:]+:apigateway:([^:]+):(?:[^:]+\.)?([^:.]+):(action|path)/(.+)$`)

// serviceCall is a parsed Service.
type serviceCall struct {
	region, name string
	path, query  string      // of the URL
	headers      fields.List // defaults
}

// protocols are the services whose actions are named by a header, with what comes
// before the action in it, and the content type of their requests.
var protocols = map[string]struct{ target, contentType string }{
	"dynamodb": {"DynamoDB_20120810", "application/x-amz-json-1.0"},
	"states":   {"AWSStepFunctions", "application/x-amz-json-1.0"},
	"events":   {"AWSEvents", "application/x-amz-json-1.1"},
	"kinesis":  {"Kinesis_20131202", "application/x-amz-json-1.1"},
	"firehose": {"Firehose_20150804", "application/x-amz-json-1.1"},
}

// parse returns the call and the parameters.
func (s *Service) parse(api *API, routeKey string) (call *serviceCall, parameters []parameter, err error) {
	uri, err := replaceStageVariables(s.URI, api)
	if err != nil {
		return nil, nil, err
	}
	m := serviceURI.FindStringSubmatch(uri)
	if m == nil {
		return nil, nil, fmt.Errorf("URI %q: must be arn:aws:apigateway:REGION:SERVICE:action/ACTION or …:path/PATH", uri)
	}
	call = &serviceCall{region: m[1], name: m[2], headers: fields.List{{Name: "Content-Type", Value: "application/json"},
		{Name: "Accept", Value: "application/json"}, {Name: "User-Agent", Value: "AmazonAPIGateway_" + api.ID}}}
	if m[3] == "path" {
		call.path, call.query, _ = strings.Cut(m[4], "?")
	} else if err := call.setAction(m[4]); err != nil {
		return nil, nil, err
	}
	if _, err := http.NewRequest(s.Method, "http://host/"+call.path, nil); err != nil {
		return nil, nil, err
	}
	parameters, err = parseParameters(s.RequestParameters, routeKey)
	return call, parameters, err
}

// actionName matches the name of an action and further parameters.
var actionName = regexp.MustCompile(`^(\w+)(?:&(.*))?$`)

// setAction makes the call one of an action.
func (c *serviceCall) setAction(text string) error {
	m := actionName.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("URI: %q is no action", text)
	}
	c.query = strings.TrimSuffix("Action="+m[1]+"&"+m[2], "&")
	if protocol, ok := protocols[c.name]; ok {
		c.headers = c.headers.With("Content-Type", strings.EqualFold, []string{protocol.contentType})
		c.headers = append(c.headers, fields.Field{Name: "X-Amz-Target", Value: protocol.target + "." + m[1]})
	}
	return nil
}

// sendService sends a request to the route's AWS service. The error is errNoEndpoint,
// errTimedOut or that of the network.
func (g *Gateway) sendService(inv *invocation, body string) (integrationResponse, error) {
	r := inv.route
	endpoint, ok := g.api.Services[r.service.name]
	if !ok {
		return integrationResponse{}, fmt.Errorf("%w for the service %s", errNoEndpoint, r.service.name)
	}
	ctx, cancel := context.WithTimeout(g.handlers, r.Timeout)
	defer cancel()
	address := strings.TrimSuffix(endpoint.URL, "/") + "/" + r.service.path
	req, err := http.NewRequestWithContext(ctx, r.Service.Method, address, strings.NewReader(body))
	if err != nil {
		return integrationResponse{}, err
	}
	inv.setParameters(req, r.service.headers, fields.ParseQuery(r.service.query))
	g.signService(req, r.service, endpoint.Credential, body)
	resp, err := g.roundTrip(req)
	if resp.status >= http.StatusBadRequest {
		g.api.Log.Warn("AWS service returned an error", "service", r.service.name, "routeKey", r.key,
			"connectionId", inv.c.id, "status", resp.status, "body", fmt.Sprintf("%.300s", resp.body))
	}
	return resp, err
}

// signService signs a request. Services use the machine's clock, so Warp has no
// effect on it.
func (g *Gateway) signService(req *http.Request, call *serviceCall, c Credential, body string) {
	if c.AccessKeyID == "" {
		c = localCredential
	}
	hash := sha256.Sum256([]byte(body))
	signer := sigv4.Signer{Region: call.region, Service: call.name, AccessKeyID: c.AccessKeyID,
		Credential: sigv4.Credential{SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}}
	signer.Sign(req, hex.EncodeToString(hash[:]), time.Now())
}
