// Package hubtest has test suites for what the hub builds on: [TestStore] for
// stores and [TestPoster] for posters.
//
// A suite takes a constructor and checks the contract in the comments of package
// hub, nothing else. Special properties of one implementation are tested in its
// own package. A suite that every store passes proves nothing, so this package's
// tests run the suite on broken stores. Each of them breaks one promise, and the
// suite must find it.
package hubtest
