package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/devca"
	"github.com/securecart/hub/internal/local/template/host"
)

// templateSettings are what the command line says of a template.
type templateSettings struct {
	file         string
	api          string
	parameters   pairsFlag
	imports      pairsFlag // values by the name of their export
	functions    pairsFlag // URLs by function
	functionsURL string    // of all others
	services     pairsFlag // URLs by AWS service
	env          pairsFlag // values by NAME, or by FUNCTION.NAME
}

func newTemplateSettings() templateSettings {
	return templateSettings{parameters: pairsFlag{}, imports: pairsFlag{}, functions: pairsFlag{},
		services: pairsFlag{}, env: pairsFlag{}}
}

func (t *templateSettings) flags(fs *pflag.FlagSet) {
	fs.StringVar(&t.file, "template", "", "`FILE` serve the WebSocket API of this SAM or CloudFormation template, "+
		"YAML or JSON, instead of the hub")
	fs.Var(t.parameters, "parameter", "`NAME=VALUE` value of a template parameter or a pseudo parameter "+
		"such as AWS::Region; may be repeated")
	fs.Var(t.imports, "import", "`NAME=VALUE` value of another stack, for Fn::ImportValue, or of a dynamic "+
		"reference such as resolve:ssm:/name; may be repeated")
	fs.StringVar(&t.api, "api", "", "`NAME` logical id of the API, if the template has several")
	fs.Var(t.functions, "function", "`FUNCTION=URL` URL of Lambda's Invoke API for a function with this logical id; "+
		"may be repeated")
	fs.StringVar(&t.functionsURL, "functions", "", "`URL` URL of Lambda's Invoke API for all functions without "+
		"-function, such as that of sam local start-lambda")
	fs.Var(t.services, "service", "`NAME=URL` endpoint of an AWS service that routes of the API call themselves, "+
		"such as dynamodb=http://127.0.0.1:8000; may be repeated")
	fs.Var(t.env, "env", "`NAME=VALUE` environment variable of all functions, or with FUNCTION.NAME=VALUE of one; "+
		"may be repeated")
}

// sharedFlags are the flags that localhub has both with and without a template.
var sharedFlags = []string{
	"addr", "admin", "admin-token", "stage", "require-sigv4", "idle-timeout", "max-age", "faults", "log", "log-level", "v",
	"show-private", "version",
}

// check refuses flags of the hub beside -template, and those of a template without it.
func (t *templateSettings) check(given *pflag.FlagSet) (err error) {
	own := newGroup("", "", new(templateSettings).flags).flags
	isGiven := given.Changed("template")
	if isGiven && t.file == "" {
		return usagef("-template needs a file")
	}
	given.Visit(func(f *pflag.Flag) {
		isOwn := own.Lookup(f.Name) != nil
		switch {
		case isGiven && !isOwn && !slices.Contains(sharedFlags, f.Name):
			err = usagef("-%s and -template: the flag is for the hub, which does not run then", f.Name)
		case !isGiven && isOwn:
			err = usagef("-%s needs -template", f.Name)
		}
	})
	return err
}

// maxTemplate is how many bytes of a template are read. It is more than CloudFormation
// accepts, so that a template is refused for its length, with CloudFormation's limit.
const maxTemplate = 2 << 20

// readTemplate reads a template. A pipe may never end: then it returns with ctx, and the
// read ends with the process.
func readTemplate(ctx context.Context, file string) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	done := make(chan content, 1)
	go func() {
		f, err := os.Open(file)
		if err != nil {
			done <- content{err: err}
			return
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxTemplate))
		done <- content{data, err}
	}()
	select {
	case c := <-done:
		return c.data, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// runTemplate serves the WebSocket API of a template until ctx ends.
func runTemplate(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	data, err := readTemplate(ctx, s.template.file)
	if ctx.Err() != nil {
		return nil // interrupted
	}
	if err != nil {
		return usagef("-template: %w", err)
	}
	listener, err := listen(s.addr, "-addr")
	if err != nil {
		return err
	}
	defer listener.Close()
	admin, err := listen(s.admin, "-admin")
	if err != nil {
		return err
	}
	defer admin.Close()
	authority, err := devca.Open()
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	folder, err := templateFolder(s.template.file, listener.Addr())
	if err != nil {
		return err
	}
	log := s.log.newLog(stderr)
	h, err := host.New(host.Options{
		File: s.template.file, Template: data, API: s.template.api, Stage: s.stage,
		Parameters: s.template.parameters, Imports: s.template.imports,
		Functions: s.template.functions, FunctionsURL: s.template.functionsURL,
		Services: s.template.services, Env: s.template.env,
		Folder: folder, Path: os.Getenv("PATH"), Roots: ownRoots(os.Getenv),
		Proxy: http.ProxyFromEnvironment,
		Addr:  dialAddress(listener.Addr()), Authority: authority,
		AdminAddr: admin.Addr().String(), Version: version(), AdminToken: s.adminToken.value,
		ShowPrivate: s.showPrivate,
		IdleTimeout: s.idleTimeout, MaxAge: s.maxAge, Faults: s.faults.set, RequireSigV4: s.requireSigV4,
		Log: log, Output: stderr,
	})
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return h.Close() // interrupted while it was read
	}
	tlsOrPlain, err := h.Listener(listener)
	if err == nil {
		err = h.WriteBanner(stdout, version())
	}
	if err != nil {
		return errors.Join(err, h.Close())
	}
	return serveUntil(ctx, h, log, map[net.Listener]http.Handler{tlsOrPlain: h, admin: h.Admin()})
}

// ownRoots are the files of roots that the developer trusts beside the system's, by variable.
func ownRoots(getenv func(string) string) map[string]string {
	roots := map[string]string{}
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"} {
		roots[name] = getenv(name)
	}
	return roots
}

// templateFolder makes the folder for files of a template's functions in the user's cache
// folder. It is the same at each start with the same address, so that lines of a shell's history
// stay right. Two that run at once have two addresses, and so two folders: the files of functions
// have the address.
func templateFolder(template string, addr net.Addr) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(template)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(path + "\n" + addr.String()))
	folder := filepath.Join(cache, "securecart-hub", "template-"+hex.EncodeToString(sum[:4]))
	return folder, os.MkdirAll(folder, 0o700)
}
