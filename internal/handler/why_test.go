package handler_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestTrace: who has seen more than the rows completes the answer, and learns what the
// caller may see. An error stays as it is.
func TestTrace(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	var asked []hub.Asked
	trace := func(a hub.Asked, w wire.Why) wire.Why {
		asked = append(asked, a)
		w.Reason, w.Message = wire.WhyPending, "traced"
		return w
	}
	b.message = lambda.NewHandler(handler.Message(
		b.hub, b.verifier, handler.MessageOptions{Shorthand: true, Trace: trace}, b.logger(),
	))
	c := b.openAs("c1", "ann")
	c.wantAnswer("sub MUG", "snapshot")
	const want = `{"type":"why","epoch":"k3","topic":"sku:MUG","version":1,"badge":{"version":1,"state":"in"},` +
		`"reason":"pending","message":"traced"}`
	if got := c.sendRaw("why MUG@1"); got != want {
		t.Errorf("why MUG\n got %s\nwant %s", got, want)
	}
	c.wantAnswer("why vendor:acme", "why")
	c.wantError("why hub:", wire.CodeBadField)
	if len(asked) != 2 {
		t.Fatalf("traced %d times, want 2", len(asked))
	}
	mug, denied := asked[0], asked[1]
	if mug.Topic != (hub.Topic{Kind: hub.KindSKU, Name: "MUG"}) || mug.Name != "sku:MUG" || *mug.Version != 1 ||
		mug.Shape != hub.ShapeBadge || !mug.Subscribed || mug.Connection.ID != "c1" {
		t.Errorf("asked %+v", mug)
	}
	if denied.Shape != hub.ShapeNone || denied.Topic != (hub.Topic{}) {
		t.Errorf("what the caller may not see was traced as %+v", denied)
	}
}

// TestWhyFails: a mark that cannot be read is an internal error.
func TestWhyFails(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	c := b.openAs("c1", "ann")
	b.store.errs["MarkOf"] = errInside
	for _, say := range []string{"why MUG", "why NOPE", "why"} { // an unknown SKU fails alike
		c.wantError(say, wire.CodeInternal)
	}
	c.wantAnswer("why cart:u~bob", "why") // its mark is not read
}
