// Command localhub is the real-time hub on one machine: the sockets, the demo shop
// and an admin API, in one process.
//
//	localhub [flags]                    serve until interrupted
//	localhub -template FILE [flags]     serve the WebSocket API of any SAM template
//	localhub WORD ...                   ask a running localhub
//
// localhub help lists the words and the flags. Each word is a file cmd_WORD.go.
//
// The exit status is 0 after success or an interrupt, 2 if the command line is wrong, and
// 1 after any other failure. Standard error says why, on one line; for a template it has a
// line for each problem, for many changes of stock one for each that failed.
package main
