package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	helpWidth   = 80 // columns of a terminal
	helpColumn  = 26 // where the text of a flag begins
	wordsColumn = 14 // where the text of a word begins
)

const rootUse = `localhub [flags]                     serve the hub until interrupted
localhub -template FILE [flags]      serve the WebSocket API of a template
localhub WORD ...                    ask a localhub that runs`

const rootText = `A flag may have one dash or two: -addr, --addr. localhub help WORD says more
about a word.`

const rootExamples = `localhub                                the hub, with 40 products in memory
localhub -data shop -faults             keep rows, and fail at times
localhub -template template.yaml        your own API
localhub stock MUG 3                    move a badge
localhub get MUG cart -token @alice     read once
localhub sub MUG cart -token @alice     follow
localhub tap -user alice                see each message, and what comes of it`

// exitText is the end of localhub's help.
const exitText = `Exit status
  0  done, or interrupted
  1  a failure: no localhub there, something refused, a replay that differs
  2  a mistake on the command line`

// flagGroup is flags that the help shows under one title.
type flagGroup struct {
	title, note string
	flags       *pflag.FlagSet
}

func newGroup(title, note string, define ...func(*pflag.FlagSet)) flagGroup {
	g := flagGroup{title, note, pflag.NewFlagSet(title, pflag.ContinueOnError)}
	g.flags.SortFlags = false
	for _, f := range define {
		f(g.flags)
	}
	return g
}

// setFlags gives a command its flags and its help.
func setFlags(cmd *cobra.Command, groups ...flagGroup) {
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.flags)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if words := wordsOf(f); len(words) > 0 {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, // fails only for an unknown flag
				cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		}
	})
	cmd.InitDefaultHelpFlag()
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { printHelp(cmd.OutOrStdout(), cmd, groups) })
}

// wordsOf returns the words that a flag takes, as its usage has them: json|text. Upper case
// stands for other values: URL|aws.
func wordsOf(f *pflag.Flag) []string {
	form, _ := pflag.UnquoteUsage(f)
	words := strings.Split(form, "|")
	if len(words) == 1 {
		return nil
	}
	return slices.DeleteFunc(words, func(word string) bool { return word != strings.ToLower(word) })
}

// newHelp is the word help.
func newHelp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "help [WORD]",
		Short: "say more about a word, or list them all",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return wordError(cmd.Root(), strings.Join(args, " "))
			}
			return target.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, word := range cmd.Root().Commands() {
				if len(args) == 0 {
					names = append(names, cobra.CompletionWithDesc(word.Name(), word.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	setFlags(cmd)
	return cmd
}

// printHelp writes the help of a command, in lines of at most helpWidth columns.
func printHelp(w io.Writer, cmd *cobra.Command, groups []flagGroup) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", cmd.CommandPath(), cmd.Short)
	for line := range strings.SplitSeq(cmd.Use, "\n") {
		if cmd.HasParent() {
			line = "localhub " + line
		}
		b.WriteString("  " + line + "\n")
	}
	if cmd.Long != "" {
		b.WriteString("\n" + cmd.Long + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nWords\n")
		for _, word := range cmd.Commands() {
			writeColumns(&b, "  "+word.Name(), word.Short, wordsColumn)
		}
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples\n  " + strings.ReplaceAll(cmd.Example, "\n", "\n  ") + "\n")
	}
	for _, g := range groups {
		b.WriteString("\n" + g.title + "\n")
		if g.note != "" {
			writeColumns(&b, "", g.note, 2)
		}
		g.flags.VisitAll(func(f *pflag.Flag) { writeFlag(&b, f) })
	}
	if !cmd.HasParent() {
		b.WriteString("\n" + exitText + "\n")
	}
	_, _ = io.WriteString(w, b.String())
}

// writeFlag writes the lines of a flag. Its usage begins with the form of its value.
func writeFlag(b *strings.Builder, f *pflag.Flag) {
	value, text := pflag.UnquoteUsage(f)
	text = strings.TrimPrefix(text, value+" ")
	name := "  -" + f.Name
	if f.Shorthand != "" {
		name += ", -" + f.Shorthand
	}
	if value != "" && f.NoOptDefVal == "" {
		name += " " + value
	} else if value != "" {
		name += "[=" + value + "]"
	}
	isZero := slices.Contains([]string{"", "0", "false"}, f.DefValue)
	if !isZero && !strings.Contains(text, "(default") {
		text += " (default " + f.DefValue + ")"
	}
	writeColumns(b, name, text, helpColumn)
}

// writeColumns writes a name, and from a column on its text, which may need several lines. A
// name that is too long has a line for itself.
func writeColumns(b *strings.Builder, name, text string, column int) {
	line := name
	if utf8.RuneCountInString(name) > column-2 {
		b.WriteString(name + "\n")
		line = ""
	}
	line += strings.Repeat(" ", max(0, column-utf8.RuneCountInString(line)))
	indent := len(line)
	for i, word := range strings.Fields(text) {
		if i > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > helpWidth {
			b.WriteString(line + "\n")
			line, indent = strings.Repeat(" ", column), column
		}
		if utf8.RuneCountInString(line) > indent {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}
