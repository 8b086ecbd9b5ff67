package alarms

import "time"

// State is an alarm and what it says now. The words are those of CloudWatch.
type State struct {
	Name        string   `json:"name"`
	State       string   `json:"state"`       // ALARM or OK
	Value       *float64 `json:"value"`       // of the newest period; nil: no data
	Threshold   float64  `json:"threshold"`   // the value must be above it,
	Period      int      `json:"period"`      // for so many seconds,
	Periods     int      `json:"periods"`     // so many times in a row
	Metrics     []string `json:"metrics"`     // m1, m2 and so on
	Expression  string   `json:"expression"`  // of several metrics
	Description string   `json:"description"` // with the heading in docs/operations.md
}

// States evaluates all alarms.
func (m *Meter) States() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now().Unix()
	var all []State
	for _, a := range List {
		period := int64(a.Period / time.Second)
		state := State{
			Name: a.ID, State: "ALARM", Threshold: a.Above, Period: int(period), Periods: a.Periods,
			Expression: a.Expression(), Description: a.Description(),
		}
		for _, metric := range a.Metrics() {
			state.Metrics = append(state.Metrics, metric.String())
		}
		for n := range int64(a.Periods) {
			v, ok := m.valueOf(a, now-(n+1)*period, now-n*period)
			if n == 0 && ok {
				state.Value = &v
			}
			if !ok || v <= a.Above {
				state.State = "OK"
			}
		}
		all = append(all, state)
	}
	return all
}

// valueOf computes what [Alarm.Expression] says.
func (m *Meter) valueOf(a Alarm, from, to int64) (v float64, ok bool) {
	sum := func(all []Metric) (total float64, some bool) {
		for _, metric := range all {
			value, has := m.value(metric, from, to)
			total, some = total+value, some || has
		}
		return total, some
	}
	value, ok := sum(a.Value)
	if a.Rest == nil {
		return value, ok || len(a.Value) > 1
	}
	rest, _ := sum(a.Rest)
	return 100 * value / (value + rest), ok
}
