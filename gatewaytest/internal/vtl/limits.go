package vtl

import "time"

// MaxTemplate is the longest template, in bytes (API Gateway quotas: 300 KB).
const MaxTemplate = 300 << 10

// maxIterations is after how many iterations a #foreach ends. API Gateway documents
// the number. That the loop then ends without an error is assumed (G-INTEG-24):
// Velocity's own limit works so.
const maxIterations = 1000

// Bounds of our own, which no template of practical use reaches.
const (
	// maxNesting is how deep blocks, expressions and texts in quotes may be nested in
	// a template, and lists and maps in a value.
	maxNesting = 100

	// maxBlocks is how deep blocks of #define may use each other. It is Velocity's
	// limit for macros.
	maxBlocks = 20

	// maxOutput is the longest text, in bytes, that a template may write or make. It
	// is the most that an integration accepts.
	maxOutput = 10 << 20

	// maxWork is how many steps rendering may take. Each part of a template is one
	// step, and each byte of a text that is made or searched.
	maxWork = 16 << 20

	// What takes longer than other steps: an iteration of a loop besides its body, a
	// byte that $util reads or makes, and a map that entrySet makes of a key.
	iterationSteps = 40
	utilSteps      = 4
	entrySteps     = 40
	itemSteps      = 16 // an item that a list or a map gets, which is about as many bytes

	// maxItems is the longest list or map that a template may make.
	maxItems = 100_000

	// maxDigits is the longest number that a template can calculate with. Those of
	// JSON are written as they are.
	maxDigits = 1000

	// maxPattern is the longest regular expression, in bytes. patternSteps is what
	// each instruction of its program costs to compile. maxPatternTime is when a
	// search ends that finds more and more: a few expressions read all of the text
	// again after each match, which no count of steps shows before.
	maxPattern     = 1000
	patternSteps   = 20
	maxPatternTime = time.Second / 4
)
