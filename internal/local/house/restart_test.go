package house_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
	"github.com/securecart/hub/internal/local/devkeys"
	"github.com/securecart/hub/internal/local/house"
)

// openFolder opens a data file and the keys in it.
func openFolder(t *testing.T, dir string) (*datafile.File, house.Options) {
	t.Helper()
	f, err := datafile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := devkeys.Load(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return f, house.Options{Keys: keys, Rows: house.Rows{Journal: f}}
}

// withFolder runs a house on a data file.
func withFolder(t *testing.T, dir string, run func(h *house.House)) {
	t.Helper()
	f, o := openFolder(t, dir)
	h := newHouse(t, o)
	defer func() {
		closeHouse(t, h)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	run(h)
}

// TestRestart: with a data file, a restart loses no cart, no stock, no answer, no
// revocation and nobody's name, and clients keep the versions that they have.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		const add = "add MUG 2 key=once"
		const added = `"from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`
		var epoch, guest, guestToken, alice, bob string
		withFolder(t, dir, func(h *house.House) {
			setStock(t, h, "MUG", "7")
			setStock(t, h, "MUG", "6")
			if status, answer := admin(t, h, "DELETE", "/admin/stock/TEE-RED-M", ""); status != http.StatusOK {
				t.Fatal(status, answer)
			}
			alice, bob = token(t, h, "alice"), token(t, h, "bob")
			if status, answer := admin(t, h, "POST", "/admin/users/bob/revoke", ""); status != http.StatusNoContent {
				t.Fatal(status, answer)
			}
			c := dial(t, h, "")
			defer c.close()
			c.send("hello")
			hello := c.read()
			guest, guestToken = field(t, hello, "user"), field(t, hello, "guestToken")
			c.send("get sku:MUG")
			epoch = field(t, c.read(), "epoch")
			c.ask(add, `{"type":"ok","key":"once",`+added)
		})
		withFolder(t, dir, func(h *house.House) {
			c := dial(t, h, guestToken)
			defer c.close()
			c.send("hello")
			if got := field(t, c.read(), "user"); got != guest || guest == "" {
				t.Errorf("with the guest token: got user %q, want %q", got, guest)
			}
			c.send("get cart sku:MUG sku:TEE-RED-M")
			snapshot := c.read()
			if got := field(t, snapshot, "epoch"); got != epoch || epoch == "" {
				t.Errorf("got epoch %q, want %q", got, epoch)
			}
			const topics = `{"cart":{"version":1,"lines":{"MUG":{"quantity":2,"version":1}}},` +
				`"sku:MUG":{"version":3,"state":"in"},"sku:TEE-RED-M":{"version":2,"state":"out"}}`
			var got struct{ Topics json.RawMessage }
			if err := json.Unmarshal([]byte(snapshot), &got); err != nil || string(got.Topics) != topics {
				t.Errorf("\n got %s, %v\nwant %s", got.Topics, err, topics)
			}
			c.ask(add, `{"type":"ok","key":"once","duplicate":true,`+added)

			for token, notice := range map[string]string{alice: "", bob: "token_expired"} {
				c := dial(t, h, token)
				defer c.close()
				c.send("hello")
				if hello := c.read(); field(t, hello, "role") != "customer" || field(t, hello, "notice") != notice {
					t.Errorf("got %s, want a customer with the notice %q", hello, notice)
				}
			}
		})
	})
}

// TestErasureLeavesNoByteInTheFile erases a customer and a guest, and reads the bytes of the
// data file, before and after a restart: they have the documented hashes of the two, and
// nothing else of them.
func TestErasureLeavesNoByteInTheFile(t *testing.T) {
	dir := t.TempDir()
	names := markers{"the customer": "mark-user", "a key": "mark-key", "the product": "mark-in-cart"}
	read := func() string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, datafile.Name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	wantErased := func() {
		t.Helper()
		s, text := secretsTest{t: t}, read()
		s.checkAbsent("the file", text, names)
		for _, id := range []string{"u~mark-user", "g~" + names["the guest"]} {
			if !strings.Contains(text, hub.NameHash(id)) {
				t.Errorf("the file does not have the hash of %s", id)
			}
		}
	}
	withFolder(t, dir, func(h *house.House) {
		setStock(t, h, "mark-in-cart", "50")
		users := []string{"mark-user"}
		for _, token := range []string{token(t, h, "mark-user"), ""} {
			c := dial(t, h, token)
			defer c.close()
			c.send("hello")
			if hello := c.read(); token == "" {
				users = append(users, field(t, hello, "user"))
				names["the guest"] = strings.TrimPrefix(users[1], hub.GuestUserPrefix)
			}
			for _, line := range []string{"add mark-in-cart 3 key=mark-key", "set mark-in-cart 2", "add MUG 2"} {
				c.send(line)
				c.read()
			}
		}
		if err := h.Memory().RemoveItem("mark-in-cart"); err != nil { // the shop's
			t.Fatal(err)
		}
		for what, name := range names {
			if !strings.Contains(read(), name) {
				t.Errorf("the file never had %s, so this tests less", what)
			}
		}
		for _, user := range users {
			if status, answer := admin(t, h, "DELETE", "/admin/users/"+user, ""); status != http.StatusNoContent {
				t.Fatal(status, answer)
			}
		}
		wantErased()
	})
	withFolder(t, dir, func(*house.House) { wantErased() })
}

// fullDisk is a journal that fails while full is set.
type fullDisk struct {
	memstore.Journal
	full atomic.Bool
}

func (d *fullDisk) Write(changed memstore.Rows) error {
	if d.full.Load() {
		return errors.New("no space left on device")
	}
	return d.Journal.Write(changed)
}

// TestFullDisk: a change that cannot be stored is refused with a code, nobody hears of
// it, and it takes effect when there is room again. The log says it once.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		f, o := openFolder(t, t.TempDir())
		disk := &fullDisk{Journal: f}
		o.Rows.Journal, o.Log = disk, slog.New(slog.NewTextHandler(&log, nil))
		h := newHouse(t, o)
		c := dial(t, h, token(t, h, "alice"))
		c.send("sub cart sku:MUG")
		c.read()

		disk.full.Store(true)
		const refused = `"code":"internal",` +
			`"message":"the change cannot be stored at the moment; please try again","retry":true}`
		c.ask("add MUG 2 key=once", `{"type":"error","key":"once",`+refused)
		c.ask("add MUG 2", `{"type":"error",`+refused)
		if status, answer := admin(t, h, "PUT", "/admin/stock/MUG", `{"available":1}`); status != 500 ||
			!strings.Contains(answer, "the change cannot be stored") || strings.Contains(answer, "no space") {
			t.Errorf("got %d %s, want 500 and no text of the operating system", status, answer)
		}
		if status, answer := admin(t, h, "POST", "/admin/users/bob/revoke", ""); status != 500 {
			t.Errorf("got %d %s, want 500 for a revocation that is not stored", status, answer)
		}
		if status, _ := admin(t, h, "GET", "/readyz", ""); status != 503 {
			t.Errorf("got %d from /readyz, want 503", status)
		}

		disk.full.Store(false)
		c.send("add MUG 2 key=once") // the first message after the subscription that changes anything
		c.wantBoth(`{"type":"ok","key":"once","from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`,
			`{"type":"delta","epoch":"…","topics":{"cart":{"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}}}`)
		if status, answer := admin(t, h, "GET", "/readyz", ""); status != 200 {
			t.Errorf("got %d %s from /readyz, want 200", status, answer)
		}
		wantLog := func(times int) {
			t.Helper()
			text := log.String()
			failures, repairs := strings.Count(text, "rows cannot be written"), strings.Count(text, "rows can be written again")
			if failures != times || repairs != times || strings.Contains(text, "msg=message") ||
				strings.Contains(text, "msg=admin") {
				t.Errorf("got the log\n%swant %d times that rows cannot be written and that they can again, and no request",
					text, times)
			}
		}
		wantLog(1)
		failOnce := func() {
			disk.full.Store(true)
			c.ask("add MUG 1", `{"type":"error",`+refused)
			disk.full.Store(false)
			setStock(t, h, "CAP", strconv.Itoa(len(log.String())))
		}
		failOnce() // a nearly full disk takes some writes and refuses others
		failOnce()
		wantLog(1)
		time.Sleep(time.Minute)
		failOnce()
		wantLog(2)
		c.close()
		closeHouse(t, h)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestUnreadableJournal: a house does not start without the rows of its journal.
func TestUnreadableJournal(t *testing.T) {
	f, o := openFolder(t, t.TempDir())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := house.New(o)
	if err == nil {
		closeHouse(t, h)
		t.Error("a house started on a closed file")
	}
}

// TestWarpWithAFile: the clock of a house on a data file stays: the file would keep a
// revocation, say, of a time that has not come.
func TestWarpWithAFile(t *testing.T) {
	withFolder(t, t.TempDir(), func(h *house.House) {
		const want = `{"code":"bad_field","message":"\"by\": rows in a file would keep times that have not come"}`
		status, answer := admin(t, h, http.MethodPost, "/admin/warp", `{"by":"2h"}`)
		if status != http.StatusBadRequest || answer != want {
			t.Errorf("got %d %s, want %s", status, answer, want)
		}
	})
}
