package vtl

import (
	"slices"
	"strings"
)

// call is a call of a method of a value. The methods are those of the Java types
// String, List, Map, Number and Boolean that templates use.
type call struct {
	*renderer
	name      string
	arguments []value
	known     bool // there is such a method
}

// is reports whether a method with this name and number of arguments is called.
func (c *call) is(name string, arguments int) bool {
	if c.name != name || len(c.arguments) != arguments {
		return false
	}
	c.known = true
	return true
}

// on calls the method of a value.
func (c *call) on(v value) value {
	switch {
	case c.is("toString", 0):
		return c.text(v)
	case c.is("equals", 1):
		return c.equal(v, c.arguments[0])
	}
	switch v := v.(type) {
	case string:
		return c.onString(v)
	case *List:
		return c.onList(v)
	case *Map:
		return c.onMap(v)
	}
	return c.onNumber(v)
}

// textOf returns an argument as text.
func (c *call) textOf(argument int) string { return c.text(c.arguments[argument]) }

// numberOf returns an argument as a whole number from 0 to max.
func (c *call) numberOf(argument, max int) int {
	n, ok := integer(c.arguments[argument])
	if !ok || n < 0 || n > int64(max) {
		c.fail("%s: %s is no number from 0 to %d", c.name, c.textOf(argument), max)
		return 0
	}
	return int(n)
}

func (c *call) onNumber(v value) value {
	n, ok := toNumber(v)
	switch {
	case !ok: // a boolean
		return nil
	case c.is("intValue", 0), c.is("longValue", 0):
		if whole, ok := n.(int64); ok {
			return whole
		}
		return int64(toFloat(n))
	case c.is("doubleValue", 0):
		return toFloat(n)
	}
	return nil
}

func (c *call) onList(list *List) value {
	switch {
	case c.is("size", 0):
		return int64(len(list.items))
	case c.is("isEmpty", 0):
		return len(list.items) == 0
	case c.is("get", 1):
		if i, ok := itemIndex(list, c.arguments[0]); ok {
			return list.items[i]
		}
	case c.is("contains", 1):
		return c.indexIn(list) >= 0
	case c.is("indexOf", 1):
		return int64(c.indexIn(list))
	case c.is("add", 1):
		c.add(list, c.arguments[0])
		return true
	case c.is("addAll", 1):
		c.add(list, c.items(c.arguments[0])...)
		return true
	case c.is("set", 2):
		if i, ok := itemIndex(list, c.arguments[0]); ok {
			list.items[i] = c.arguments[1]
		}
	case c.is("remove", 1):
		return c.removeFrom(list)
	}
	return nil
}

func (c *call) indexIn(list *List) int {
	c.spend(len(list.items))
	return slices.IndexFunc(list.items, func(item value) bool { return c.equal(item, c.arguments[0]) })
}

// removeFrom removes the item with an index, and otherwise the first that is equal.
func (c *call) removeFrom(list *List) value {
	c.spend(len(list.items))
	n, _ := toNumber(c.arguments[0])
	if i, ok := itemIndex(list, n); ok {
		removed := list.items[i]
		list.items = slices.Delete(slices.Clone(list.items), i, i+1)
		return removed
	}
	i := c.indexIn(list)
	if i >= 0 {
		list.items = slices.Delete(slices.Clone(list.items), i, i+1)
	}
	return i >= 0
}

func (c *call) onMap(m *Map) value {
	c.spend(len(m.keys))
	switch {
	case c.is("size", 0):
		return int64(len(m.keys))
	case c.is("isEmpty", 0):
		return len(m.keys) == 0
	case c.is("get", 1):
		return m.values[c.textOf(0)]
	case c.is("getOrDefault", 2):
		if v, ok := m.values[c.textOf(0)]; ok {
			return v
		}
		return c.arguments[1]
	case c.is("containsKey", 1):
		_, ok := m.values[c.textOf(0)]
		return ok
	case c.is("containsValue", 1):
		return c.indexIn(m.list()) >= 0
	case c.is("keySet", 0):
		if c.spend(itemSteps * len(m.keys)) {
			return m.keyList()
		}
	case c.is("values", 0):
		if c.spend(itemSteps * len(m.keys)) {
			return m.list()
		}
	case c.is("entrySet", 0):
		if c.spend(entrySteps * len(m.keys)) {
			return m.entries()
		}
	default:
		return c.changeMap(m)
	}
	return nil
}

// changeMap calls a method that changes a map. $map.put returns the value that was
// there, as Java's does.
func (c *call) changeMap(m *Map) value {
	switch {
	case c.is("put", 2):
		old := m.values[c.textOf(0)]
		c.put(m, c.textOf(0), c.arguments[1])
		return old
	case c.is("putAll", 1):
		if other, ok := c.arguments[0].(*Map); ok {
			c.spend(len(other.keys))
			for _, key := range slices.Clone(other.keys) {
				c.put(m, key, other.values[key])
			}
		}
	case c.is("remove", 1):
		return m.remove(c.textOf(0))
	case c.is("getKey", 0): // of an entry
		return m.Get("key")
	case c.is("getValue", 0):
		return m.Get("value")
	}
	return nil
}

func (c *call) onString(text string) value {
	c.spend(len(text))
	switch {
	case c.is("length", 0):
		return int64(len([]rune(text)))
	case c.is("isEmpty", 0):
		return text == ""
	case c.is("trim", 0):
		return strings.TrimSpace(text)
	case c.is("toLowerCase", 0):
		return strings.ToLower(text)
	case c.is("toUpperCase", 0):
		return strings.ToUpper(text)
	case c.is("contains", 1):
		return strings.Contains(text, c.textOf(0))
	case c.is("startsWith", 1):
		return strings.HasPrefix(text, c.textOf(0))
	case c.is("endsWith", 1):
		return strings.HasSuffix(text, c.textOf(0))
	case c.is("equalsIgnoreCase", 1):
		return strings.EqualFold(text, c.textOf(0))
	case c.is("concat", 1):
		return c.renderer.concat(text, c.arguments[0])
	default:
		return c.onCharacters(text)
	}
}

// onCharacters calls a method that counts characters, or that replaces them.
func (c *call) onCharacters(text string) value {
	runes := []rune(text)
	switch {
	case c.is("charAt", 1):
		if i := c.numberOf(0, len(runes)-1); c.err == nil {
			return string(runes[i])
		}
	case c.is("substring", 1):
		return string(runes[c.numberOf(0, len(runes)):])
	case c.is("substring", 2):
		end := c.numberOf(1, len(runes))
		return string(runes[min(c.numberOf(0, end), end):end])
	case c.is("indexOf", 1):
		return runeIndex(text, strings.Index(text, c.textOf(0)))
	case c.is("lastIndexOf", 1):
		return runeIndex(text, strings.LastIndex(text, c.textOf(0)))
	case c.is("replace", 2):
		return c.replace(text)
	default:
		return c.onPattern(text)
	}
	return nil
}

// runeIndex returns the index of a character for one of a byte.
func runeIndex(text string, index int) value {
	if index < 0 {
		return int64(-1)
	}
	return int64(len([]rune(text[:index])))
}
