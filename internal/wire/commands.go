package wire

import (
	"fmt"
	"slices"
	"strings"
)

// command is a verb of the shorthand.
type command struct {
	names []string // the first is the one that help shows
	form  string
	does  string
	more  []string // lines of "help COMMAND"
}

// commands are the verbs, in the order of [Usage].
var commands = []command{
	{[]string{"sub", "subscribe"}, "sub TOPIC ...", "follow topics", []string{
		"A topic is MUG or sku:MUG (stock), cart, vendor:ID, cart:ID (admins).",
		"TOPIC@VERSION says which version you have: sub cart@17 MUG@9 epoch=k3",
	}},
	{[]string{"only"}, "only TOPIC ...", "follow these topics, and drop all others", nil},
	{[]string{"unsub", "unsubscribe"}, "unsub TOPIC ...", "follow them no longer; unsub * drops all", nil},
	{[]string{"ls"}, "ls", "what you follow, with its values", nil},
	{[]string{"get"}, "get TOPIC ...", "read once, without following", []string{
		"get vendor:ID after=SKU      the next page of a vendor's list",
	}},
	{[]string{"stock"}, "stock SKU ...", "read stock once: get sku:SKU ...", nil},
	{[]string{"add"}, "add SKU [N]", "put N pieces (1) into the cart; -N takes away", []string{
		"add MUG -1 key=K             key=K makes it safe to send again",
	}},
	{[]string{"set"}, "set SKU N ...", "set quantities; 0 removes the line", []string{
		"set MUG 2 CAP 0 v18          only if nobody changed them after version 18",
	}},
	{[]string{"merge"}, "merge GUESTTOKEN", "take a guest's cart over", []string{
		"merge TOKEN sum|max|mine|theirs   which quantity counts, if both have one",
	}},
	{[]string{"checkout"}, "checkout", "order: the cart is empty then", []string{
		"checkout v18 key=K           only if the cart is at version 18",
	}},
	{[]string{"hello", "who"}, "who", "who you are, and your limits; also: hello", []string{
		"hello token=TOKEN            sign in, or renew the session",
	}},
	{[]string{"why"}, "why [TOPIC]", "the way of its last change, or why nothing came", []string{
		"why MUG@9                    you have version 9",
		"why                          about the connection",
	}},
	{[]string{"pretty"}, "pretty on", "answers in words; pretty off: as JSON", nil},
	{[]string{"ping"}, "ping", "is somebody there?", nil},
	{[]string{"help", "?"}, "help [COMMAND]", "this list, or more about one; also: ?", nil},
}

// Verbs are the first words of typed lines. All actions are among them.
var Verbs = func() (verbs []string) {
	for _, c := range commands {
		verbs = append(verbs, c.names...)
	}
	return verbs
}()

// usageWidth is the column of what a command does: a terminal has 80.
const usageWidth = 20

// Usage explains the shorthand to people, in lines of at most 80 columns.
var Usage = func() []string {
	lines := make([]string, 0, len(commands)+2)
	for _, c := range commands {
		lines = append(lines, c.line())
	}
	return append(lines,
		"Any line may have id=X, which an answer in JSON repeats.",
		`Names with spaces or any of " = @ * need quotes: add "RED CAP" 2`)
}()

// commandOf returns the command of a verb in any letter case.
func commandOf(verb string) (c command, ok bool) {
	i := slices.IndexFunc(commands, func(c command) bool { return slices.Contains(c.names, strings.ToLower(verb)) })
	if i < 0 {
		return command{}, false
	}
	return commands[i], true
}

func (c command) line() string { return fmt.Sprintf("%-*s%s", usageWidth, c.form, c.does) }

// UsageOf explains one command, "" all of them. An unknown command has none.
func UsageOf(about string) []string {
	if about == "" {
		return Usage
	}
	if c, ok := commandOf(about); ok {
		return append([]string{c.line()}, c.more...)
	}
	return nil
}

// didYouMean returns the end of a message about an unknown command: the command that
// looks most like it.
func didYouMean(word string) string {
	word = strings.ToLower(word) // not empty
	best, distance := "", 3      // as far apart as two words may be
	for _, c := range commands {
		for _, name := range c.names {
			d := editDistance(word, name)
			if d < distance && d <= len(name)/2 && (d == 1 || word[0] == name[0]) {
				best, distance = name, d
			}
		}
	}
	if best == "" {
		return `; type "help" for a list`
	}
	return fmt.Sprintf(`; did you mean %q? "help" has a list`, best)
}

// editDistance returns how many characters must be added, removed, replaced or swapped with
// their neighbours to make b of a (optimal string alignment). Words whose lengths differ by
// more than 2 are that far apart.
func editDistance(a, b string) int {
	if d := max(len(a)-len(b), len(b)-len(a)); d > 2 {
		return d
	}
	d := make([][]int, len(a)+1) // of each beginning of a from each beginning of b
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range b {
		d[0][j+1] = j + 1
	}
	for i := range len(a) {
		for j := range len(b) {
			replace := d[i][j]
			if a[i] != b[j] {
				replace++
			}
			d[i+1][j+1] = min(replace, d[i][j+1]+1, d[i+1][j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d[i+1][j+1] = min(d[i+1][j+1], d[i-1][j-1]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
