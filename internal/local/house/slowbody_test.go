package house_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
)

// TestLogDoesNotDelayBodies: what a slow producer has sent takes effect at once, and the log
// has it.
func TestLogDoesNotDelayBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		body, producer := io.Pipe()
		req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8788/admin/stock", body)
		req.RemoteAddr = "127.0.0.1:50000"
		rec := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			h.Admin().ServeHTTP(rec, req)
			close(done)
		}()
		const first = `{"sku":"MUG","available":3}` + "\n"
		if _, err := io.WriteString(producer, first); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := callAdmin(t, h, "GET", "/admin/stock/MUG", "", "").Body.String(); !strings.Contains(got, `"available":3`) {
			t.Errorf("after the first line: got %s", got)
		}
		if all := latestEvents(t, h, "type=admin"); len(all) != 1 || all[0].Text != first {
			t.Errorf("got %+v, want the first line", all)
		}
		_, _ = io.WriteString(producer, `{"sku":"CAP","available":4}`)
		_ = producer.Close()
		<-done
		if rec.Code != http.StatusMultiStatus && rec.Code != http.StatusOK {
			t.Errorf("got %d %s", rec.Code, rec.Body)
		}
		rows := latestEvents(t, h, "type=row&last=2")
		admin := latestEvents(t, h, "type=admin")[0].ID
		if len(rows) != 2 || rows[0].Cause[0] != admin || rows[1].Cause[0] != admin {
			t.Errorf("got %+v, want what the request led to", rows)
		}
	})
}
