package main

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// newCompletion is the word completion: it prints a script for a shell.
func newCompletion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print a script with which a shell completes words and flags",
		Long: `The scripts ask localhub itself, so they need no update. That of bash needs the
package bash-completion.`,
		Example: `source <(localhub completion bash)                this bash
localhub completion zsh >"${fpath[1]}/_localhub"  zsh, from its next start on
localhub completion fish | source                 this fish
localhub completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)(cmd, args) != nil {
				return usagef("completion needs the name of a shell: bash, zsh, fish or powershell")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, w := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(w, true)
			case "zsh":
				return root.GenZshCompletion(w)
			case "fish":
				return root.GenFishCompletion(w, true)
			}
			return root.GenPowerShellCompletionWithDesc(w)
		},
	}
	setFlags(cmd)
	return cmd
}

// completesShort reports whether a script of a shell asks for the rest of a flag with one dash.
func completesShort(args []string) bool {
	if len(args) < 2 || args[0] != cobra.ShellCompRequestCmd && args[0] != cobra.ShellCompNoDescRequestCmd {
		return false
	}
	name, isFlag := strings.CutPrefix(args[len(args)-1], "-")
	return isFlag && len(name) > 1 && name[0] != '-' && !strings.Contains(name, "=")
}

// shortFlags writes flags with one dash: a shell takes only what begins as the word does that it
// completes. cobra writes each line at once.
type shortFlags struct{ io.Writer }

func (s shortFlags) Write(p []byte) (int, error) {
	written := 0
	if bytes.HasPrefix(p, []byte("--")) {
		p, written = p[1:], 1
	}
	n, err := s.Writer.Write(p)
	return written + n, err
}
