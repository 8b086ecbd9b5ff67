package datafile

import "bytes"

// wipe overwrites all pages that the file does not use with zeros, and makes that durable.
// bbolt leaves what was removed or replaced in them until it uses them again. If the last
// transaction is on disk, a crash at any instant is harmless: nothing reads these pages.
// Nothing else may use bbolt meanwhile.
func (f *File) wipe() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	data := make([]byte, info.Size())
	if _, err := f.file.ReadAt(data, 0); err != nil {
		return err
	}
	pages, err := checkPages(data)
	if err != nil {
		return err
	}
	size := int(pages.meta.pageSize)
	zeros := make([]byte, size)
	for at := 0; at < len(data); at += size {
		page := data[at:min(at+size, len(data))]
		if pages.seen[uint64(at/size)] || bytes.Equal(page, zeros[:len(page)]) {
			continue
		}
		if _, err := f.file.WriteAt(zeros[:len(page)], int64(at)); err != nil {
			return err
		}
	}
	return f.sync()
}
