package dynamotest

import "io"

// child is a process that ends with this one.
type child struct {
	ended chan struct{} // closed when the process has ended
	stop  func()        // ends the process and waits for it
}

// startChild starts a program that writes what it prints to output.
func startChild(output io.Writer, path string, args ...string) (*child, error) {
	cmd := childCommand(path, args...)
	cmd.Stdout, cmd.Stderr = output, output
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait()
	}()
	c.stop = func() {
		endChild(cmd, input)
		<-c.ended
	}
	return c, nil
}
