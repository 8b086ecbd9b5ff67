package host

import (
	"slices"
	"strings"
)

// names returns the names of the API: those of this machine, its default name in AWS, in
// each Region that -env gives a function, and its custom domain.
func (h *Host) names() []string {
	names := append([]string{"127.0.0.1", "::1", "localhost"}, h.namesInAWS()...)
	if domain := h.api.API.Domain; domain != nil {
		names = append(names, domain.Name)
	}
	return names
}

// namesInAWS returns the default name of the API, and the same name in other Regions that
// functions think they are in.
func (h *Host) namesInAWS() []string {
	names := []string{h.api.Host}
	for variable, region := range h.opts.Env {
		_, name, ofOne := strings.Cut(variable, ".")
		if !ofOne {
			name = variable
		}
		if name == "AWS_REGION" || name == "AWS_DEFAULT_REGION" {
			names = append(names, h.api.API.ID+".execute-api."+region+"."+suffix(region))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// suffix is the domain of AWS in a Region.
// https://docs.aws.amazon.com/general/latest/gr/apigateway.html
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// isOwn reports whether a host name is the API's. A name of API Gateway with the API's id
// is, in every Region: a post to it must not leave this machine.
func (h *Host) isOwn(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if domain := h.api.API.Domain; domain != nil && host == strings.ToLower(domain.Name) {
		return true
	}
	id, rest, _ := strings.Cut(host, ".")
	return id == strings.ToLower(h.api.API.ID) && strings.HasPrefix(rest, "execute-api.") &&
		(strings.HasSuffix(rest, ".amazonaws.com") || strings.HasSuffix(rest, ".amazonaws.com.cn"))
}
