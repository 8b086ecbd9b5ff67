package rules

import (
	"maps"

	"github.com/securecart/hub/internal/cloud/config"
)

// ownKey is a customer managed key.
const ownKey = "arn:aws-p:kms:region-1:account:key/1"

// keyProperties are the properties that name the key, by the type of the resource, and
// their values with a key and without.
var keyProperties = map[string]struct{ with, without object }{
	kindTable: {
		object{"SSESpecification": object{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": ownKey}}, object{},
	},
	// A queue has either the key or that of SQS.
	kindQueue:    {object{"KmsMasterKeyId": ownKey}, object{"SqsManagedSseEnabled": true}},
	kindLog:      {object{"KmsKeyId": ownKey}, object{}},
	kindSecret:   {object{"KmsKeyId": ownKey}, object{}},
	kindFunction: {object{"KmsKeyArn": ownKey}, object{}}, // of its settings
}

// keyNames are the names of all these properties.
func keyNames(kind string) []string {
	var names []string
	for _, properties := range []object{keyProperties[kind].with, keyProperties[kind].without} {
		for name := range properties {
			names = append(names, name)
		}
	}
	return names
}

// withoutKey returns the properties of a resource, except for those that name the key.
func withoutKey(r resource) object {
	p := maps.Clone(r.properties)
	for _, name := range keyNames(r.kind) {
		delete(p, name)
	}
	return p
}

// keyRights are the rights of a function to use the key: those that DynamoDB and SQS
// need to act for it, and only by way of them.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
func keyRights(f config.Function) []string {
	services := " via dynamodb.region-1.suffix.test lambda.region-1.suffix.test"
	if f == config.Broadcast { // it fills the queues
		services += " sqs.region-1.suffix.test"
	}
	var all []string
	for _, action := range []string{"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"} {
		all = append(all, "kms:"+action+" on "+ownKey+services)
	}
	return all
}

// checkEncryption: all that the stack stores is under the customer's key if there is one, and
// under AWS's own otherwise.
func checkEncryption(k *checker) { k.wantKeys(k.scenes()) }

func (k *checker) wantKeys(scenes []*scene) {
	for _, s := range scenes {
		for kind, properties := range keyProperties {
			want := properties.without
			if s.given["KmsKeyArn"] != "" {
				want = properties.with
			}
			for _, r := range k.t.ofType(kind) {
				got := s.props(r)
				for _, name := range keyNames(kind) {
					k.want(s.name+": "+name+" of "+r.id, got[name], want[name])
				}
			}
		}
	}
}

// encryptionMutations are resources and functions without the key.
var encryptionMutations = []mutation{
	{"encryption", "a table of revocations", "  HubTable:\n", "        - HasKmsKey\n", "        - Recoverable\n"},
	{"encryption", "a table of carts", "  CartTable:\n",
		"KMSMasterKeyId: !Ref KmsKeyArn", "KMSMasterKeyId: alias/aws/dynamodb"},
	{"encryption", "a queue", "  InventoryFailures:\n",
		"KmsMasterKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]",
		"KmsMasterKeyId: !Ref AWS::NoValue"},
	{"encryption", "a queue that is not encrypted", "  CartFailures:\n",
		"SqsManagedSseEnabled: !If [HasKmsKey, !Ref AWS::NoValue, true]", "SqsManagedSseEnabled: false"},
	{"encryption", "a queue with two keys", "  CartFailures:\n",
		"SqsManagedSseEnabled: !If [HasKmsKey, !Ref AWS::NoValue, true]", "SqsManagedSseEnabled: true"},
	{"encryption", "a log", "  AccessLog:\n",
		"      KmsKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n", ""},
	{"encryption", "the guest key", "  GuestKey:\n",
		"      KmsKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n", ""},
	{"encryption", "the key of addresses", "  AddressKey:\n",
		"      KmsKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n", ""},
	{"encryption", "settings", "Globals:",
		"KmsKeyArn: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]", "MemorySize: 256"},
	{"encryption", "an empty key", "Globals:", "!If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]", "!Ref KmsKeyArn"},
	{"rights", "no way to use the key", "ConnectRole:\n", "kms:Decrypt, ", ""},
	{"rights", "all of KMS", "MessageRole:\n", "kms:Decrypt, ", "kms:*, "},
	{"rights", "all keys", "MessageRole:\n", "Resource: !Ref KmsKeyArn", `Resource: "*"`},
	{"rights", "the key by itself", "RestRole:\n", `                  Condition:
                    StringEquals:
                      kms:ViaService:
                        - !Sub dynamodb.${AWS::Region}.${AWS::URLSuffix}
                        - !Sub lambda.${AWS::Region}.${AWS::URLSuffix}
`, ""},
	{"rights", "the key by way of another service", "AuthorizeRole:\n", "!Sub lambda.${AWS::Region}",
		"!Sub s3.${AWS::Region}"},
	{"rights", "queues that the broadcaster cannot fill", "BroadcastRole:\n",
		"                        - !Sub sqs.${AWS::Region}.${AWS::URLSuffix}\n", ""},
	{"rights", "a key that nobody named", "DisconnectRole:\n", "                - HasKmsKey\n",
		"                - Recoverable\n"},
}
