// Package hubtest holds the suites that judge what hub builds on: [TestStore] for
// stores and [TestPoster] for posters.
//
// A suite takes a constructor and checks the contract that the comments of
// package hub state, nothing else; what is special to one implementation is
// tested beside it. A suite that passes everything is worth nothing, so specimens
// of this package's tests break one promise each, and each has to be found.
package hubtest
