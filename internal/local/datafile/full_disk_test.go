//go:build linux || darwin

package datafile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
)

// fullVariable makes the test binary a process that runs [fillFile].
const fullVariable = "DATAFILE_TEST_FULL"

// TestFullDisk runs fillFile in a process of its own, because it limits the size of all
// files of its process.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), fullVariable+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "done\n" {
		t.Fatalf("got %v, want done:\n%s", err, out)
	}
	f := open(t, dir)
	defer closeFile(t, f)
	rows := load(t, f)
	for sku := range rows.Items {
		if sku == "REFUSED" {
			t.Error("a refused item is in the file")
		}
	}
	if rows.Items["LATER"] == nil || len(rows.Items) < 3 {
		t.Errorf("got %d items, want those that were acknowledged", len(rows.Items))
	}
}

// fillFile writes until the file cannot grow any more, and goes on when it can again.
func fillFile(dir string) {
	signal.Ignore(syscall.SIGXFSZ) // a write over the limit returns an error then, as on a full disk
	ctx := context.Background()
	f, err := datafile.Open(dir)
	if err != nil {
		fail(err)
	}
	store, err := memstore.Open("k1", f)
	if err != nil {
		fail(err)
	}
	var feed hubtest.Feed
	store.Follow(feed.Add)
	putItem := func(sku string) error {
		return store.PutItem(ctx, hub.Item{SKU: sku, Version: 1, Vendor: strings.Repeat("v", 60)}, 0)
	}
	if err := putItem("FIRST"); err != nil {
		fail(err)
	}
	info, err := os.Stat(f.Path())
	if err != nil {
		fail(err)
	}
	limitFiles(uint64(info.Size()))
	written := 1
	for ; err == nil; written++ {
		err = putItem(fmt.Sprint("S", written))
	}
	written--     // the last one failed
	limitFiles(1) // no byte more; before, a write into a free page could succeed
	other := filepath.Join(dir, "other")
	if f, err := datafile.Open(other); err == nil {
		fail(fmt.Errorf("%s was created on a full disk", f.Path()))
	}
	if left, err := os.ReadDir(other); err != nil || len(left) > 0 {
		fail(fmt.Errorf("Open left %v, %v", left, err))
	}
	for name, err := range map[string]error{
		"PutItem": putItem("REFUSED"), "Revoke": store.Revoke(ctx, "u~ann", time.UnixMilli(1)),
		"Erase": store.Erase(ctx, "u~ann"),
	} {
		if err == nil {
			fail(fmt.Errorf("%s succeeded on a full disk", name))
		}
	}
	changes, _ := feed.Changes(ctx)
	items, _ := store.Items(ctx, []string{"FIRST", "REFUSED", fmt.Sprint("S", written)})
	if len(changes) != written || len(items) != 1 {
		fail(fmt.Errorf("%d changes in the feed, want %d; items %v, want the first one", len(changes), written, items))
	}
	limitFiles(1 << 40)
	if err := putItem("LATER"); err != nil {
		fail(fmt.Errorf("the disk has room again: %w", err))
	}
	rows, err := f.Load()
	if err != nil {
		fail(err)
	}
	for _, c := range changes {
		if got := rows.Items[c.NewItem.SKU]; !reflect.DeepEqual(got, c.NewItem) {
			fail(fmt.Errorf("got %v, want %v", got, c.NewItem))
		}
	}
	if err := f.Close(); err != nil {
		fail(err)
	}
	limitFiles(1)
	if _, err := datafile.Open(dir); !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), f.Path()) {
		fail(fmt.Errorf("what was replaced cannot be overwritten: got %v, want %v, with the file's name", err, syscall.EFBIG))
	}
	limitFiles(1 << 40)
	if f, err = datafile.Open(dir); err != nil {
		fail(err)
	}
	if err := f.Close(); err != nil {
		fail(err)
	}
	limitFiles(1)
	if f, err = datafile.Open(dir); err != nil { // there is nothing to overwrite
		fail(err)
	}
	if err := f.Close(); err != nil {
		fail(err)
	}
	fmt.Println("done")
}

// limitFiles sets how many bytes a file may have.
func limitFiles(bytes uint64) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fail(err)
	}
	limit.Cur = min(bytes, limit.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fail(err)
	}
}
