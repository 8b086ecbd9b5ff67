package gatewaytest

// HTTP is a web server as the backend of a route: integration type HTTP_PROXY,
// or HTTP beside a Mapping.
type HTTP struct {
	// Method of the requests. Default "POST".
	Method string

	// URI of the backend, http or https. ${stageVariables.name} stands for a
	// stage variable (G-STAGEVAR-2).
	URI string

	// RequestParameters adds to the requests, or replaces: the keys are
	// "integration.request.header.NAME" and "integration.request.querystring.NAME",
	// the values "route.request.header.NAME", "route.request.querystring.NAME"
	// and their multivalueheader and multivaluequerystring forms ($connect
	// only), "route.request.body.PATH", "stageVariables.NAME", "context.NAME"
	// and "'literal'" (G-INTEG-4). Without them the backend does not learn the
	// connection id (G-INTEG-3).
	RequestParameters map[string]string
}

// Mapping is what a non-proxy integration does with a message on its way to the
// backend, and with the backend's answer on its way to the client.
//
// Templates are text in which $input.body, $input.json('PATH'),
// $input.path('PATH'), $context.NAME and $stageVariables.NAME stand for values;
// ${…} marks where a name ends. Everything else of the Velocity Template
// Language (directives, $util, variables of one's own) is refused by New.
type Mapping struct {
	// TemplateSelectionExpression chooses one of RequestTemplates by key; no
	// such key is "$default" (G-INTEG-8). Default `\$default`.
	TemplateSelectionExpression string

	// RequestTemplates write what the backend is given, by key. For a MOCK
	// integration that is {"statusCode":N} (G-INTEG-9).
	RequestTemplates map[string]string

	// PassthroughBehavior says what happens to a message without a template:
	// "WHEN_NO_MATCH", the default, gives it to the backend as it is,
	// "WHEN_NO_TEMPLATES" does so only if there are no templates at all,
	// "NEVER" answers "Unsupported Media Type" (the text is assumed).
	PassthroughBehavior string

	// Responses are the integration responses by key: "$default", or "/REGEXP/"
	// against the whole of the HTTP status, the mock's status, or the error
	// text of a function (G-INTEG-7). A two-way route needs "$default".
	Responses map[string]IntegrationResponse
}

// IntegrationResponse is what becomes of a backend's answer.
type IntegrationResponse struct {
	// TemplateSelectionExpression chooses one of ResponseTemplates by key; no
	// such key is "$default". Beside ${request.body.PATH} there are
	// ${integration.response.statuscode} and
	// ${integration.response.header.NAME}. Default `\$default`.
	TemplateSelectionExpression string

	// ResponseTemplates write what the client gets, by key; $input is then the
	// backend's answer. Without a template the answer passes as it is.
	ResponseTemplates map[string]string
}
