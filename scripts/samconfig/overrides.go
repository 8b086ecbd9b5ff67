package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A text has pairs in one of two forms, as the SAM CLI finds them. If one has the long
// form, only those count. Names may be in quotes.
//
//	ParameterKey=NAME,ParameterValue=VALUE
//	NAME=VALUE
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html
const (
	keyForm   = `([A-Za-z0-9"']+)`
	valueForm = `("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^ "\\])+)`
)

var (
	longPair  = regexp.MustCompile(`ParameterKey=` + keyForm + `,ParameterValue=` + valueForm)
	shortPair = regexp.MustCompile(` ` + keyForm + `=` + valueForm)
	keyName   = regexp.MustCompile(`^[A-Za-z0-9]+$`)
)

// overrides returns the parameters that parameter_overrides sets: a text, a table, or a
// list of these. The last one of a name counts.
func overrides(value any) (map[string]string, error) {
	found := map[string]string{}
	var add func(any) error
	add = func(value any) error {
		switch v := value.(type) {
		case nil:
			return nil
		case string:
			return addPairs(found, v)
		case []any:
			for _, each := range v {
				if err := add(each); err != nil {
					return err
				}
			}
			return nil
		case []table:
			for _, each := range v {
				if err := addTable(found, each); err != nil {
					return err
				}
			}
			return nil
		case table:
			return addTable(found, v)
		}
		return fmt.Errorf("%v is neither a text nor a table", value)
	}
	return found, add(value)
}

// addPairs adds the parameters in a text. What the SAM CLI would skip is an error.
func addPairs(found map[string]string, text string) error {
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, "file://"):
		return fmt.Errorf("%s is not read here: write its parameters into %s", text, fileName)
	}
	text = " " + strings.TrimSpace(text)
	form := longPair
	if !form.MatchString(text) {
		form = shortPair
	}
	rest := strings.TrimSpace(form.ReplaceAllString(text, ""))
	if rest != "" {
		return fmt.Errorf("the SAM CLI would not read %q in %q: write a value with blanks, or an empty one, in quotes, "+
			`as 'NAME="VALUE"'`, rest, text[1:])
	}
	for _, m := range form.FindAllStringSubmatch(text, -1) {
		key := unquoted(m[1])
		if !keyName.MatchString(key) {
			return fmt.Errorf("%s is no name of a parameter", m[1])
		}
		found[key] = unquoted(m[2])
	}
	return nil
}

// addTable adds the parameters in a table.
func addTable(found map[string]string, t table) error {
	for key, value := range t {
		if !keyName.MatchString(key) {
			return fmt.Errorf("%s is no name of a parameter", key)
		}
		text, err := plain(value)
		if err != nil {
			return fmt.Errorf("%s %w", key, err)
		}
		found[key] = unquoted(text)
	}
	return nil
}

// plain returns a value in a table as a text. A list becomes one with commas.
func plain(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case []any:
		var parts []string
		for _, each := range v {
			part, err := plain(each)
			if err != nil {
				return "", err
			}
			if part != "" {
				parts = append(parts, strings.TrimSpace(part))
			}
		}
		return strings.Join(parts, ","), nil
	}
	// The SAM CLI makes True of true, which no parameter takes.
	return "", fmt.Errorf("is %v: write it in quotes", value)
}

// unquoted takes the quotes around a text away, and the escapes in it.
func unquoted(text string) string {
	if n := len(text); n > 0 && text[0] == text[n-1] && strings.ContainsRune(`"'`, rune(text[0])) {
		text = text[1:max(1, n-1)]
	}
	return escapes.Replace(text)
}

var escapes = strings.NewReplacer(`\ `, " ", `\"`, `"`, `\'`, "'")
