package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// defaultAdmin is the address of the admin API.
const defaultAdmin = "127.0.0.1:8788"

// tokenTimeout is how long a localhub may take to answer.
const tokenTimeout = 10 * time.Second

// runToken prints a token that a running localhub makes.
func runToken(ctx context.Context, args []string, stdout io.Writer) error {
	fs := newFlagSet("localhub token")
	user := fs.String("user", "", "`name` of the user")
	role := fs.String("role", "customer", "customer, vendor or admin")
	vendor := fs.String("vendor", "", "`name` of the vendor, for role vendor")
	admin := fs.String("admin", defaultAdmin, "`address` of the admin API")
	var adminToken secretFlag
	fs.Var(&adminToken, "admin-token", "`token` that requests to the admin API need, or @FILE")
	if done, err := parseFlags(fs, args, stdout); done || err != nil {
		return err
	}
	if err := adminToken.check("-admin-token"); err != nil {
		return err
	}
	if *user == "" {
		return usagef("token needs -user NAME")
	}
	body, err := json.Marshal(map[string]string{"user": *user, "role": *role, "vendor": *vendor})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+*admin+"/admin/token", bytes.NewReader(body))
	if err != nil {
		return usagef("-admin %s: %w", *admin, err)
	}
	if adminToken.value != "" {
		req.Header.Set("Authorization", "Bearer "+adminToken.value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no localhub answers at %s: %w", *admin, err)
	}
	defer resp.Body.Close()
	var answer struct{ Token, Message string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("the program at %s is not a localhub: %w", *admin, err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(cmp.Or(answer.Message, resp.Status))
	}
	_, err = fmt.Fprintln(stdout, answer.Token)
	return err
}
