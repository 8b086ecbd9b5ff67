package vtl

// MaxTemplate is the longest template, in bytes (API Gateway quotas: 300 KB).
const MaxTemplate = 300 << 10

// maxIterations is after how many iterations a #foreach ends. API Gateway documents
// the number. That the loop then ends without an error is assumed: Velocity's own
// limit works so.
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

	// iterationSteps is what an iteration of a loop costs besides its body.
	iterationSteps = 20
)
