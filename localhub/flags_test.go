package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/spf13/pflag"
)

// commandLine is a command line with a mistake.
type commandLine struct {
	args   []string
	status int
	stderr string // the beginning of it
}

// testCommandLines runs command lines that must end at once, with one line on standard
// error.
func testCommandLines(t *testing.T, cases map[string]commandLine) {
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := exitStatus(run(t.Context(), tt.args, &stdout, &stderr), &stderr)
			if status != tt.status || !strings.HasPrefix(stderr.String(), tt.stderr) {
				t.Errorf("got status %d, %q, want %d, %q", status, stderr.String(), tt.status, tt.stderr)
			}
			if strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("got %q on standard error and %q on standard output, want one line and none",
					stderr.String(), stdout.String())
			}
		})
	}
}

func TestUsageErrors(t *testing.T) {
	const invalid = "localhub: invalid value "
	testCommandLines(t, map[string]commandLine{
		"unknown flag": {
			[]string{"-colour"}, 2, "localhub: unknown flag -colour (localhub -h lists the flags)",
		},
		"unknown flag with two dashes": {
			[]string{"--colour=red"}, 2, "localhub: unknown flag -colour (localhub -h lists the flags)",
		},
		"unknown flag of a word": {
			[]string{"token", "-addr", "x"}, 2, "localhub: unknown flag -addr (localhub token -h lists the flags)",
		},
		"unknown word": {
			[]string{"serve"}, 2, `localhub: "serve" is not a word of localhub (localhub help lists the words)`,
		},
		"misspelt word": {
			[]string{"sotck", "MUG"}, 2, `localhub: "sotck" is not a word of localhub (did you mean stock? `,
		},
		"empty word": {
			[]string{""}, 2, `localhub: "" is not a word of localhub (localhub help lists the words)`,
		},
		"invalid duration": {[]string{"-max-age", "long"}, 2, invalid + `"long" for flag -max-age`},
		"idle time-out of zero": {
			[]string{"-idle-timeout", "0s"}, 2, "localhub: -idle-timeout 0s: it must be above zero",
		},
		"admin API on all addresses": {
			[]string{"-admin", "0.0.0.0:8788"}, 2,
			"localhub: -admin 0.0.0.0:8788: the admin API is for this machine only",
		},
		"maximum age above API Gateway's": {
			[]string{"-max-age", "3h"}, 2, "localhub: -max-age 3h0m0s: it must be above zero and at most 2h0m0s",
		},
		"-faults with a space": {
			[]string{"-faults", "gone=3"}, 2,
			`localhub: "gone=3" is not a word of localhub (a list of faults stands behind = without a space, as in ` +
				`-faults=gone=3; the faults are drop, error, gone, late, lose-disconnect, slow, stall, throttle, too-large)`,
		},
		"-faults nope": {
			[]string{"-faults", "nope"}, 2, `localhub: "nope" is not a word of localhub (a list of faults stands behind =`,
		},
		"value after -limits": {
			[]string{"-limits", "user=5", "guest=20"}, 2,
			`localhub: "guest=20" is not a word of localhub (localhub help lists the words)`,
		},
		"unknown fault": {
			[]string{"-faults=rain=3"}, 2, invalid + `"rain=3" for flag -faults: unknown fault "rain"`,
		},
		"fault without a number": {
			[]string{"-faults=gone"}, 2, invalid + `"gone" for flag -faults: gone=N needs a number above zero`,
		},
		"handshakes below zero": {
			[]string{"-connect-rate", "-1"}, 2, "localhub: -connect-rate -1: it must not be below zero",
		},
		"requests below zero": {
			[]string{"-account-rate", "-1"}, 2, "localhub: -account-rate -1: it must not be below zero",
		},
		"too short a notice": {
			[]string{"-deprecations", "v1: deprecated 2027-01-01, sunset 2027-07-02, successor v2, link https://a.example"},
			2, invalid + `"v1: deprecated 2027-01-01, sunset 2027-07-02, successor v2, link https://a.example" ` +
				"for flag -deprecations: it ends v1 182 days after it is deprecated; the least is 183",
		},
		"batch window of an hour": {
			[]string{"-batch-window", "1h"}, 2, "localhub: -batch-window 1h0m0s: it must be from 0s to 5m0s",
		},
		"invalid stage": {[]string{"-stage", "a/b"}, 2, `localhub: -stage "a/b"`},
		"invalid log":   {[]string{"-log", "xml"}, 2, invalid + `"xml" for flag -log: it must be json or text`},
		"invalid address": {
			[]string{"-addr", "nowhere"}, 2, "localhub: -addr nowhere: it must be HOST:PORT, for example 127.0.0.1:8787\n",
		},
		"address without a port": {
			[]string{"-admin", "127.0.0.1"}, 2, "localhub: -admin 127.0.0.1: it must be HOST:PORT, for example ",
		},
		"a port that is none": {
			[]string{"-addr", "127.0.0.1:99999"}, 2, "localhub: -addr 127.0.0.1:99999: it must be HOST:PORT",
		},
		"a flag without value":  {[]string{"-addr"}, 2, "localhub: -addr needs a value: -addr ADDRESS\n"},
		"a word's flag without": {[]string{"token", "-user"}, 2, "localhub: -user needs a value: -user NAME\n"},
		"misspelt flag": {
			[]string{"-adr", "x"}, 2, "localhub: unknown flag -adr (did you mean -addr? localhub -h lists the flags)\n",
		},
		"the beginning of a flag": {
			[]string{"-idle", "1m"}, 2, "localhub: unknown flag -idle (did you mean -idle-timeout? localhub -h ",
		},
		"a letter that is no flag": {
			[]string{"tap", "-x"}, 2, "localhub: unknown flag -x (localhub tap -h lists the flags)\n",
		},
		"the beginning of a word": {
			[]string{"tok"}, 2, `localhub: "tok" is not a word of localhub (did you mean token? `,
		},
		"letters that are no word": {[]string{"ab"}, 2, `localhub: "ab" is not a word of localhub (localhub help `},
		"misspelt flag of a word": {
			[]string{"lab", "1", "-chek"}, 2,
			"localhub: unknown flag -chek (did you mean -check? localhub lab -h lists the flags)\n",
		},
		"not a whole number": {
			[]string{"-connect-rate", "1.5"}, 2, invalid + `"1.5" for flag -connect-rate: it must be a whole`,
		},
		"not a time": {
			[]string{"-idle-timeout", "10"}, 2, invalid + `"10" for flag -idle-timeout: it must be a time such`,
		},
		"not true or false": {
			[]string{"-no-sockets=maybe"}, 2, invalid + `"maybe" for flag -no-sockets: it must be true or false`,
		},
		"not a number": {
			[]string{"load", "-rate", "x"}, 2, invalid + `"x" for flag -rate: it must be a number such as 0.5`,
		},
		"unknown limit": {
			[]string{"-limits", "foo=3"}, 2, invalid + `"foo=3" for flag -limits: there is no limit "foo"; there are user, `,
		},
		"limit without a number": {
			[]string{"-limits", "user"}, 2, invalid + `"user" for flag -limits: the limit "user" needs a whole number`,
		},
		"invalid origin": {
			[]string{"-allowed-origins", "https://Shop.example/"}, 2,
			invalid + `"https://Shop.example/" for flag -allowed-origins: it is not a list of origins`,
		},
		"missing file of the admin token": {
			[]string{"-admin-token", "@/nowhere"}, 2,
			invalid + "for flag -admin-token: open /nowhere: no such file",
		},
		"a catalogue with a query": {
			[]string{"-catalogue", "http://shop.example/?q="}, 2,
			invalid + `for flag -catalogue: it must be an address such as http://127.0.0.1:9000`,
		},
		"empty admin token": {
			[]string{"-admin-token", "@" + os.DevNull}, 2,
			invalid + "for flag -admin-token: it is empty, and protects nothing",
		},
		"admin token with a space": { // the error does not quote the token
			[]string{"-admin-token", "s3 cret"}, 2,
			invalid + "for flag -admin-token: it has printable ASCII characters and no spaces\n",
		},
		"token without a user": {[]string{"token"}, 2, "localhub: token needs -user NAME"},
	})
}

func TestUsageErrorsOfTables(t *testing.T) {
	const needsLocal = "localhub: -lambda needs a DynamoDB on this machine"
	testCommandLines(t, map[string]commandLine{
		"invalid -dynamodb": {
			[]string{"-dynamodb", "here"}, 2,
			`localhub: -dynamodb "here": it must be a URL, for example http://127.0.0.1:8000, or aws`,
		},
		"-create-tables alone": {[]string{"-create-tables"}, 2, "localhub: -create-tables needs -dynamodb"},
		"unknown attribute": {
			[]string{"-inventory-attributes", "colour=hue"}, 2,
			`localhub: invalid value "colour=hue" for flag -inventory-attributes: unknown attribute "colour"; use sku, `,
		},
		"both keys with one name": {
			[]string{"-inventory-attributes", "sku=id", "-cart-attributes", "cart=id"}, 2,
			`localhub: the keys of inventory and carts are both "id"`,
		},
		"-lambda alone": {[]string{"-lambda", "build"}, 2, "localhub: -lambda needs -dynamodb"},
		"-lambda with a remote DynamoDB": {
			[]string{"-lambda", "build", "-dynamodb", "http://192.0.2.7:8000"}, 2,
			needsLocal + ", and 192.0.2.7:8000 is not",
		},
		"-lambda with AWS": {[]string{"-lambda", "build", "-dynamodb", "aws"}, 2, needsLocal},
	})
}

func TestStartErrors(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	inUse := listener.Addr().String()
	seed := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(seed, []byte("[\n{\"sku\":\"A\",\"available\":-1}\n]"), 0o600); err != nil {
		t.Fatal(err)
	}
	const another = " is in use by another program; choose another address with "
	testCommandLines(t, map[string]commandLine{
		"-addr in use": {[]string{"-addr", inUse}, 1, "localhub: " + inUse + another + "-addr"},
		"-admin in use": {
			[]string{"-addr", "127.0.0.1:0", "-admin", inUse}, 1, "localhub: " + inUse + another + "-admin",
		},
		"missing seed file": {
			[]string{"-seed", "/nowhere/seed.json"}, 2, "localhub: -seed: open /nowhere/seed.json: no such file",
		},
		"invalid seed file": {
			[]string{"-seed", seed}, 1,
			"localhub: -seed " + seed + `: line 2: field "available" of product "A" must be a number from 0 to`,
		},
		"missing page": {[]string{"-web", "/nowhere"}, 2, "localhub: -web /nowhere: no such directory"},
		"no folder for a recording": {
			[]string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-record", "/nowhere/x"}, 2,
			"localhub: -record: open /nowhere/x: no such file",
		},
		"missing folder of recordings": {
			[]string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-record-dir", "/nowhere"}, 2,
			"localhub: -record-dir: open /nowhere: no such file",
		},
		"missing recording": {[]string{"replay", "/nowhere"}, 2, "localhub: replay: open /nowhere: no such file"},
		"token without a localhub": {
			[]string{"token", "-user", "x", "-admin", unusedAddress(t)}, 1, "localhub: no localhub answers at",
		},
	})
}

func TestHelpAndVersion(t *testing.T) {
	for args, want := range map[string]string{
		"-version": "localhub ", "-h": "localhub: the real-time hub",
		"token -help": "localhub token: print a token of a user\n",
	} {
		var stdout, stderr bytes.Buffer
		status := exitStatus(run(t.Context(), strings.Fields(args), &stdout, &stderr), &stderr)
		if status != 0 || !strings.HasPrefix(stdout.String(), want) || stderr.Len() > 0 {
			t.Errorf("%s: got status %d, %q, %q, want 0, %q", args, status, stdout.String(), stderr.String(), want)
		}
	}
}

// TestNoHubAnswers: each word that asks a hub says with which flag another one is named.
func TestNoHubAnswers(t *testing.T) {
	nowhere := unusedAddress(t)
	for line, flag := range map[string]string{
		"stock MUG": "-admin", "token -user ann": "-admin", "why MUG -user ann": "-admin", "cost": "-admin",
		"tap": "-admin", "lab 1 -check": "-admin", "get MUG": "-url", "sub MUG": "-url", "add MUG": "-url",
		"set MUG 1": "-url",
	} {
		var stdout, stderr bytes.Buffer
		args := append(strings.Fields(line), flag, nowhere)
		status := exitStatus(run(t.Context(), args, &stdout, &stderr), &stderr)
		want := "(start localhub, or name its address with " + flag + ")\n"
		if status != 1 || !strings.HasSuffix(stderr.String(), want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: got status %d, %q, want 1 and %q at the end", line, status, stderr.String(), want)
		}
	}
}

// TestParserErrors: no flag of any word answers a wrong value in the words of Go's parsers.
func TestParserErrors(t *testing.T) {
	tried := 0
	for _, cmd := range commandsOf(newRoot(nil)) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			args := append(strings.Fields(cmd.CommandPath())[1:], "--"+f.Name+"=\x01")
			root := newRoot(nil)
			target, rest, err := root.Find(args)
			if err == nil {
				err = target.ParseFlags(rest)
			}
			if err == nil {
				return // any text will do
			}
			tried++
			for _, word := range []string{"strconv", "parsing", "time:", "syntax"} {
				if text := flagError(target, err).Error(); strings.Contains(text, word) {
					t.Errorf("%s -%s: %s", cmd.CommandPath(), f.Name, text)
				}
			}
		})
	}
	if tried < 30 {
		t.Errorf("only %d flags refused a wrong value", tried)
	}
}

// TestAllowedOrigins: -allowed-origins reaches the authorizer.
func TestAllowedOrigins(t *testing.T) {
	hub := start(t, "-allowed-origins", "https://shop.example")
	for origin, want := range map[string]int{
		"https://shop.example": http.StatusSwitchingProtocols, "http://localhost:5173": http.StatusForbidden,
	} {
		o := &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}}
		conn, resp, err := websocket.Dial(t.Context(), hub.socket, o)
		if err == nil {
			_ = conn.CloseNow()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: got %v, %v, want %d", origin, resp, err, want)
		}
	}
}

// TestErrorsHaveNoSecrets: a command line with a mistake has its secrets in no error.
func TestErrorsHaveNoSecrets(t *testing.T) {
	template := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(template, []byte("Resources: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"another scheme":            {"-dynamodb", "ftp://ann:PASS@host"},
		"a slash in the password":   {"-dynamodb", "http://ann:PASS/WORD@host"},
		"a DynamoDB that is far":    {"-dynamodb", "http://ann:PASS@host.example", "-lambda", "build"},
		"no DynamoDB there":         {"-dynamodb", "http://ann:PASS@127.0.0.1:1", "-admin-token", "PASS"},
		"the token after =":         {"-dynamodb", "http://ann:PASS@127.0.0.1:1", "--admin-token=PASS"},
		"origins":                   {"-allowed-origins", "https://ann:PASS@shop.example/x"},
		"a duration":                {"-max-age", "http://ann:PASS@host"},
		"an argument":               {"http://ann:PASS@host"},
		"a token with a blank":      {"-admin-token", "PASS WORD"},
		"the admin API's address":   {"token", "-user", "ann", "-admin", "ann:PASS@127.0.0.1:1"},
		"a variable without a name": {"-template", template, "-env", "PASS"},
		"a variable twice":          {"-template", template, "-env", "A=PASS\"", "-env", "A=PASS\""},
		"a parameter twice":         {"-template", template, "-parameter", "A=1", "-parameter", "A=PASS"},
		"a function's URL":          {"-template", template, "-function", "F=http://ann:PASS@host"},
		"a service's URL":           {"-template", template, "-service", "sqs=ftp://ann:PASS@host"},
		"an API key":                {"-dynamodb", "http://127.0.0.1:1", "-api-key", "PASS"},
		"the API key after =":       {"-dynamodb", "http://127.0.0.1:1", "-api-key=PASS", "-no-sockets"},
		"a catalogue's URL":         {"-catalogue", "http://ann:PASS@host"},
		"a misspelt flag":           {"-tokn=PASS"},
		"a misspelt long flag":      {"--tokn=PASS"},
		"a flag without a name":     {"--=PASS"},
		"a user's token":            {"get", "MUG", "-token", "PASS WORD"},
		"a socket's user":           {"get", "MUG", "-url", "ws://ann:PASS@host"},
		"a socket's query":          {"get", "MUG", "-url", "ws://127.0.0.1:1/v1?ticket=PASS"},
		"a user of the admin API":   {"stock", "MUG", "-admin", "http://ann:PASS@host"},
		"a function twice":          {"-template", template, "-function", "F=x", "-function", "F=http://ann:PASS@host"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		var stdout, stderr bytes.Buffer
		status := exitStatus(run(ctx, append(args, "-log=text"), &stdout, &stderr), &stderr)
		cancel()
		if out := stdout.String() + stderr.String(); status == 0 || strings.Contains(out, "PASS") {
			t.Errorf("%s: got status %d, %s", name, status, out)
		}
	}
}

// TestLogsHaveNoPasswords: in both formats.
func TestLogsHaveNoPasswords(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var log bytes.Buffer
		err := errors.New("Get http://ann:PASS@host: refused")
		(&logSettings{format: enumFlag{value: format}}).newLog(&log).Error("lost", "error", err)
		if got := log.String(); strings.Contains(got, "PASS") || !strings.Contains(got, "http://xxxxx@host: refused") {
			t.Errorf("%s: got %s", format, got)
		}
	}
}
