package schematest

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/securecart/hub/internal/wire"
)

// Values of the named types of package wire. A test compares them with its constants.
var (
	Codes = []wire.Code{
		wire.CodeBadJSON, wire.CodeBadField, wire.CodeBadTopic, wire.CodeUnknownAction, wire.CodeTooBig, wire.CodeDenied,
		wire.CodeTokenExpired, wire.CodeTokenBad, wire.CodeTooManyTopics, wire.CodeConflict, wire.CodeNoStock,
		wire.CodeLimit, wire.CodeSlowDown, wire.CodeBusy, wire.CodeOldEpoch, wire.CodeGoneVersion, wire.CodeInternal,
	}
	States     = []wire.State{wire.StateIn, wire.StateLow, wire.StateOut, wire.StateBack}
	Reasons    = []wire.Reason{wire.ReasonOrdered}
	Skips      = []wire.Skip{wire.SkipRemoved, wire.SkipUnknown, wire.SkipNoStock, wire.SkipLimit}
	WhyReasons = []wire.WhyReason{
		wire.WhyCurrent, wire.WhyUnchanged, wire.WhyBehind, wire.WhyAhead, wire.WhyUnsubscribed, wire.WhyDenied,
		wire.WhyLimit, wire.WhyExpired, wire.WhyMarked, wire.WhyPending, wire.WhyThrottled, wire.WhyFailed,
		wire.WhyWaiting, wire.WhyLost, wire.WhyCoalesced, wire.WhyQuiet, wire.WhyUncounted,
	}
	StepNames = []wire.StepName{
		wire.StepCommit, wire.StepStream, wire.StepBatch, wire.StepPost, wire.StepAccepted,
	}
	Policies = []wire.Policy{wire.PolicySum, wire.PolicyMax, wire.PolicyMine, wire.PolicyTheirs}
)

// providers are types whose schema is not what reflection says.
var providers = []struct {
	of     reflect.Type
	schema huma.SchemaProvider
}{
	{reflect.TypeFor[wire.Code](), code{}},
	{reflect.TypeFor[wire.State](), state{}},
	{reflect.TypeFor[wire.Reason](), reason{}},
	{reflect.TypeFor[wire.Skip](), skip{}},
	{reflect.TypeFor[wire.WhyReason](), whyReason{}},
	{reflect.TypeFor[wire.StepName](), stepName{}},
	{reflect.TypeFor[wire.Value](), value{}},
	{reflect.TypeFor[json.RawMessage](), id{}},
}

type (
	code   struct{}
	state  struct{}
	reason struct{}
	skip   struct{}

	whyReason struct{}
	stepName  struct{}

	value struct{} // of a topic
	id    struct{} // of a message
)

func (code) Schema(huma.Registry) *huma.Schema   { return oneOfThese(Codes) }
func (state) Schema(huma.Registry) *huma.Schema  { return oneOfThese(States) }
func (reason) Schema(huma.Registry) *huma.Schema { return oneOfThese(Reasons) }
func (skip) Schema(huma.Registry) *huma.Schema   { return oneOfThese(Skips) }

func (whyReason) Schema(huma.Registry) *huma.Schema { return oneOfThese(WhyReasons) }
func (stepName) Schema(huma.Registry) *huma.Schema  { return oneOfThese(StepNames) }

func (id) Schema(huma.Registry) *huma.Schema { return idSchema() }

func (value) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[wire.Badge](), true, ""), r.Schema(reflect.TypeFor[wire.Cart](), true, ""),
		r.Schema(reflect.TypeFor[wire.Vendor](), true, ""),
	}}
}

// oneOfThese returns the schema of a text that is one of a list.
func oneOfThese[T ~string](values []T) *huma.Schema {
	s := &huma.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// idSchema returns the schema of an id: at most wire.MaxID bytes of JSON, two of them
// the quotes of a text.
func idSchema() *huma.Schema {
	most := wire.MaxID - len(`""`)
	return &huma.Schema{
		MaxLength: &most, Description: "comes back in the answer",
		Extensions: map[string]any{"type": []string{"string", "number", "boolean", "null"}},
	}
}
