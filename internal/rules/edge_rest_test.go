package rules

// wantRestOrigin is where the edge has the REST API and the script from. It gets the
// secret, and TLS alone.
func wantRestOrigin(s *scene) object {
	return object{
		"Id": "rest", "DomainName": s.given["RestOrigin"], "OriginPath": "/" + restStage,
		"CustomOriginConfig":  object{"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": []any{"TLSv1.2"}},
		"OriginCustomHeaders": []any{object{"HeaderName": "X-Origin-Verify", "HeaderValue": sentSecret(s)}},
	}
}

// wantRestBehavior is how the edge serves the REST API: every header of a client but Host
// reaches it, and nothing is kept. Compression would make entity tags weak.
var wantRestBehavior = object{
	"PathPattern": "/v1/*", "TargetOriginId": "rest", "ViewerProtocolPolicy": "https-only",
	"AllowedMethods": []any{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}, "Compress": false,
	"CachePolicyId":         "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
	"OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
}

// wantStockBehavior is how the edge serves stock. There is no origin request policy, so
// what is not in the key of the cache does not reach the function.
var wantStockBehavior = object{
	"PathPattern": "/v1/stock*", "TargetOriginId": "rest", "ViewerProtocolPolicy": "https-only",
	"AllowedMethods": []any{"GET", "HEAD", "OPTIONS"}, "Compress": false, "CachePolicyId": "<EdgeStock>",
}

// wantStockCache keeps what may be kept for a second at most.
var wantStockCache = object{"CachePolicyConfig": object{
	"Name": "stock-stack-id", "Comment": "stack", "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 1,
	"ParametersInCacheKeyAndForwardedToOrigin": object{
		"CookiesConfig": object{"CookieBehavior": "none"},
		"HeadersConfig": object{
			"HeaderBehavior": "whitelist", "Headers": []any{"Authorization", "Origin", "X-API-Version"},
		},
		"QueryStringsConfig": object{
			"QueryStringBehavior": "whitelist", "QueryStrings": []any{"sku", "version"},
		},
		"EnableAcceptEncodingBrotli": false, "EnableAcceptEncodingGzip": false,
	},
}}

// wantProductsBehavior is how the edge serves products.
var wantProductsBehavior = object{
	"PathPattern": "/v1/products/*", "TargetOriginId": "rest", "ViewerProtocolPolicy": "https-only",
	"AllowedMethods": []any{"GET", "HEAD"}, "Compress": true, "CachePolicyId": "<EdgeProducts>",
}

// wantProductsCache keeps one answer for everybody, as long as the catalogue says.
var wantProductsCache = object{"CachePolicyConfig": object{
	"Name": "products-stack-id", "Comment": "stack", "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 86400,
	"ParametersInCacheKeyAndForwardedToOrigin": object{
		"CookiesConfig":              object{"CookieBehavior": "none"},
		"HeadersConfig":              object{"HeaderBehavior": "none"},
		"QueryStringsConfig":         object{"QueryStringBehavior": "none"},
		"EnableAcceptEncodingBrotli": true, "EnableAcceptEncodingGzip": true,
	},
}}

// wantErrorCaching: of the statuses that CloudFront by default keeps for ten seconds, those
// that the API may answer.
func wantErrorCaching() (all []any) {
	for _, status := range []int{404, 500, 502, 503, 504} {
		all = append(all, object{"ErrorCode": status, "ErrorCachingMinTTL": 0})
	}
	return all
}

// edgeRestMutations are mistakes in how the edge serves the REST API.
var edgeRestMutations = []mutation{
	{"distribution", "no secret for the REST API", "- Id: rest", "HeaderName: X-Origin-Verify",
		"HeaderName: X-Origin-Check"},
	{"distribution", "carts in the cache", "PathPattern: /v1/*", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
		"658327ea-f89d-4fab-a63d-7e88639e58f6"},
	{"distribution", "no writes", "PathPattern: /v1/*", ", PUT, PATCH, POST, DELETE]", "]"},
	{"distribution", "weak tags of carts", "PathPattern: /v1/*", "Compress: false", "Compress: true"},
	{"distribution", "weak tags of stock", "PathPattern: /v1/stock*", "Compress: false", "Compress: true"},
	{"distribution", "stock behind the rest", "CacheBehaviors:", "PathPattern: /v1/stock*",
		"PathPattern: /v1/store*"},
	{"distribution", "stock of an hour", "  EdgeStock:", "MaxTTL: 1", "MaxTTL: 3600"},
	{"distribution", "private stock in the cache", "  EdgeStock:", "MinTTL: 0", "MinTTL: 1"},
	{"distribution", "one answer for all tokens", "  EdgeStock:", "[Authorization, ", "["},
	{"distribution", "one answer for all pages", "  EdgeStock:", " Origin,", ""},
	{"distribution", "one answer for all SKUs", "  EdgeStock:", "[sku, version]", "[version]"},
	{"distribution", "one answer for all versions", "  EdgeStock:", "[sku, version]", "[sku]"},
	{"distribution", "a missing SKU for ten seconds", "  Edge:",
		"          - {ErrorCode: 404, ErrorCachingMinTTL: 0}\n", ""},
	{"distribution", "private products in the cache", "  EdgeProducts:", "MinTTL: 0", "MinTTL: 1"},
	{"distribution", "products behind the rest", "  Edge:", "PathPattern: /v1/products/*",
		"PathPattern: /v1/product/*"},
}
