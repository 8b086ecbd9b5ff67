package streams

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// record is a stream record in the form of an event source mapping.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
type record struct {
	EventID        string        `json:"eventID"`
	EventName      string        `json:"eventName"`
	EventVersion   string        `json:"eventVersion"`
	EventSource    string        `json:"eventSource"`
	AWSRegion      string        `json:"awsRegion"`
	Dynamodb       change        `json:"dynamodb"`
	EventSourceARN string        `json:"eventSourceARN"`
	UserIdentity   *userIdentity `json:"userIdentity,omitempty"`
}

type change struct {
	ApproximateCreationDateTime int64          `json:"ApproximateCreationDateTime,omitempty"` // seconds since 1970
	Keys                        map[string]any `json:"Keys"`
	NewImage                    map[string]any `json:"NewImage,omitempty"`
	OldImage                    map[string]any `json:"OldImage,omitempty"`
	SequenceNumber              string         `json:"SequenceNumber"`
	SizeBytes                   int64          `json:"SizeBytes"`
	StreamViewType              string         `json:"StreamViewType"`
}

type userIdentity struct {
	PrincipalID string `json:"principalId"`
	Type        string `json:"type"`
}

// encode returns a record as JSON, and the key of its item.
func encode(r types.Record, arn, region string) (data []byte, key string, err error) {
	d := r.Dynamodb
	if d == nil || d.SequenceNumber == nil {
		return nil, "", errors.New("a record has no sequence number")
	}
	out := record{
		EventID: valueOf(r.EventID), EventName: string(r.EventName), EventVersion: valueOf(r.EventVersion),
		EventSource: "aws:dynamodb", AWSRegion: region, EventSourceARN: arn,
		Dynamodb: change{
			Keys: attributes(d.Keys), NewImage: attributes(d.NewImage), OldImage: attributes(d.OldImage),
			SequenceNumber: *d.SequenceNumber, StreamViewType: string(d.StreamViewType),
		},
	}
	if d.SizeBytes != nil {
		out.Dynamodb.SizeBytes = *d.SizeBytes
	}
	if d.ApproximateCreationDateTime != nil {
		out.Dynamodb.ApproximateCreationDateTime = d.ApproximateCreationDateTime.Unix()
	}
	if r.UserIdentity != nil {
		out.UserIdentity = &userIdentity{valueOf(r.UserIdentity.PrincipalId), valueOf(r.UserIdentity.Type)}
	}
	if data, err = json.Marshal(out); err != nil {
		return nil, "", fmt.Errorf("record %s: %w", *d.SequenceNumber, err)
	}
	for _, name := range slices.Sorted(maps.Keys(out.Dynamodb.Keys)) {
		key += fmt.Sprint(name, "=", out.Dynamodb.Keys[name], ";")
	}
	return data, key, nil
}

func attributes(in map[string]types.AttributeValue) map[string]any {
	if in == nil {
		return nil
	}
	out := make(map[string]any, len(in))
	for name, v := range in {
		out[name] = attribute(v)
	}
	return out
}

// attribute returns a value in the form of DynamoDB's JSON: {"N":"42"}.
func attribute(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": v.Value}
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": attributes(v.Value)}
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = attribute(e)
		}
		return map[string]any{"L": list}
	}
	return map[string]any{"NULL": true}
}
