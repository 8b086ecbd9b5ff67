package rules

// distributionMutations are mistakes in the distribution as a whole.
var distributionMutations = []mutation{
	{"references", "the record of no distribution", "  EdgeRecord:", "!GetAtt Edge.DomainName",
		"!GetAtt Front.DomainName"},
	{"distribution", "an edge that asks itself", "  OwnOrigin:", "!Ref SocketOrigin", "!Ref RestOrigin"},
	{"used", "an unused condition", "Conditions:", "  MakesWall:",
		"  Unused: !Equals [!Ref WebAclArn, x]\n  MakesWall:"},
	{"literals", "an account", "  AccessLogSource:", "${AWS::AccountId}", "123456789012"},
	{"distribution", "a firewall in spite of none", "  Edge:", "HasNoWall, !Ref AWS::NoValue,",
		"MakesWall, !Ref AWS::NoValue,"},
	{"distribution", "the zone of another", "  EdgeRecord:", "Z2FDTNDATAQYW2", "Z1"},
	{"distribution", "no secret for the origin", "  Edge:", "HeaderName: X-Origin-Verify",
		"HeaderName: X-Origin-Check"},
	{"distribution", "the secret without its version", "  Edge:", ":current::${SecretVersion}", ":current"},
	{"distribution", "the secret in the template", "  Edge:",
		`!Sub "{{resolve:secretsmanager:${EdgeSecret}:SecretString:current}}"`, "secret"},
	{"distribution", "no web ACL", "  Edge:", "!GetAtt WebAcl.Arn", "!Ref AWS::NoValue"},
	{"distribution", "HTTP to the origin", "  Edge:", "OriginProtocolPolicy: https-only",
		"OriginProtocolPolicy: match-viewer"},
	{"distribution", "HTTP to viewers", "  Edge:", "ViewerProtocolPolicy: https-only",
		"ViewerProtocolPolicy: allow-all"},
	{"distribution", "old TLS for viewers", "  Edge:", "TLSv1.2_2021", "TLSv1"},
	{"distribution", "a cache", "  Edge:", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
		"658327ea-f89d-4fab-a63d-7e88639e58f6"},
	{"distribution", "the viewer's Host", "  Edge:", "b689b0a8-53d0-40ab-baf2-68738e2966ac",
		"216adef6-5c7f-47e4-b989-5492eafa07d3"},
	{"distribution", "@connections through the edge", "  Edge:", "[GET, HEAD]",
		"[GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]"},
}

// edgeScriptMutations are mistakes in how the edge serves the script.
var edgeScriptMutations = []mutation{
	{"distribution", "a script that is not cached", "CacheBehaviors:", "658327ea-f89d-4fab-a63d-7e88639e58f6",
		"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"},
	{"distribution", "a script without CORS", "CacheBehaviors:",
		"            ResponseHeadersPolicyId: 60669652-455b-4ae9-85a4-c4c02393f86c\n", ""},
	{"distribution", "a script that visitors' headers reach", "CacheBehaviors:", "            Compress: true",
		"            OriginRequestPolicyId: b689b0a8-53d0-40ab-baf2-68738e2966ac\n            Compress: true"},
	{"distribution", "a script that is not compressed", "CacheBehaviors:", "Compress: true", "Compress: false"},
	{"distribution", "a script over HTTP", "CacheBehaviors:", "ViewerProtocolPolicy: https-only",
		"ViewerProtocolPolicy: allow-all"},
	{"distribution", "a script from the sockets' API", "CacheBehaviors:", "TargetOriginId: rest",
		"TargetOriginId: hub"},
	{"distribution", "another path of the script", "CacheBehaviors:", "PathPattern: /securecart-live.js",
		"PathPattern: /live.js"},
	{"distribution", "every path is cached", "CacheBehaviors:", "PathPattern: /securecart-live.js",
		"PathPattern: /*"},
	{"distribution", "writes through the edge", "CacheBehaviors:", "[GET, HEAD]",
		"[GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]"},
	{"distribution", "HTTP to the origin of the script", "- Id: rest", "OriginProtocolPolicy: https-only",
		"OriginProtocolPolicy: match-viewer"},
	{"distribution", "the origin of the script without the stage", "- Id: rest", "OriginPath: /api",
		"OriginPath: /v1"},
	{"distribution", "the origin of the script is the sockets' API", "- Id: rest", "!Ref RestOrigin",
		"!Ref SocketOrigin"},
}

// edgeSecretMutations are mistakes in the edge's secret.
var edgeSecretMutations = []mutation{
	{"secret", "a short secret", "  EdgeSecret:", "PasswordLength: 64", "PasswordLength: 16"},
	{"secret", "a known other secret", "  EdgeSecret:", `{"other":"-"}`,
		`{"other":"0000000000000000000000000000000000000000"}`},
	{"secret", "no copy for the hub", "  EdgeSecret:", "        - IsElsewhere\n", "        - HasKmsKey\n"},
	{"secret", "a copy in its own Region", "Conditions:", "IsElsewhere: !Not [!Equals [",
		"IsElsewhere: !Not [!Equals [x, "},
	{"secret", "a copy without the hub's key", "  EdgeSecret:",
		"!If [HasHubKmsKey, !Ref HubKmsKeyArn, !Ref AWS::NoValue]",
		"!Ref AWS::NoValue"},
	{"secret", "the Region of the edge for the hub", "  SecretArn:", "${HubRegion}", "${AWS::Region}"},
	{"encryption", "the secret", "  EdgeSecret:\n",
		"      KmsKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n", ""},
	{"encryption", "the log", "  AccessLog:\n",
		"      KmsKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n", ""},
}

// edgeNameMutations are names that a long name of the stack makes too long.
var edgeNameMutations = []mutation{
	{"names", "of a cache policy", "  EdgeStock:\n", `!Join ["-", [stock, !Select [2, !Split ["/", !Ref AWS::StackId]]]]`,
		"!Sub ${AWS::StackName}-stock"},
	{"names", "a comment", "  Edge:\n", "Comment: Sockets, REST API and script of a SecureCart hub",
		"Comment: !Sub Sockets of ${AWS::StackName}"},
}

// edgeLogMutations are mistakes in the edge's log.
var edgeLogMutations = []mutation{
	{"log", "addresses", "RecordFields:\n", "        - date\n", "        - date\n        - c-ip\n"},
	{"log", "paths, which have SKUs", "RecordFields:\n", "cache-behavior-path-pattern", "cs-uri-stem"},
	{"log", "no end", "  AccessLog:\n", "      RetentionInDays: !Ref LogRetentionDays\n", ""},
	{"log", "another source", "  AccessLogDelivery:\n", "!Ref AccessLogSource", "!Ref Edge"},
}
