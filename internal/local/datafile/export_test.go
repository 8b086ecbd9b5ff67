package datafile

// Syncs reports whether bbolt makes each transaction durable before it returns.
func (f *File) Syncs() bool { return !f.db.NoSync && !f.db.NoGrowSync }

// ReplaceSync calls sync, instead of the operating system's, when free pages were
// overwritten.
func (f *File) ReplaceSync(sync func() error) { f.sync = sync }
