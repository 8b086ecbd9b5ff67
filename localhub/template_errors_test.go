package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// templateErrors are command lines with mistakes, without -template FILE. In stderr,
// FILE is the template, LINE the line of its function, and FOLDER its folder.
var templateErrors = map[string]struct {
	args   []string
	status int
	stderr string // a part of it
}{
	"flag of the hub":   {[]string{"-seed", "x"}, 2, "-seed and -template: the flag is for the hub"},
	"invalid parameter": {[]string{"-parameter", "x"}, 2, "it must be NAME=VALUE, and each NAME may occur once"},
	"duplicate parameter": {
		[]string{"-parameter", "x=1", "-parameter", "x=2"}, 2, "it must be NAME=VALUE, and each NAME may occur once",
	},
	"unknown parameter": {[]string{"-parameter", "x=1"}, 1, "-parameter x: the template has no such parameter"},
	"nothing runs a function": {
		nil, 1,
		"FILE:LINE:3: nothing runs the function Echo (provided.al2023): put an executable for provided.al2023 as " +
			"FOLDER/echo/bootstrap, or start it behind Lambda's Invoke API, as sam local start-lambda does, and add " +
			"-function Echo=http://127.0.0.1:3001, or -functions with the URL for all",
	},
	"invalid URL of all": {
		[]string{"-functions", "localhost:9001"}, 1,
		`FILE:LINE:3: lambdaproc: "localhost:9001" is not an http:// or https:// URL`,
	},
	"invalid URL": {
		[]string{"-function", "Echo=localhost:9001"}, 1,
		`FILE:LINE:3: lambdaproc: "localhost:9001" is not an http:// or https:// URL`,
	},
	"unknown function": {
		[]string{"-function", "Echo=http://127.0.0.1:1", "-function", "Eco=http://127.0.0.1:1"}, 1,
		"-function Eco: the API invokes no such function",
	},
	"variable of an unknown function": {
		[]string{"-function", "Echo=http://127.0.0.1:1", "-env", "Eco.X=1"}, 1,
		"-env Eco.X: the API invokes no function Eco",
	},
	"unknown stage": {
		[]string{"-stage", "dev", "-function", "Echo=http://127.0.0.1:1"}, 1,
		"FILE:3:3: there is no stage dev; there is live",
	},
	"maximum age above API Gateway's": {
		[]string{"-max-age", "3h"}, 2, "-max-age 3h0m0s: it must be above zero and at most 2h0m0s",
	},
	"unknown API": {
		[]string{"-api", "Apo", "-function", "Echo=http://127.0.0.1:1"}, 1,
		"FILE:1:1: there is no WebSocket API Apo; there is Api",
	},
	"invalid log": {[]string{"-log", "xml"}, 2, `invalid value "xml" for flag -log: it must be json or text`},
}

func TestTemplateErrors(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	file := writeTemplate(t, echoTemplate)
	line := strings.Count(strings.Split(echoTemplate, "  Echo:")[0], "\n") + 1
	replace := strings.NewReplacer("FILE", file, "LINE", fmt.Sprint(line), "FOLDER", filepath.Dir(file))
	for name, tt := range templateErrors {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-template", file, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, tt.args...)
			testTemplateError(t, args, tt.status, replace.Replace(tt.stderr))
		})
	}
	t.Run("-template without a file", func(t *testing.T) {
		testTemplateError(t, []string{"-template"}, 2, "-template needs a value: -template FILE")
	})
	t.Run("-template with an empty file name", func(t *testing.T) {
		testTemplateError(t, []string{"-template="}, 2, "-template needs a file")
	})
	t.Run("missing file", func(t *testing.T) {
		testTemplateError(t, []string{"-template", "/nowhere/t.yaml"}, 2, "-template: open /nowhere/t.yaml: no such file")
	})
}

func testTemplateError(t *testing.T, args []string, status int, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stderr bytes.Buffer
	got := exitStatus(run(ctx, args, io.Discard, io.Discard), &stderr)
	if got != status || !strings.Contains(stderr.String(), want) {
		t.Errorf("got status %d, %s\nwant %d, %s", got, stderr.String(), status, want)
	}
}

// TestTemplateAdvice: what to do about a function that cannot be started depends on its kind.
func TestTemplateAdvice(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const properties = "      CodeUri: echo/\n      Handler: bootstrap\n      Runtime: provided.al2023\n"
	const invoke = "start it behind Lambda's Invoke API, as sam local start-lambda does, and add " +
		"-function Echo=http://127.0.0.1:3001, or -functions with the URL for all"
	for name, tt := range map[string]struct{ properties, want string }{
		"Node.js": {
			"      CodeUri: echo/\n      Handler: app.handler\n      Runtime: nodejs22.x\n",
			"(nodejs22.x): no file in FOLDER/echo has the handler app.handler; if it has to be built, build it and serve " +
				"the template that has the result, or " + invoke,
		},
		"Java": {
			"      CodeUri: echo/\n      Handler: a.B::c\n      Runtime: java21\n", "(java21): " + invoke,
		},
		"image": {
			"      PackageType: Image\n",
			"(no Runtime): its code is in no folder beside the template: " + invoke,
		},
		"in S3": {
			"      CodeUri: s3://bucket/key\n      Handler: app.handler\n      Runtime: python3.12\n",
			"(python3.12): its code is in no folder beside the template: " + invoke,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := writeTemplate(t, strings.Replace(echoTemplate, properties, tt.properties, 1))
			args := []string{"-template", file, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}
			want := strings.ReplaceAll(tt.want, "FOLDER", filepath.Dir(file))
			testTemplateError(t, args, 1, "nothing runs the function Echo "+want)
		})
	}
}
