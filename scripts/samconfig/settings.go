package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

const fileName = "samconfig.toml"

// defaultEnvironment is the one of sam deploy. The others must be there to be used.
const defaultEnvironment = "default"

type table = map[string]any

// settings returns the settings of an environment of the samconfig.toml in a folder.
// Without that file there are none.
func settings(folder, environment string) (string, error) {
	for _, other := range []string{"samconfig.yaml", "samconfig.yml"} {
		if _, err := os.Stat(filepath.Join(folder, other)); err == nil {
			return "", fmt.Errorf("%s is not read here: write its settings into %s", other, fileName)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, fileName))
	if err != nil && !os.IsNotExist(err) {
		return "", err
	}
	variables, err := read(string(text), environment)
	if err != nil {
		return "", fmt.Errorf("%s: %w", fileName, err)
	}
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&out, "%s='%s'\n", key, strings.ReplaceAll(variables[key], "'", `'\''`))
	}
	return out.String(), nil
}

// read returns the settings and parameters of an environment, by the names of variables.
func read(text, environment string) (variables map[string]string, err error) {
	var document table
	if _, err := toml.Decode(text, &document); err != nil {
		return nil, err
	}
	chosen, err := choose(document, environment)
	if err != nil {
		return nil, err
	}
	variables = map[string]string{}
	for _, key := range []string{"stack_name", "profile", "region"} {
		value, isText := chosen[key].(string)
		if !isText && chosen[key] != nil {
			return nil, fmt.Errorf("%s of the environment %s is not a text", key, environment)
		}
		variables["setting_"+key] = value
	}
	parameters, err := overrides(chosen["parameter_overrides"])
	if err != nil {
		return nil, fmt.Errorf("parameter_overrides of the environment %s: %w", environment, err)
	}
	for key, value := range parameters {
		variables["parameter_"+key] = value
	}
	return variables, nil
}

// choose returns what sam deploy takes of an environment. A key under deploy counts before
// the same one under global.
func choose(document table, environment string) (table, error) {
	if _, isFloat := document["version"].(float64); !isFloat && len(document) > 0 {
		return nil, errors.New("the SAM CLI insists on a first line: version = 0.1")
	}
	if document[environment] == nil && environment != defaultEnvironment {
		return nil, fmt.Errorf("there is no environment %s, but %s", environment, environments(document))
	}
	chosen := table{}
	for _, command := range []string{"global", "deploy"} {
		found, err := child(document, environment, command, "parameters")
		if err != nil {
			return nil, err
		}
		maps.Copy(chosen, found)
	}
	return chosen, nil
}

// child returns the table at a path. One that is not there is empty.
func child(t table, path ...string) (table, error) {
	for i, key := range path {
		next, isTable := t[key].(table)
		if !isTable && t[key] != nil {
			return nil, fmt.Errorf("%s is not a table", strings.Join(path[:i+1], "."))
		}
		t = next
	}
	return t, nil
}

// environments names those that a document has.
func environments(document table) string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(document)) {
		if _, isTable := document[key].(table); isTable {
			names = append(names, key)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}
