// Package config reads the settings of the functions, which template.yaml passes as
// environment variables. [Table] lists them, and tests compare the template with it.
// A main passes os.Getenv; no other package reads the environment.
package config
