// Package rules holds the house together: its tests say which package may import
// which, that every package tells what it is, and that documents and code agree.
// It has no code of its own.
package rules
