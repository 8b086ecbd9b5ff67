// Package web is the browser's side: the module that keeps one connection and the
// newest state (hub.js), the elements that show it, and the demo page. Plain ES
// modules, no build step.
package web

import "embed"

// Files are the page and its modules.
//
//go:embed *.html *.js *.css
var Files embed.FS
