package costtest_test

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// The functions below compute units from requests and rows, by the rules of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
// and the sizes of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html.

// attributes is a row as DynamoDB's JSON has it.
type attributes = map[string]any

const (
	readUnit  = 4096 // bytes
	writeUnit = 1024 // bytes
)

// rowSize returns the size of a row in bytes. A row that does not exist has none.
func rowSize(r attributes) (size int) {
	for name, value := range r {
		size += len(name) + valueSize(value)
	}
	return size
}

func valueSize(value any) (size int) {
	for kind, v := range value.(map[string]any) {
		switch kind {
		case "S":
			return len(v.(string))
		case "N":
			return numberSize(v.(string))
		case "B":
			data, _ := base64.StdEncoding.DecodeString(v.(string))
			return len(data)
		case "SS":
			for _, each := range v.([]any) {
				size += len(each.(string))
			}
		case "M":
			size = 3
			for name, each := range v.(map[string]any) {
				size += 1 + len(name) + valueSize(each)
			}
		case "L":
			size = 3
			for _, each := range v.([]any) {
				size += 1 + valueSize(each)
			}
		default: // BOOL, NULL
			size = 1
		}
	}
	return size
}

// numberSize returns one byte, and one for two significant digits.
func numberSize(text string) int {
	digits := strings.Trim(strings.Replace(strings.TrimPrefix(text, "-"), ".", "", 1), "0")
	return 1 + (len(digits)+1)/2
}

// units returns the units of some bytes, 1 at least.
func units(size, unit int) float64 { return float64(max(1, (size+unit-1)/unit)) }

// readUnits returns the units of a read that found rows. With separate, each of n rows
// that were asked for counts by itself.
func readUnits(found []attributes, n int, separate, strong bool) (sum float64) {
	size := 0
	for _, r := range found {
		size += rowSize(r)
		sum += units(rowSize(r), readUnit)
	}
	sum += float64(n - len(found)) // those that do not exist
	if !separate {
		sum = units(size, readUnit)
	}
	if !strong {
		sum /= 2
	}
	return sum
}

// writeUnits returns the units of a write that found one row and left another.
func writeUnits(before, after attributes) float64 {
	return units(max(rowSize(before), rowSize(after)), writeUnit)
}

// sortedKeys returns the keys of a map in a fixed order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
