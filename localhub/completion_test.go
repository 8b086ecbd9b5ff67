package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/shell"
)

// bashCompletion is the package whose functions the script for bash calls.
const bashCompletion = "/usr/share/bash-completion/bash_completion"

// wordsOfBash does what _get_comp_words_by_ref of the package bash-completion does, where
// the package is missing: in these tests no word is split at a break such as "=".
const wordsOfBash = `
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
compopt() { :; }
`

// TestCompletionInBash sources the script in a real bash and completes lines.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		skipMissing(t, "bash is not installed")
	}
	folder := t.TempDir()
	program := "#!/bin/sh\n" + mainVariable + "=1 exec " + shell.Word(testBinary(t)) + ` "$@"` + "\n"
	if err := os.WriteFile(filepath.Join(folder, "localhub"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	prepare := wordsOfBash
	if _, err := os.Stat(bashCompletion); err == nil {
		prepare = "source " + bashCompletion + "\ncompopt() { :; }\n"
	}
	// The last word of each line is what is completed.
	for line, want := range map[string]string{
		"localhub st":                   "stock",
		"localhub ":                     "add completion cost get help lab load replay seed set stock sub tap token why",
		"localhub help to":              "token",
		"localhub completion ":          "bash fish powershell zsh",
		"localhub token -role ":         "admin customer vendor",
		"localhub token -role v":        "vendor",
		"localhub token --role=c":       "customer",
		"localhub token -user bob -o ":  "json text",
		"localhub get -output t":        "text",
		"localhub -log ":                "json text",
		"localhub -log-level ":          "debug error info warn",
		"localhub token --us":           "--user",
		"localhub token -us":            "-user",
		"localhub token -user":          "-user",
		"localhub -addr x -no-":         "-no-sockets",
		"localhub tap -la":              "-last",
		"localhub token -nope":          "",
		"localhub --no-":                "--no-sockets",
		"localhub get MUG -o=":          "json text",
		"localhub stock ":               "",
		"localhub tap -dir ":            "in out",
		"localhub -admin x stock MUG -": "--admin-token --help --output -h -o",
	} {
		script := prepare + "source <(localhub completion bash)\n" +
			"complete -p localhub >/dev/null || exit 1\n" +
			"COMP_LINE=" + shell.Word(line) + " COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9\n" +
			"COMP_WORDS=("
		words := strings.Split(line, " ")
		for _, word := range words {
			script += shell.Word(word) + " "
		}
		script += ")\nCOMP_CWORD=$((${#COMP_WORDS[@]}-1))\n__start_localhub\n" +
			`for reply in "${COMPREPLY[@]}"; do printf '%s\n' "${reply%% *}"; done | sort` + "\n"
		cmd := exec.CommandContext(t.Context(), bash, "--norc", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", line, got, err, want)
		}
	}
}

// TestCompletionScripts: each shell has a script, and no other name has one.
func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "__start_localhub", "zsh": "#compdef localhub", "fish": "complete -c localhub",
		"powershell": "Register-ArgumentCompleter",
	} {
		if status, out, stderr := (process{args: []string{"completion", shell}}).output(t); status != 0 || stderr != "" ||
			!strings.Contains(out, want) {
			t.Errorf("%s: got status %d, %s%.200s, want a script with %s", shell, status, stderr, out, want)
		}
	}
	const wrong = "localhub: completion needs the name of a shell: bash, zsh, fish or powershell\n"
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}, {"completion", "bash", "zsh"}} {
		process{args: args, status: 2, stderr: wrong}.run(t)
	}
}
