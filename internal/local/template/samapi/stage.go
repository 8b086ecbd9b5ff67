package samapi

import (
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

var (
	stageName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)          // G-URL-6
	variableName  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)                 // G-STAGEVAR-1
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)      // G-STAGEVAR-1
	stageVariable = regexp.MustCompile(`\$\{stageVariables\.([^}]+)\}`)   // G-STAGEVAR-2
	mappingKey    = regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()/-]{0,300}$`) // G-DOMAIN-2
)

// findStage returns the stage to serve.
func (b *builder) findStage() *cfn.Resource {
	stages := b.ofType(typeStage)
	if b.options.Stage != "" {
		index := slices.IndexFunc(stages,
			func(r *cfn.Resource) bool { return r.Property("StageName").Text() == b.options.Stage })
		if index < 0 {
			b.Problem(cfn.Pos{File: b.file}, "there is no stage %s", b.options.Stage)
			return nil
		}
		return stages[index]
	}
	switch len(stages) {
	case 0:
		b.Problem(b.api.Pos, "%s has no stage", b.api.ID)
		return nil
	case 1:
		return stages[0]
	}
	for _, r := range stages {
		b.Problem(r.Pos, "%s has several stages; serve this one with -stage %s", b.api.ID, r.Property("StageName").Text())
	}
	return nil
}

// readStage reads the name and the variables of the stage.
func (b *builder) readStage() {
	r := b.stage
	b.checkProperties(r)
	api := &b.result.API
	api.Stage = b.required(r, "StageName")
	if api.Stage != "" && !stageName.MatchString(api.Stage) {
		r.Property("StageName").Problem("StageName %q: must be 1 to 128 letters, digits, - and _", api.Stage)
	}
	for _, f := range r.Property("StageVariables").Fields() {
		if !f.Value.Exists() {
			continue
		}
		if !variableName.MatchString(f.Name) {
			b.Problem(f.Pos, "the name of a stage variable must be letters, digits and _")
		}
		if text := f.Value.Text(); f.Value.Known() && !variableValue.MatchString(text) {
			f.Value.Problem("stage variable %s is empty or has a character that is not allowed", f.Name)
		}
	}
	api.StageVariables = stringMap(r.Property("StageVariables"))
}

// readStageSettings reads the settings of the stage. It needs the routes.
func (b *builder) readStageSettings() {
	r, api := b.stage, &b.result.API
	if settings := r.Property("DefaultRouteSettings"); settings.Exists() {
		api.RouteThrottle = throttle(settings)
	}
	for _, f := range r.Property("RouteSettings").Fields() {
		if !f.Value.Exists() {
			continue
		}
		route, ok := api.Routes[f.Name]
		if !ok {
			b.Problem(f.Pos, "RouteSettings: there is no route %s", f.Name)
			continue
		}
		route.Throttle = throttle(f.Value)
		api.Routes[f.Name] = route
	}
	if format := r.Property("AccessLogSettings", "Format"); format.Exists() {
		api.AccessLog = &gatewaytest.AccessLog{Format: format.Text()}
	}
	b.checkDeployment()
}

// throttle returns the limits in the settings of a route.
func throttle(settings cfn.Value) gatewaytest.Throttle {
	rate, burst := settings.Field("ThrottlingRateLimit"), settings.Field("ThrottlingBurstLimit")
	t := gatewaytest.Throttle{Rate: rate.Float(0), Burst: burst.Int(0)}
	if t.Rate < 0 {
		rate.Problem("ThrottlingRateLimit %g: must not be negative", t.Rate)
	}
	if t.Burst < 0 {
		burst.Problem("ThrottlingBurstLimit %d: must not be negative", t.Burst)
	}
	return t
}

// checkDeployment reports mistakes with deployments. A stage serves a snapshot, and
// nothing without one (G-URL-9).
func (b *builder) checkDeployment() {
	stage := b.stage
	id, automatic := stage.Property("DeploymentId"), stage.Property("AutoDeploy").Bool()
	var deployment *cfn.Resource
	for _, r := range b.ofType(typeDeployment) {
		b.checkProperties(r)
		if id.Text() == r.ID || r.Property("StageName").Known() && r.Property("StageName").Text() == b.result.API.Stage {
			deployment = r
		}
	}
	switch {
	case automatic && id.Exists():
		b.Note(stage.Pos, "AutoDeploy with DeploymentId: AWS deploys every change, and soon does not serve this deployment")
	case automatic:
	case id.Known() && deployment == nil:
		id.Problem("there is no deployment %s", id.Text())
	case deployment == nil:
		b.Note(stage.Pos, "the stage has neither DeploymentId nor AutoDeploy: in AWS it would serve nothing")
	default:
		waits := deployment.DependsOn()
		var missing []string
		for _, r := range b.ofType(typeRoute) {
			if !slices.Contains(waits, r.ID) {
				missing = append(missing, r.ID)
			}
		}
		if len(missing) > 0 {
			b.Note(deployment.Pos, "%s does not depend on %s: in AWS its snapshot may not have them", deployment.ID,
				strings.Join(missing, ", "))
		}
	}
}

// withStageVariables returns a string with ${stageVariables.NAME} replaced, and
// whether all of it is known.
func (b *builder) withStageVariables(v cfn.Value) (string, bool) {
	known := v.Known()
	text := stageVariable.ReplaceAllStringFunc(v.Text(), func(m string) string {
		name := stageVariable.FindStringSubmatch(m)[1]
		value, ok := b.result.API.StageVariables[name]
		if !ok {
			v.Problem("there is no stage variable %s", name)
			known = false
		}
		return value
	})
	return text, known
}

// readDomain reads the custom domain that is mapped to the stage.
func (b *builder) readDomain() {
	names := map[string]bool{}
	for _, r := range b.resources {
		if r.Type == typeDomainName {
			b.checkProperties(r)
			names[b.required(r, "DomainName")] = true
		}
	}
	for _, r := range b.ofType(typeAPIMapping) {
		b.checkProperties(r)
		name := b.required(r, "DomainName")
		if name != "" && !names[name] {
			b.Note(r.Pos, "domain %s belongs to another stack", name)
		}
		if stage := b.required(r, "Stage"); stage != b.result.API.Stage {
			if r.Property("Stage").Known() {
				b.Note(r.Pos, "%s maps another stage", r.ID)
			}
			continue
		}
		key := r.Property("ApiMappingKey")
		if !mappingKey.MatchString(key.Text()) {
			key.Problem("ApiMappingKey %q: must be at most 300 letters, digits and $-_.+!*'()", key.Text())
		}
		if b.result.API.Domain != nil {
			r.Property("DomainName").Problem("there is another mapping of the stage; only one can be served")
			continue
		}
		b.result.API.Domain = &gatewaytest.Domain{Name: name, BasePath: key.Text()}
	}
}
