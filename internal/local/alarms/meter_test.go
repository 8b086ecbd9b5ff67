package alarms

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// clock is a clock that a test moves.
type clock struct{ now time.Time }

func newMeter() (*Meter, *clock) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	return NewMeter(func() time.Time { return c.now }), c
}

// eval evaluates metric math as CloudWatch does: of a metric that is not in values, FILL
// makes a number, and without it there is no result.
func eval(t *testing.T, e ast.Expr, values map[string]float64) (v float64, ok bool) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return eval(t, e.X, values)
	case *ast.BasicLit:
		v, err := strconv.ParseFloat(e.Value, 64)
		return v, err == nil
	case *ast.Ident:
		v, ok = values[e.Name]
		return v, ok
	case *ast.CallExpr:
		if name, isIdent := e.Fun.(*ast.Ident); isIdent && name.Name == "FILL" && len(e.Args) == 2 {
			if v, ok = eval(t, e.Args[0], values); ok {
				return v, true
			}
			return eval(t, e.Args[1], values)
		}
	case *ast.BinaryExpr:
		x, hasX := eval(t, e.X, values)
		y, hasY := eval(t, e.Y, values)
		switch e.Op {
		case token.ADD:
			return x + y, hasX && hasY
		case token.MUL:
			return x * y, hasX && hasY
		case token.QUO:
			return x / y, hasX && hasY && y != 0
		}
	}
	t.Fatalf("%T is not in the metric math of alarms", e)
	return 0, false
}

// TestExpression: the value of an alarm is what its expression says, whatever metrics have
// data.
func TestExpression(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, a := range List {
		text := a.Expression()
		if text == "" {
			text = "m1"
		}
		parsed, err := parser.ParseExpr(text)
		if err != nil {
			t.Fatalf("%s: %s: %v", a.ID, text, err)
		}
		for range 50 {
			m, c := newMeter()
			values := map[string]float64{}
			for i, metric := range a.Metrics() {
				switch n := random.IntN(9); {
				case metric.Queue != "":
					values[fmt.Sprint("m", i+1)] = float64(n)
					for range n {
						m.GivenUp(metric.Queue)
					}
				case n > 3:
					values[fmt.Sprint("m", i+1)] = float64(n)
					m.add(metric, float64(n))
				}
			}
			want, wantData := eval(t, parsed, values)
			got, hasData := m.valueOf(a, c.now.Unix()-60, c.now.Unix())
			if hasData != wantData || hasData && math.Abs(got-want) > 1e-9 {
				t.Fatalf("%s: %s with %v: got %v %t, want %v %t", a.ID, text, values, got, hasData, want, wantData)
			}
		}
	}
}

// TestStatistics: a period has the values behind its beginning, up to its end.
func TestStatistics(t *testing.T) {
	m, c := newMeter()
	of := Metric{Name: "Latency", Function: "broadcast"}
	for n := range 200 { // 1 to 200, in one second
		m.add(of, float64(n+1))
	}
	end := c.now.Unix()
	for _, tt := range []struct {
		stat     string
		from, to int64
		want     float64
		ok       bool
	}{
		{Sum, end - 60, end, 20100, true}, {Maximum, end - 60, end, 200, true}, {P99, end - 60, end, 198, true},
		{Sum, end - 1, end, 20100, true}, {Sum, end, end + 60, 0, false}, {Sum, end - 60, end - 1, 0, false},
	} {
		of.Stat = tt.stat
		if got, ok := m.value(of, tt.from, tt.to); got != tt.want || ok != tt.ok {
			t.Errorf("%s from %d to %d: got %v %t, want %v %t", tt.stat, tt.from-end, tt.to-end, got, ok, tt.want, tt.ok)
		}
	}
}

// TestMeterForgets: what no alarm watches any more, or at all, takes no memory.
func TestMeterForgets(t *testing.T) {
	m, c := newMeter()
	for range 2000 {
		m.Function("broadcast").Broadcast(t.Context(), hub.Report{Failed: 1, Posts: 1, Changes: 1})
		c.now = c.now.Add(time.Second)
	}
	for of, all := range m.seconds {
		if len(all) > 900 || of.Name == "Changes" {
			t.Errorf("%s has %d seconds", of, len(all))
		}
	}
	for range 100 {
		m.GivenUp("CartFailures")
		c.now = c.now.Add(time.Hour)
	}
	if n := len(m.messages["CartFailures"]); n > 24 {
		t.Errorf("the queue has %d messages, want those of a day", n)
	}
}

// TestPeriods: an alarm goes off after all of its periods, and ends with a good one.
func TestPeriods(t *testing.T) {
	m, c := newMeter()
	failed := func() string {
		for _, s := range m.States() {
			if s.Name == "FailedAlarm" {
				return s.State
			}
		}
		return ""
	}
	for n := range 3 {
		if got := failed(); got != "OK" {
			t.Errorf("after %d minutes: got %s, want OK", n, got)
		}
		c.now = c.now.Add(time.Minute)
		m.Function("broadcast").Broadcast(t.Context(), hub.Report{Failed: 1})
	}
	if got := failed(); got != "ALARM" {
		t.Errorf("after three minutes: got %s, want ALARM", got)
	}
	c.now = c.now.Add(time.Minute)
	if got := failed(); got != "OK" {
		t.Errorf("after a good minute: got %s, want OK", got)
	}
}

// TestOneEvent: what fails once and then works sets off no alarm, however little else
// happens. Lost changes and rows that nobody can read are lasting faults.
func TestOneEvent(t *testing.T) {
	lasting := []string{"FailureQueuesAlarm", "UnreadableRowsAlarm"}
	for _, a := range List {
		m, c := newMeter()
		bad := a.Value[0]
		switch {
		case bad.Queue != "":
			m.GivenUp(bad.Queue)
		case bad.Stat == Sum:
			m.add(bad, 1)
		default: // milliseconds
			m.add(bad, 10*a.Above)
		}
		goesOff := false
		for range 15 * 60 {
			for _, s := range m.States() {
				goesOff = goesOff || s.Name == a.ID && s.State == "ALARM"
			}
			c.now = c.now.Add(time.Second)
		}
		if want := slices.Contains(lasting, a.ID); goesOff != want {
			t.Errorf("%s goes off by one event: %t, want %t", a.ID, goesOff, want)
		}
	}
}

// TestLateValues: an alarm that one period sets off sees values that CloudWatch gets minutes
// later. Lambda dates the values of an invocation back to its start.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
func TestLateValues(t *testing.T) {
	for _, a := range List {
		if a.Periods == 1 && a.Period < 5*time.Minute {
			t.Errorf("%s looks at the newest %v only", a.ID, a.Period)
		}
	}
}
