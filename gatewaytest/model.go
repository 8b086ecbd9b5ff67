package gatewaytest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/securecart/hub/gatewaytest/internal/expr"
)

// modelURL is the $ref by which one model refers to another (developer guide,
// "Data models").
func modelURL(apiID, name string) string {
	return "https://apigateway.amazonaws.com/restapis/" + apiID + "/models/" + name
}

// noLoader refuses to load schemas: models refer only to models.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, errors.New("no such model") }

// drafts are the values of $schema that a model may have: those of draft 4.
var drafts = []any{
	"http://json-schema.org/draft-04/schema#",
	"http://json-schema.org/draft-04/schema",
	"http://json-schema.org/schema#",
}

// compileModels compiles the models, of draft 4 (G-VALID-1). Formats are not
// checked.
func compileModels(api *API) (map[string]*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	compiler.UseLoader(noLoader{})
	var errs []error
	names := slices.Sorted(maps.Keys(api.Models))
	values := 0 // of all models
	for _, name := range names {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(api.Models[name]))
		count, depth := measure(document)
		values += count
		if err == nil && (depth > maxModelDepth || values > maxModelValues) {
			err = fmt.Errorf("it has %d levels, and the models so far %d values; at most %d and %d", depth, values,
				maxModelDepth, maxModelValues)
		}
		if schema, ok := document.(map[string]any); ok {
			if draft := schema["$schema"]; draft != nil && !slices.Contains(drafts, draft) {
				err = fmt.Errorf("$schema %q: must be draft 4", draft)
			}
		}
		if err == nil {
			err = compiler.AddResource(modelURL(api.ID, name), document)
		}
		if err != nil {
			errs = append(errs, fieldError(fmt.Sprintf("Models[%q]", name), err))
		}
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	models := make(map[string]*jsonschema.Schema, len(names))
	for _, name := range names {
		schema, err := compiler.Compile(modelURL(api.ID, name))
		if err != nil {
			var invalid *jsonschema.SchemaValidationError
			if errors.As(err, &invalid) {
				err = invalid.Err // without the URL of the model, which is our own
				sortCauses(err)
			}
			errs = append(errs, fieldError(fmt.Sprintf("Models[%q]", name), err))
		}
		models[name] = schema
	}
	return models, errors.Join(errs...)
}

// routeModels returns the models of a route by key, and the expression that
// chooses one.
func routeModels(r Route, models map[string]*jsonschema.Schema) (expr.Selection, map[string]*jsonschema.Schema, error) {
	if r.ModelSelectionExpression == "" {
		return nil, nil, nil // G-VALID-6
	}
	chosen, err := expr.ParseSelection(r.ModelSelectionExpression)
	if err != nil {
		return nil, nil, err
	}
	byKey := make(map[string]*jsonschema.Schema, len(r.RequestModels))
	for _, key := range slices.Sorted(maps.Keys(r.RequestModels)) {
		schema, ok := models[r.RequestModels[key]]
		if !ok {
			return nil, nil, fmt.Errorf("%q: no model %q", key, r.RequestModels[key])
		}
		byKey[key] = schema
	}
	return chosen, byKey, nil
}

// validate validates a message with the model that the route chooses for it.
// nonJSON accepts messages that are not JSON (G-VALID-5).
func (r *route) validate(body string, nonJSON bool) *gatewayResponse {
	if r.model == nil {
		return nil
	}
	// UnmarshalJSON keeps numbers as written, and refuses a second value after the
	// first.
	message, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	switch {
	case err != nil && nonJSON:
		return nil
	case err != nil:
		return badBody("the body is not JSON")
	}
	if !numbersBounded(message) {
		return badBody("a number is too long")
	}
	schema, ok := r.models[r.model.Text(message, nil)]
	if !ok {
		schema, ok = r.models[routeDefault]
	}
	if !ok {
		return badBody("no model for the message") // G-VALID-2
	}
	if err := schema.Validate(message); err != nil {
		sortCauses(err)
		reason := err.Error()
		refusal := responseBadBody.withDetail(reason[:min(len(reason), maxReason)])
		refusal.place = "the keyword " + violated(err) + " of the model"
		return refusal
	}
	return nil
}

// badBody is the refusal of a message for a reason that does not quote it.
func badBody(reason string) *gatewayResponse {
	refusal := responseBadBody.withDetail(reason)
	refusal.place = reason
	return refusal
}

// violated returns the first keyword of a model that a message violates, as a JSON
// pointer into the model.
func violated(err error) string {
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return "?"
	}
	for len(failed.Causes) > 0 {
		failed = failed.Causes[0]
	}
	_, pointer, _ := strings.Cut(failed.SchemaURL, "#")
	return pointer + "/" + strings.Join(failed.ErrorKind.KeywordPath(), "/")
}

// measure returns how many values a model has, and how deep they are nested.
func measure(value any) (count, depth int) {
	var parts []any
	switch value := value.(type) {
	case []any:
		parts = value
	case map[string]any:
		parts = slices.Collect(maps.Values(value))
	}
	for _, part := range parts {
		n, d := measure(part)
		count, depth = count+n, max(depth, d)
	}
	return count + 1, depth + 1
}

// sortCauses puts the causes of a validation error in order. The library leaves
// their order to chance.
func sortCauses(err error) {
	invalid, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return
	}
	if extra, ok := invalid.ErrorKind.(*kind.AdditionalProperties); ok {
		slices.Sort(extra.Properties)
	}
	slices.SortFunc(invalid.Causes, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(slices.Compare(a.InstanceLocation, b.InstanceLocation), cmp.Compare(a.SchemaURL, b.SchemaURL),
			slices.Compare(a.ErrorKind.KeywordPath(), b.ErrorKind.KeywordPath()))
	})
	for _, cause := range invalid.Causes {
		sortCauses(cause)
	}
}

const (
	// maxReason is how much of a validation's report is logged, in bytes: a
	// message may violate its model in thousands of places.
	maxReason = 1 << 10

	// maxNumberDigits limits the length of numbers in a message, as written,
	// and maxExponent their exponents. Both exceed every float64. The validator
	// calculates exactly, so 1e999999 would cost it a million digits.
	maxNumberDigits = 400
	maxExponent     = 400
)

// numbersBounded reports whether all numbers of a message are within the
// limits.
func numbersBounded(value any) bool {
	switch value := value.(type) {
	case json.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(value.String()), "e")
		if exponent == "" {
			return len(value) <= maxNumberDigits
		}
		e, err := strconv.Atoi(exponent)
		return err == nil && -maxExponent <= e && e <= maxExponent && len(value) <= maxNumberDigits
	case []any:
		return !slices.ContainsFunc(value, func(v any) bool { return !numbersBounded(v) })
	case map[string]any:
		for _, v := range value {
			if !numbersBounded(v) {
				return false
			}
		}
	}
	return true
}
