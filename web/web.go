// Package web is the browser side. The npm package @securecart/live (src/) is the client and
// its elements; build.mjs makes one file of it. Beside it is the demo shop (shop/): plain ES
// modules without a build step.
package web

import (
	"embed"
	"io/fs"
)

//go:embed shop/*.html shop/*.svg shop/*.js shop/marks/*.svg shop/css/*.css shop/pictures/*.js shop/views/*.js
var files embed.FS

// Shop returns the files of the demo shop. Its page imports [Module] from
// "securecart-live.js" beside it.
func Shop() fs.FS {
	shop, err := fs.Sub(files, "shop")
	if err != nil {
		panic(err) // the name is valid
	}
	return shop
}

// Module is the client as one ES module: connect, and the elements.
//
//go:embed dist/securecart-live.js
var Module []byte
