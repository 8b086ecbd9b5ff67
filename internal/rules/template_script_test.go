package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/securecart/hub/internal/script"
)

// wantScriptBehavior is how the edge serves the script, by CachingOptimized and
// SimpleCORS. There is no origin request policy, so nothing of a visitor reaches the
// function.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html
var wantScriptBehavior = object{
	"PathPattern": script.Path, "TargetOriginId": "rest", "ViewerProtocolPolicy": "https-only",
	"AllowedMethods": []any{"GET", "HEAD"}, "Compress": true,
	"CachePolicyId":           "658327ea-f89d-4fab-a63d-7e88639e58f6",
	"ResponseHeadersPolicyId": "60669652-455b-4ae9-85a4-c4c02393f86c",
}

// checkScript: the output ScriptUrl is where the script is, and a script from the edge
// connects to the output SocketUrl by itself.
func checkScript(k *checker) {
	path := k.defaultSocket()
	for _, s := range k.scenes() {
		got, socket := s.text(k.t.outputs["ScriptUrl"]["Value"]), s.text(k.t.outputs["SocketUrl"]["Value"])
		want := "https://<" + k.restAPI().id + ">.execute-api.region-1.suffix.test/" + restStage
		if host := s.given["EdgeDomainName"]; host != "" {
			want = "https://" + host
		}
		k.want(s.name+": ScriptUrl", got, want+script.Path)
		if s.name == "edge" {
			k.want(s.name+": the hub of the script", strings.Replace(want, "https", "wss", 1)+path, socket)
		}
	}
}

// defaultSocket returns the path of the hub that the script connects to, on the origin
// that it is from.
func (k *checker) defaultSocket() string {
	const name = "web/src/tag.js"
	source, err := os.ReadFile(filepath.Join(root, name))
	found := regexp.MustCompile(`new URL\('([^']*)', import\.meta\.url\)`).FindSubmatch(source)
	if err != nil || found == nil {
		k.failf("%s has no default hub, %v", name, err)
		return ""
	}
	return string(found[1])
}

// scriptMutations are mistakes in how the script is served.
var scriptMutations = []mutation{
	{"permissions", "every path of the script's API", "ScriptPermission:\n", "/api/*/securecart-live.js", "/api/*"},
	{"permissions", "the script without a permission", "ScriptPermission:\n", "/api/*/securecart-live.js",
		"/api/*/v1/*"},
	{"script", "the API's address in spite of the edge", "ScriptUrl:", "https://${EdgeDomainName}",
		"https://${DomainName}"},
	{"script", "the edge's address without an edge", "ScriptUrl:", "      - HasEdge\n", "      - HasDomain\n"},
	{"script", "another path", "ScriptUrl:", "/securecart-live.js", "/live.js"},
	{"script", "a hub on another path than the script's", "  MappingKey:\n", "Default: v1", "Default: v2"},
}
