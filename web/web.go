// Package web is the browser side: the module that keeps one connection and the
// newest state (hub.js), the elements that render it, and the demo page. It is plain
// ES modules without a build step.
package web

import "embed"

// Files holds the page and its modules.
//
//go:embed *.html *.js *.css
var Files embed.FS
