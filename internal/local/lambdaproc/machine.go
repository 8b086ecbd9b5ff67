package lambdaproc

import (
	"debug/elf"
	"fmt"
	"runtime"
)

// machines are those that Lambda has, by GOARCH.
// https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// runsHere refuses an executable for Linux on another kind of machine. What is not
// one, a script or a program of another system, is the system's to judge.
func runsHere(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if runtime.GOOS == "linux" && file.Machine == machines[runtime.GOARCH] {
		return nil
	}
	return fmt.Errorf("it is for Linux on %s, and this is %s on %s", file.Machine, runtime.GOOS, runtime.GOARCH)
}
