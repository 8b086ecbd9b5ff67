package esm

// Hold makes Run and Step invoke nothing, or lets them go on. What is being processed ends as
// usual. Records that are put meanwhile wait, and a full shard drops its oldest ones.
func (m *Mapping) Hold(on bool) {
	for _, sh := range m.shards {
		sh.mu.Lock()
		sh.held = on
		sh.mu.Unlock()
		sh.signal()
	}
}

// Again puts a batch that was delivered behind those that wait for a retry, as AWS delivers one
// again whose checkpoint was lost. Its records count as not delivered until then. Batches after
// it may have come in the meantime, so the function gets older records behind newer ones.
func (m *Mapping) Again(b Batch) {
	sh := m.shards[b.Shard]
	sh.mu.Lock()
	defer sh.signal()
	defer sh.mu.Unlock()
	again := formedBatch{duplicate: true, entries: make([]entry, len(b.Records))}
	for i, r := range b.Records {
		again.entries[i].record = r // position 0: whoever waits now waits for it too
	}
	sh.batches = append(sh.batches, again)
	sh.waiting += len(b.Records)
	sh.stats.Delivered -= len(b.Records)
	sh.stats.Duplicated++
	sh.trimLocked()
}
