package main

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestLongFlags: -name becomes --name where a command has such a flag, and nothing else
// changes.
func TestLongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                                 "",
		"-addr x -v":                       "--addr x --v",
		"--addr x --v":                     "--addr x --v",
		"-addr=-admin -admin y":            "--addr=-admin --admin y",
		"-addr -admin -admin y":            "--addr -admin --admin y", // the first -admin is a value
		"-faults -addr x":                  "--faults --addr x",       // -faults takes no argument
		"-faults=gone=3":                   "--faults=gone=3",
		"-no-sockets=false":                "--no-sockets=false",
		"-colour red -h -help":             "-colour red -h --help",
		"stock -o json -- -admin -o":       "stock -o json -- -admin -o",
		"-o json stock MUG":                "-o json stock MUG",
		"seed - -admin x":                  "seed - --admin x",
		"token -user -role -role customer": "token --user -role --role customer",
		"__complete token -role ":          "__complete token --role ",
		"---addr x -addr":                  "---addr x --addr",
	} {
		got := longFlags(newRoot(nil), strings.Split(args, " "))
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q: got %q, want %q", args, text, want)
		}
	}
}

// TestBothFormsOfFlags: each flag of each command is taken with one dash and with two, with
// a value behind a space and behind "=".
func TestBothFormsOfFlags(t *testing.T) {
	forms := 0
	for _, cmd := range commandsOf(newRoot(nil)) {
		path := strings.Fields(cmd.CommandPath())[1:]
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			value := valueOf(f)
			for _, dashes := range []string{"-", "--"} {
				alone := []string{dashes + f.Name}
				if f.NoOptDefVal == "" {
					alone = append(alone, value)
				}
				for _, args := range [][]string{alone, {dashes + f.Name + "=" + value}} {
					forms++
					root := newRoot(nil)
					target, _, err := root.Find(path)
					if err == nil {
						err = target.ParseFlags(longFlags(root, args))
					}
					if err != nil || !target.Flags().Changed(f.Name) {
						t.Errorf("%s %q: %v, changed: %t", cmd.CommandPath(), args, err, target.Flags().Changed(f.Name))
					}
				}
			}
		})
	}
	if forms < 150 {
		t.Errorf("tried %d forms only", forms)
	}
}

// valueOf is a value that a flag takes.
func valueOf(f *pflag.Flag) string {
	byName := map[string]string{"inventory-attributes": "sku=id", "cart-attributes": "cart=key"}
	byType := map[string]string{
		"duration": "1s", "int": "1", "int64": "1", "float64": "1",
		"faults": "gone=3", "pair": "a=b", "bool": "true", "url": "http://127.0.0.1:1",
		"origins": "https://shop.example", "limits": "user=1", "versions": "v1: deprecated 2027-01-01, sunset 2027-07-05, " +
			"successor v2, link https://shop.example/v2",
	}
	words := append(wordsOf(f), "x")
	return cmp.Or(byName[f.Name], byType[f.Value.Type()], words[0])
}

// commandsOf returns localhub and its words.
func commandsOf(root *cobra.Command) []*cobra.Command {
	return append([]*cobra.Command{root}, root.Commands()...)
}

// TestFlagsOfOneNameAreAlike: longFlags does not know to which command a flag belongs.
func TestFlagsOfOneNameAreAlike(t *testing.T) {
	root := newRoot(nil)
	for _, cmd := range commandsOf(root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if other := findFlag(root, f.Name); (other.NoOptDefVal == "") != (f.NoOptDefVal == "") {
				t.Errorf("%s -%s: another command has it with, or without, a value", cmd.CommandPath(), f.Name)
			}
		})
	}
}

// TestFlagsOfATemplate: -template takes its own flags and the shared ones, and its own need it.
func TestFlagsOfATemplate(t *testing.T) {
	own := newGroup("", "", new(templateSettings).flags).flags
	shared := strings.Fields("addr admin admin-token stage require-sigv4 idle-timeout max-age faults log log-level v " +
		"show-private version")
	newRoot(nil).Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return // it is not checked
		}
		flag, want := "-"+f.Name+"="+valueOf(f), ""
		isOwn := own.Lookup(f.Name) != nil
		if !isOwn && !slices.Contains(shared, f.Name) {
			want = "-" + f.Name + " and -template: the flag is for the hub, which does not run then"
		}
		with := newRoot(nil)
		if err := with.ParseFlags(longFlags(with, []string{"-template=t.yaml", flag})); err != nil {
			t.Fatal(err)
		}
		if got := errorText((&templateSettings{file: "t.yaml"}).check(with.Flags())); got != want {
			t.Errorf("-template and %s: got %q, want %q", flag, got, want)
		}
		if !isOwn || f.Name == "template" {
			return
		}
		want = "-" + f.Name + " needs -template"
		if got := errorText(run(t.Context(), []string{flag}, io.Discard, io.Discard)); got != want {
			t.Errorf("%s: got %q, want %q", flag, got, want)
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
