// Package goneloop posts to many connections and handles every error alike.
package goneloop

import (
	"context"
	"log"

	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// poster is what the handlers need of the SDK's client.
type poster interface {
	PostToConnection(context.Context, *api.PostToConnectionInput, ...func(*api.Options)) (*api.PostToConnectionOutput, error)
}

type room struct{ api poster }

func (r room) post(ctx context.Context, id string) error {
	_, err := r.api.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &id})
	return err
}

func (r room) stops(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := r.post(ctx, id); err != nil { // want `never looks for 410`
			return err
		}
	}
	return nil
}

func (r room) ignores(ctx context.Context, ids []string) {
	for i := 0; i < len(ids); i++ {
		_, _ = r.api.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &ids[i]}) // want `never looks for 410`
	}
}

func (r room) logs(ctx context.Context, ids map[string]bool) {
	send := func(id string) error { return r.post(ctx, id) }
	for id := range ids {
		if err := send(id); err != nil { // want `never looks for 410`
			log.Print(err)
		}
	}
}

func (r room) all(ctx context.Context, ids []string) {
	for _, id := range ids {
		go func() { _ = r.post(ctx, id) }() // want `never looks for 410`
	}
}

func (r room) nested(ctx context.Context, rooms [][]string) {
	for _, ids := range rooms {
		r.logs(ctx, map[string]bool{ids[0]: true}) // want `never looks for 410`
	}
}

func (r room) next(ctx context.Context, ids []string) {
	var id string
	for len(ids) > 0 {
		id, ids = ids[0], ids[1:]
		_ = r.post(ctx, id) // want `never looks for 410`
	}
}

// again repeats a post to one connection.
func (r room) again(ctx context.Context, id string) (err error) {
	for range 3 {
		if _, err = r.api.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &id}); err == nil {
			break
		}
	}
	for i := 0; i < 3 && r.post(ctx, id) != nil; i++ {
		log.Print("again")
	}
	return err
}

// one answers the sender only.
func (r room) one(ctx context.Context, id string) error { return r.post(ctx, id) }
