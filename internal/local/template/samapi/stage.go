package samapi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

var (
	stageName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)        // G-URL-6
	variableName  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)               // G-STAGEVAR-1
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)    // G-STAGEVAR-1
	stageVariable = regexp.MustCompile(`\$\{stageVariables\.([^}]+)\}`) // G-STAGEVAR-2
)

// defaultStage is the name of the stage if neither the template nor the command line
// has one.
const defaultStage = "dev"

// findStage returns the stage to serve, or nil and the name of one that the template
// does not have.
func (b *builder) findStage() (stage *cfn.Resource, name string) {
	stages := b.ofType(typeStage)
	if len(stages) == 0 {
		name = cmp.Or(b.options.Stage, defaultStage)
		b.Note(b.api.Pos, "%s has no stage in the template; it is served as %s", b.api.ID, name)
		return nil, name
	}
	if b.options.Stage != "" {
		var names []string
		for _, r := range stages {
			if names = append(names, r.Property("StageName").Text()); names[len(names)-1] == b.options.Stage {
				return r, ""
			}
		}
		b.Problem(b.api.Pos, "there is no stage %s; there is %s", b.options.Stage, orList(names))
		return nil, ""
	}
	if len(stages) == 1 {
		return stages[0], ""
	}
	for _, r := range stages {
		b.Problem(r.Pos, "%s has several stages; serve this one with -stage %s", b.api.ID, r.Property("StageName").Text())
	}
	return nil, ""
}

// readStage reads the name and the variables of the stage.
func (b *builder) readStage() {
	api := &b.result.API
	if b.stage, api.Stage = b.findStage(); b.stage == nil {
		return
	}
	r := b.stage
	b.checkProperties(r)
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
	if r == nil {
		return
	}
	if settings := r.Property("DefaultRouteSettings"); settings.Exists() {
		api.RouteThrottle = b.throttle(settings, "every route")
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
		route.Throttle = b.throttle(f.Value, "route "+f.Name)
		api.Routes[f.Name] = route
	}
	b.noteUnknown(r.Property("AccessLogSettings"), "DestinationArn", "Format")
	if format := r.Property("AccessLogSettings", "Format"); format.Exists() {
		api.AccessLog = &gatewaytest.AccessLog{Format: format.Text()}
	}
	b.checkDeployment()
}

// checkDeployment reports mistakes with deployments. A stage serves a snapshot, and
// nothing without one (G-URL-9).
func (b *builder) checkDeployment() {
	stage := b.stage
	id, automatic := stage.Property("DeploymentId"), stage.Property("AutoDeploy").Bool()
	name, known := id.Try()
	var deployment *cfn.Resource
	for _, r := range b.ofType(typeDeployment) {
		b.checkProperties(r)
		if known && name == r.ID || r.Property("StageName").Known() && r.Property("StageName").Text() == b.result.API.Stage {
			deployment = r
		}
	}
	switch {
	case automatic && id.Exists():
		b.Note(stage.Pos, "AutoDeploy with DeploymentId: AWS deploys every change, and soon does not serve this deployment")
	case automatic:
	case known && deployment == nil:
		id.Problem("there is no deployment %s", name)
	case id.Exists() && !known:
		b.Note(id.Pos(), "DeploymentId is known only in AWS; all of the template is served")
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
			v.Note("there is no stage variable %s: what needs it is answered with an error", name)
			known = false
		}
		return value
	})
	return text, known
}
