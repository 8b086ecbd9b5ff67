package replay

import (
	"encoding/json"
	"strconv"
)

// offsets are how much further the versions of the target are than those of the recording, by
// topic. A cart is "cart:" and its owner's stand-in.
type offsets map[string]int64

// match reports whether two versions are the same one. The first pair of a topic says how
// much further the target is. Version 0, of a key without a row, is 0 everywhere.
func (v offsets) match(topic string, recorded, got int64) bool {
	if recorded == 0 || got == 0 {
		return recorded == got
	}
	if _, known := v[topic]; !known {
		v[topic] = got - recorded
	}
	return v.actual(topic, recorded) == got
}

// actual returns the target's version for one of the recording.
func (v offsets) actual(topic string, recorded int64) int64 {
	if recorded == 0 {
		return 0
	}
	return recorded + v[topic]
}

// number reads a version.
func number(value any) int64 {
	text, _ := value.(json.Number)
	n, _ := strconv.ParseInt(text.String(), 10, 64) // what is no version is compared as text before
	return n
}
