//go:build !dynamodb

package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/shell"
	"github.com/securecart/hub/internal/redact"
)

// open refuses tables: they need the AWS SDK. This build leaves it out, because the SDK
// makes a first build 50 % longer. The error has the command that works.
func (d *dynamodb) open(_ context.Context, args []string, _ *slog.Logger) (house.Tables, error) {
	if d.endpoint == "" {
		return nil, nil
	}
	return nil, usagef("-dynamodb needs the AWS SDK, which this build leaves out; "+
		"run: go run -tags dynamodb ./localhub %s", shell.Words(withoutSecrets(args)))
}

// withoutSecrets hides passwords in URLs, and an admin token or a key that is not in a file.
func withoutSecrets(args []string) []string {
	shown := make([]string, len(args))
	isSecret := false
	for i, arg := range args {
		name, value, hasValue := strings.Cut(arg, "=")
		switch isSecretFlag := strings.HasPrefix(name, "-") && isSecretName(strings.TrimLeft(name, "-")); {
		case isSecret && !strings.HasPrefix(arg, "@"):
			arg = "SECRET"
		case isSecretFlag && hasValue && !strings.HasPrefix(value, "@"):
			arg = name + "=SECRET"
		default:
			isSecret = isSecretFlag && !hasValue
			shown[i] = redact.URL(arg)
			continue
		}
		shown[i], isSecret = arg, false
	}
	return shown
}

func isSecretName(flag string) bool { return flag == "admin-token" || flag == "api-key" }
