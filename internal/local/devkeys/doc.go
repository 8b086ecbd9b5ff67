// Package devkeys has the keys of a localhub: the one that signs guest tokens, and the
// one of the development issuer. They stay the same from one start to the next, so that
// guests keep their carts and users stay signed in.
//
// Keys are kept where the rows are: [Load] asks a [Keeper] for them. A localhub with rows
// in memory keeps them in a [File].
package devkeys
