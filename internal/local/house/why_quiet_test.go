package house_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// TestWhyHidesQuietChanges: who sees only the badge gets the same bytes whether the row moved
// without a visible change after the subscription, or before it, or not at all. In each row
// a get has the same answers in all stages.
func TestWhyHidesQuietChanges(t *testing.T) {
	quiet := func(w *whyHouse) { w.stock(39) }
	uncounted := func(w *whyHouse) { w.rewrite(39) }
	pause := func(w *whyHouse) { w.pause(house.DefaultBatchWindow + time.Millisecond) } // as quiet takes
	visible := func(w *whyHouse) {
		w.stock(3)
		w.c.read()
	}
	lowAt := func(w *whyHouse) {
		w.admin(http.MethodPut, "/admin/stock/MUG", `{"lowAt":7}`)
		settle(w.t, w.House)
		w.pause(time.Millisecond)
	}
	for _, tt := range []struct {
		name          string
		stages        [][2]func(*whyHouse) // before and after the subscription
		versions      []string             // of the question
		withoutNumber bool                 // get tells the versions, which differ
	}{
		{"a quiet change", [][2]func(*whyHouse){{quiet, pause}, {pause, quiet}}, []string{"", "@3", "@4"}, false},
		{"a change without counting", [][2]func(*whyHouse){{pause, pause}, {uncounted, pause}, {pause, uncounted}},
			[]string{"", "@1", "@2", "@3"}, false},
		{"a quiet change after a visible one", [][2]func(*whyHouse){
			{pause, func(w *whyHouse) { visible(w); pause(w) }}, {pause, func(w *whyHouse) { visible(w); lowAt(w) }},
		}, []string{"", "@3"}, true},
		{"a quiet change before a visible one", [][2]func(*whyHouse){
			{pause, func(w *whyHouse) { pause(w); visible(w) }}, {pause, func(w *whyHouse) { quiet(w); visible(w) }},
		}, []string{""}, true},
		{"a quiet change in the batch of a visible one", [][2]func(*whyHouse){
			{pause, visible}, {pause, func(w *whyHouse) { setStock(w.t, w.House, "MUG", "39"); visible(w) }},
		}, []string{""}, true},
	} {
		for _, role := range []hub.Role{hub.RoleGuest, hub.RoleCustomer} {
			for _, version := range tt.versions {
				for _, pretty := range []bool{false, true} {
					t.Run(fmt.Sprint(tt.name, "/", role, version, "/pretty ", pretty), func(t *testing.T) {
						var answers []string
						for _, stage := range tt.stages {
							text := askWhy(t, role, stage, "why MUG"+version, pretty)
							if tt.withoutNumber {
								text = regexp.MustCompile(`(v|"version":)[0-9]`).ReplaceAllString(text, "$1 N")
							}
							answers = append(answers, text)
						}
						for _, other := range answers[1:] {
							if other != answers[0] {
								t.Errorf("the difference tells of a change:\n%s\n%s", answers[0], other)
							}
						}
					})
				}
			}
		}
	}
}

// askWhy returns the answer after a stage.
func askWhy(t *testing.T, role hub.Role, stage [2]func(*whyHouse), line string, pretty bool) (answer string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWhyHouse(t, role, house.Options{})
		defer w.close()
		if pretty {
			w.c.send("pretty on")
			w.c.read()
		}
		stage[0](w)
		w.subscribe()
		w.pause(time.Second)
		stage[1](w)
		w.pause(time.Second)
		w.c.send(line)
		synctest.Wait()
		for answer = w.c.read(); strings.Contains(answer, `"type":"delta"`); answer = w.c.read() {
		}
	})
	return regexp.MustCompile(`"epoch":"[^"]*"`).ReplaceAllString(answer, `"epoch":"…"`)
}
