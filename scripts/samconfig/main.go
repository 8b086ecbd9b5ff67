// Samconfig prints the settings of one environment of samconfig.toml, as sam deploy reads
// them, as assignments for a shell:
//
//	setting_stack_name='hub-test'
//	parameter_GatewayLogRole='create'
//
// It refuses what sam deploy would refuse, and what it would ignore without a word.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: samconfig FOLDER ENVIRONMENT")
		os.Exit(2)
	}
	text, err := settings(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "NO ", err)
		os.Exit(1)
	}
	fmt.Print(text)
}
