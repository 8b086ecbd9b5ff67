// Package datafile keeps what a localhub must not lose in one file of a folder: items,
// carts, receipts, revocations, the epoch and the development keys. It is the journal
// of memstore, which has the rules. bbolt writes the file.
//
// # Rows
//
// The file has one bucket. Its keys, with JSON as values unless the table says so:
//
//	item/<sku>                a [hub.Item]
//	cart/<cart>               a [hub.Cart]
//	receipt/<cart>\0<key>     a [hub.Receipt]
//	revoked/<name>            up to when sessions are revoked, by a hash of their user
//	shown                     the highest version that clients may show of a removed cart
//	epoch                     the epoch, as text
//	keys                      the development keys, as their owner wrote them
//	format                    which layout this is, as text
//	sum                       the checksum of all other rows, in hexadecimal
//
// # Damage
//
// bbolt has checksums of its two first pages only, and trusts the others: it ends the
// process, or returns other rows, if a byte of them is wrong. So [Open] walks the pages
// before bbolt does, and compares the rows with the checksum. A write fails if the file was
// damaged, moved, removed or replaced while it was open.
//
// # Removed rows
//
// bbolt leaves the bytes of what was removed or replaced in free pages. Open, and a Write
// whose rows have Wipe, overwrite all free pages with zeros.
//
// # Guarantees
//
// Any number of goroutines may use a File. What Write or Keep has taken is on disk when
// it returns, in the file that the path leads to. A File is locked against other processes
// until Close or the end of the process. A file is complete before it has its name, so a
// process that is killed leaves no half of one.
package datafile
