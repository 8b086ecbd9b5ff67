// Package config is the settings that template.yaml gives to the functions, as
// environment variables. [Table] is the list of them; tests hold the template to
// it. A main passes os.Getenv; nothing else reads the environment.
package config
