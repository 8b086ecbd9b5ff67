package gatewaytest

import "io"

// AccessLog writes a line for each handshake, message and disconnect
// (G-LOG-3).
type AccessLog struct {
	// Format is the text of a line, with the variables of G-LOG-1 written as
	// $context.NAME. One without a value is "-". At most 3 KB.
	Format string

	// Output gets each line, with its line end, in one Write; never two at once.
	Output io.Writer
}
