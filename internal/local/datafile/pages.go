package datafile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
)

// The layout of a bbolt file of version 2, in the byte order of the machine that wrote
// it: pages of one size, of which the first two are metas, each the root of one of the
// last two transactions. A page begins with
//
//	id uint64, flags uint16, count uint16, overflow uint32
//
// and goes on for overflow more pages. A meta then has
//
//	magic, version, page size, flags uint32, root, sequence, free list, pages,
//	transaction uint64, and the FNV-1a checksum of all that
//
// and other pages have count elements of 16 bytes, whose keys and values lie at a
// position after the element itself:
//
//	branch: position, key size uint32, page uint64
//	leaf:   flags, position, key size, value size uint32
//
// The value of a bucket is its root and its sequence, both uint64. Its root is 0 if the
// bucket is small: then its only page lies behind these two.
const (
	headerSize  = 16
	elementSize = 16
	metaSize    = 64 // 8 of them are its checksum

	magic       = 0xED0CDAED
	pageVersion = 2
	noFreeList  = ^uint64(0)

	branchFlag = 1
	leafFlag   = 2
	metaFlag   = 4

	bucketFlag = 1 // of an element
)

var order = binary.NativeEndian

// meta is the root of a transaction.
type meta struct {
	pageSize, root, freeList, pages, transaction uint64
}

// checkPages walks all pages that a bbolt file uses, and returns which they are. It is at
// least as strict as bbolt itself, which panics where this returns an error.
func checkPages(data []byte) (*pageWalk, error) {
	newest, err := readMetas(data)
	if err != nil {
		return nil, err
	}
	if want := newest.pages * newest.pageSize; want/newest.pageSize != newest.pages || want > uint64(len(data)) {
		return nil, fmt.Errorf("%w (it has %d bytes, want %d)", ErrDamaged, len(data), want)
	}
	w := &pageWalk{data: data, meta: newest, seen: map[uint64]bool{0: true, 1: true}}
	if err := w.walk(newest.root); err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrDamaged, err)
	}
	return w, nil
}

// readMetas returns the newest of the two metas. Both are valid in a file that nobody
// damaged: a meta is smaller than what a disk writes at once.
func readMetas(data []byte) (newest meta, err error) {
	if len(data) < headerSize+metaSize || order.Uint32(data[headerSize:]) != magic {
		if len(data) == 0 {
			return newest, fmt.Errorf("%w (it is empty)", ErrDamaged)
		}
		return newest, ErrForeign
	}
	pageSize := uint64(order.Uint32(data[headerSize+8:]))
	for id := range uint64(2) {
		m, err := readMeta(data, id, pageSize)
		if err != nil {
			return newest, fmt.Errorf("%w (page %d: %v)", ErrDamaged, id, err)
		}
		if id == 0 || m.transaction > newest.transaction {
			newest = m
		}
	}
	if newest.freeList != noFreeList {
		return newest, ErrForeign // another program opened it
	}
	return newest, nil
}

func readMeta(data []byte, id, pageSize uint64) (m meta, err error) {
	at := id * pageSize
	if at+headerSize+metaSize > uint64(len(data)) {
		return m, errors.New("beyond the end of the file")
	}
	header, b := data[at:at+headerSize], data[at+headerSize:at+headerSize+metaSize]
	checksum := fnv.New64a()
	checksum.Write(b[:metaSize-8])
	m = meta{
		pageSize: uint64(order.Uint32(b[8:])), root: order.Uint64(b[16:]),
		freeList: order.Uint64(b[32:]), pages: order.Uint64(b[40:]), transaction: order.Uint64(b[48:]),
	}
	switch {
	case order.Uint32(b) != magic, order.Uint32(b[4:]) != pageVersion:
		return m, errors.New("not a meta")
	case checksum.Sum64() != order.Uint64(b[metaSize-8:]):
		return m, errors.New("wrong checksum")
	case m.pageSize != pageSize, pageSize < 1024, order.Uint64(header) != id, order.Uint16(header[8:]) != metaFlag:
		return m, errors.New("wrong header")
	}
	return m, nil
}

// pageWalk visits each page once.
type pageWalk struct {
	data []byte
	meta meta
	seen map[uint64]bool // the pages that are used, with the metas
}

// page is a page with its overflow, or the page inside a small bucket.
type page struct {
	id    uint64
	bytes []byte
	flags uint16
	count int
}

// walk visits a tree of pages, with the buckets in it.
func (w *pageWalk) walk(root uint64) error {
	p, err := w.page(root)
	if err != nil {
		return err
	}
	_, err = w.visit(p, nil, nil)
	return err
}

// page returns a page that was not visited before.
func (w *pageWalk) page(id uint64) (page, error) {
	if id < 2 || id >= w.meta.pages {
		return page{}, fmt.Errorf("page %d: there are %d pages", id, w.meta.pages)
	}
	p, err := parsePage(id, w.data[id*w.meta.pageSize:])
	if err != nil {
		return p, err
	}
	if got := order.Uint64(p.bytes); got != id {
		return p, fmt.Errorf("page %d: its number is %d", id, got)
	}
	end := id + 1 + uint64(order.Uint32(p.bytes[12:]))
	if end > w.meta.pages {
		return p, fmt.Errorf("page %d: it ends at page %d of %d", id, end, w.meta.pages)
	}
	for i := id; i < end; i++ {
		if w.seen[i] {
			return p, fmt.Errorf("page %d: used twice", i)
		}
		w.seen[i] = true
	}
	p.bytes = p.bytes[:(end-id)*w.meta.pageSize]
	return p, nil
}

func parsePage(id uint64, b []byte) (page, error) {
	if len(b) < headerSize {
		return page{}, fmt.Errorf("page %d: too short", id)
	}
	p := page{id: id, bytes: b, flags: order.Uint16(b[8:]), count: int(order.Uint16(b[10:]))}
	if p.flags != leafFlag && p.flags != branchFlag || p.flags == branchFlag && p.count == 0 {
		return p, fmt.Errorf("page %d: neither leaf nor branch", id)
	}
	return p, nil
}

// element returns what is in an element: sizes as its kind has them.
func (p page) element(i int) (fields [4]uint32, key, value []byte, err error) {
	at := headerSize + i*elementSize
	if at+elementSize > len(p.bytes) {
		return fields, nil, nil, fmt.Errorf("page %d: %d elements do not fit", p.id, p.count)
	}
	for n := range fields {
		fields[n] = order.Uint32(p.bytes[at+4*n:])
	}
	position, keySize, valueSize := uint64(fields[0]), uint64(fields[1]), uint64(0)
	if p.flags == leafFlag {
		position, keySize, valueSize = uint64(fields[1]), uint64(fields[2]), uint64(fields[3])
	}
	begin := uint64(at) + position
	if keySize == 0 || begin+keySize+valueSize > uint64(len(p.bytes)) {
		return fields, nil, nil, fmt.Errorf("page %d: element %d lies beyond its end", p.id, i)
	}
	key = p.bytes[begin : begin+keySize]
	return fields, key, p.bytes[begin+keySize : begin+keySize+valueSize], nil
}

// visit visits a page and those below it. Its keys must rise, from least on and below
// limit, unless these are nil. It returns the last key.
func (w *pageWalk) visit(p page, least, limit []byte) (last []byte, err error) {
	for i := range p.count {
		fields, key, value, err := p.element(i)
		if err != nil {
			return nil, err
		}
		if i == 0 && bytes.Compare(key, least) < 0 || i > 0 && bytes.Compare(key, last) <= 0 ||
			limit != nil && bytes.Compare(key, limit) >= 0 {
			return nil, fmt.Errorf("page %d: element %d is out of order", p.id, i)
		}
		last = key
		switch {
		case p.flags == branchFlag:
			next := limit
			if i+1 < p.count {
				if _, next, _, err = p.element(i + 1); err != nil {
					return nil, err
				}
			}
			child, err := w.page(order.Uint64(p.bytes[headerSize+i*elementSize+8:]))
			if err != nil {
				return nil, err
			}
			if last, err = w.visit(child, key, next); err != nil {
				return nil, err
			}
		case fields[0]&bucketFlag != 0:
			if err := w.bucket(p.id, value); err != nil {
				return nil, err
			}
		}
	}
	if last == nil {
		last = least
	}
	return last, nil
}

// bucket visits the pages of a bucket.
func (w *pageWalk) bucket(id uint64, value []byte) error {
	if len(value) < 16 {
		return fmt.Errorf("page %d: a bucket without a root", id)
	}
	if root := order.Uint64(value); root != 0 {
		return w.walk(root)
	}
	p, err := parsePage(id, value[16:])
	if err == nil && p.flags != leafFlag {
		err = fmt.Errorf("page %d: a small bucket with branches", id)
	}
	if err != nil {
		return err
	}
	_, err = w.visit(p, nil, nil)
	return err
}
