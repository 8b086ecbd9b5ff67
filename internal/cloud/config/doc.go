// Package config reads the settings of the functions, which template.yaml passes as
// environment variables. [Table] lists them, and tests compare the template with it.
// The main of a function passes os.Getenv: no package reads these settings on its own.
package config
