package rest

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// DoorVariable is the stage variable that says which API a request came through. Only a
// deployment sets it: no client can. The public API has none.
const DoorVariable = "door"

// Values of [DoorVariable].
const (
	SystemsDoor = "systems" // the shop's systems: API keys and IAM
	PrivateDoor = "private" // the same, from the shop's own networks only
)

// door is the API that a request came through, and what its gateway says of the client.
// The zero value is the public API.
type door struct {
	name   string // the value of DoorVariable
	keyID  string // of the API key that the gateway has checked; "": none
	signer string // ARN of who signed the request (AWS_IAM); "": nobody
}

// doorKey is the key of a door in a context.
type doorKey struct{}

// withDoor adds the door of an event to a context.
func withDoor(ctx context.Context, e events.APIGatewayProxyRequest) context.Context {
	identity := e.RequestContext.Identity
	return context.WithValue(ctx, doorKey{}, door{e.StageVariables[DoorVariable], identity.APIKeyID, identity.UserArn})
}

func doorOf(r *http.Request) door {
	d, _ := r.Context().Value(doorKey{}).(door)
	return d
}

// isSystem reports whether one of the shop's systems may be behind the door.
func (d door) isSystem() bool { return d.name == SystemsDoor || d.name == PrivateDoor }

// isOperator reports whether the gateway lets only operators through: it has checked a
// signature, or nobody else reaches it.
func (d door) isOperator() bool {
	return d.name == PrivateDoor || d.name == SystemsDoor && d.signer != ""
}
