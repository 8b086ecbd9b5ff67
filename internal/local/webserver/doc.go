// Package webserver has what all HTTP servers of localhub share: limits on the time
// that a client may take, and headers that protect the readers of pages.
package webserver
