// Package web is the browser side. The npm package @securecart/live (src/) is the client and
// its elements; build.mjs makes one file of it. Beside it is the demo page.
package web

import "embed"

// Files holds the demo page and its modules.
//
//go:embed *.html *.js *.css
var Files embed.FS

// Module is the client as one ES module: connect, and the elements.
//
//go:embed dist/securecart-live.js
var Module []byte
