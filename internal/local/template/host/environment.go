package host

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/devca"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// environment has the variables of a function: those that Lambda sets, those of the
// template, the API's address, and those of -env. Later ones win.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (h *Host) environment(f *samapi.Function, fromTemplate []string) []string {
	env := []string{
		"AWS_REGION=" + f.Region, "AWS_DEFAULT_REGION=" + f.Region,
		"AWS_ACCESS_KEY_ID=" + account.Credential.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + account.Credential.SecretAccessKey,
		fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", f.Memory), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name, "AWS_LAMBDA_LOG_STREAM_NAME=local",
		"AWS_EXECUTION_ENV=AWS_Lambda_" + f.Runtime, "LAMBDA_TASK_ROOT=" + f.Folder,
		"_HANDLER=" + f.Handler, "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=" + h.opts.Path,
	}
	// The API's address in AWS becomes its address here: posts must stay on this
	// machine.
	localAddr := strings.NewReplacer("https://"+f.APIHost, "http://"+h.opts.Addr, "wss://"+f.APIHost, "ws://"+h.opts.Addr)
	for _, variable := range fromTemplate {
		env = append(env, localAddr.Replace(variable))
	}
	env = append(env, h.apiEnv(f.Stage)...)
	fromFlags := h.envFlags(f.ID)
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

// apiEnv has the variables with which functions reach the API: the endpoint for SDKs, the
// proxy and the roots for clients of https://domainName/stage and of the API's name in AWS.
func (h *Host) apiEnv(stage string) []string {
	bundle := devca.BundleFile(h.opts.Folder)
	env := []string{
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=http://" + h.opts.Addr + "/" + stage,
		"AWS_CA_BUNDLE=" + bundle, "NODE_EXTRA_CA_CERTS=" + bundle, "SSL_CERT_FILE=" + bundle,
		"REQUESTS_CA_BUNDLE=" + bundle,
	}
	if host, _, err := net.SplitHostPort(h.opts.Addr); err == nil && isLoopback(host) {
		env = append(env, "HTTPS_PROXY=http://"+h.opts.Addr, "NO_PROXY=127.0.0.1,localhost,::1", "NODE_USE_ENV_PROXY=1")
	}
	return env
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
