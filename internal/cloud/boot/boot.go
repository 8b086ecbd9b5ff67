// Package boot starts a Lambda function. It makes what every function needs: the
// logger, the settings, the SDK's configuration, the DynamoDB store, the limits and
// the metrics. A main adds the one handler that it serves.
//
// A start that fails writes one JSON line with all of its errors, and the process
// exits with status 1: Lambda then reports the invocation as failed and starts
// another environment.
//
// Whatever libraries print becomes JSON lines too: errors of the handler, panics and
// events that cannot be read, which the runtime client prints, and warnings of the SDK.
// A panic in a goroutine of ours becomes one of the handler (internal/parallel). The Go
// runtime prints text for what nobody can recover: memory that runs out, concurrent
// writes to a map, a stack overflow, a panic in a goroutine of a library.
//
// The package links neither tokens (internal/cloud/tokens) nor posts
// (internal/cloud/apigw): functions without them stay smaller and start sooner.
package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	standardlog "log"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/metrics"
)

// Env has what the handler of a function needs.
type Env struct {
	config.Settings

	AWS     aws.Config // region and credentials, as the environment of the function says
	Log     *slog.Logger
	Metrics metrics.Observer

	limits hub.Limits
}

// Hub returns a hub on the tables of the settings. poster may be nil for functions
// that post nothing.
func (e Env) Hub(poster hub.Poster) *hub.Hub {
	store := dynamostore.New(dynamodb.NewFromConfig(e.AWS), e.storeOptions())
	return hub.New(store, poster, time.Now).WithLimits(e.limits).WithCustomerCartLife(e.customerCartLife())
}

func (e Env) customerCartLife() time.Duration {
	return time.Duration(e.CustomerCartDays) * 24 * time.Hour
}

func (e Env) storeOptions() dynamostore.Options {
	return dynamostore.Options{
		HubTable: e.HubTable, InventoryTable: e.InventoryTable, CartTable: e.CartTable, SweepTable: e.SweepTable,
		Layout: e.Layout, Log: e.Log, OnUnreadable: e.Metrics.UnreadableRow,
	}
}

// NewHandler returns the handler of a function, as [lambda.Start] takes it.
type NewHandler func(Env) (handler any, err error)

// Run serves a function and does not return while it runs. The result is the exit
// status of a start that failed.
//
// getenv is os.Getenv and stdout is os.Stdout: only package main may use the
// environment of the process.
func Run(f config.Function, getenv func(string) string, stdout io.Writer, newHandler NewHandler) (status int) {
	log := logs.New(stdout, slog.LevelInfo)
	standardlog.SetFlags(0)
	standardlog.SetOutput(logs.Text(log))
	defer func() {
		if reason := recover(); reason != nil {
			log.Error("start failed", "error", fmt.Sprintf("panic: %v\n%s", reason, debug.Stack()))
			status = 1
		}
	}()
	handler, err := start(f, getenv, log, newHandler)
	if err != nil {
		log.Error("start failed", "error", err)
		return 1
	}
	lambda.Start(handler)
	return 0
}

// start makes the handler of a function, and logs that. The error joins everything that is
// wrong.
// Without settings newHandler is not called: its errors would only repeat theirs.
func start(f config.Function, getenv func(string) string, log *slog.Logger, newHandler NewHandler) (any, error) {
	cfg, configErr := awsconfig.LoadDefaultConfig(context.Background(),
		awsconfig.WithLogger(logging.NewStandardLogger(logs.Text(log))))
	settings, err := config.Load(f, getenv)
	if err != nil {
		return nil, errors.Join(err, configErr)
	}
	limits, limitsErr := hub.ParseLimits(settings.Limits)
	handler, err := newHandler(Env{
		Settings: settings, AWS: cfg, Log: log,
		Metrics: logs.NewMetrics(log, settings.MetricsNamespace, lambdacontext.FunctionName),
		limits:  limits,
	})
	if err := errors.Join(configErr, limitsErr, err); err != nil {
		return nil, err
	}
	log.Info("started", "commit", settings.Commit)
	return handler, nil
}
