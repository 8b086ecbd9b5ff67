// Package rest serves the hub over HTTP: the state, the rights and the limits of the
// socket, with the same JSON. Each request becomes one call of the hub, as a message does
// in package handler. docs/http.md lists the requests.
//
// [New] returns an http.Handler. localhub and the function rest serve the same one:
// [Lambda] turns an event of a REST API into a request.
//
// Operators' paths need a poster. So [Users] adds them to the function broadcast.
//
// An answer is a message of the socket. An error is a problem document (RFC 9457) with
// the fields of the socket's error. One table turns codes into statuses.
package rest
