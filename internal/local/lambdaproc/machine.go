package lambdaproc

import (
	"debug/elf"
	"fmt"
	"runtime"
)

// machines are the architectures of Lambda, by GOARCH.
// https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// runsHere returns an error if the executable is for Linux on another architecture.
// It does not check scripts and executables of other systems.
func runsHere(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if runtime.GOOS == "linux" && file.Machine == machines[runtime.GOARCH] {
		return nil
	}
	return fmt.Errorf("the executable is for Linux on %s, this machine is %s on %s", file.Machine, runtime.GOOS,
		runtime.GOARCH)
}
