package main

import (
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
