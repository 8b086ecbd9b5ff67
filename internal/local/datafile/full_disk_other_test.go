//go:build !linux && !darwin

package datafile_test

// TestFullDisk needs a limit of the size of files.
const fullVariable = "DATAFILE_TEST_FULL"

func fillFile(string) {}
