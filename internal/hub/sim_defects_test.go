package hub_test

// defects are planted bugs. The zero value is the real system.
type defects struct {
	snapshotBeforeSubscribe  bool
	versionResetOnRecreate   bool
	everyMessageApplied      bool
	acknowledgedAfterPartial bool
	earlyDeltasDropped       bool
	sessionNotChecked        bool
	subscribedInConnect      bool
	throttledDropped         bool
	subscribersCached        bool
	duplicateAppliedTwice    bool
	expiryNotRecorded        bool
	revocationNotRecorded    bool
	noticeDropped            bool
	oneMarkPage              bool
	renewedMarksCleared      bool
	endNotRecorded           bool
	backOrderDateLost        bool
	checkoutRepeated         bool
	refusedWithoutKey        bool
	revIgnored               bool
	revComparedAsText        bool
	unraisedSuppressed       bool
	highestCoalesced         bool
	revNotMarked             bool
	lowerAnswerIgnored       bool
	lowerAnswerNotAsked      bool
	resumedByVersion         bool
	cartsRestart             bool
	oldKeyRetried            bool
	childrenDoNotWait        bool
	itemBeforeSweep          bool
	viewersCached            bool
	endNotCompared           bool
	bellsNotRung             bool
	wantedLowered            bool
	revNotAsked              bool
	vendorAmongOthers        bool
}

// plantedDefects are the bugs that the simulation must find, one at a time.
var plantedDefects = []struct {
	name    string
	defects defects
}{
	{"snapshot read before the subscription is stored", defects{snapshotBeforeSubscribe: true}},
	{"version restarts when an item is created again", defects{versionResetOnRecreate: true}},
	{"client applies every message", defects{everyMessageApplied: true}},
	{"batch acknowledged after a partial fan-out", defects{acknowledgedAfterPartial: true}},
	{"client drops deltas before its snapshot", defects{earlyDeltasDropped: true}},
	{"session not checked at send", defects{sessionNotChecked: true}},
	{"subscribed in $connect, deleted after a 410", defects{subscribedInConnect: true}},
	{"throttled post counts as delivered", defects{throttledDropped: true}},
	{"cached list of subscribers", defects{subscribersCached: true}},
	{"repeated request applied again", defects{duplicateAppliedTwice: true}},
	{"expiry of a session not recorded", defects{expiryNotRecorded: true}},
	{"revocation not recorded", defects{revocationNotRecorded: true}},
	{"notice of an expired session dropped", defects{noticeDropped: true}},
	{"only the first page of marks is read", defects{oneMarkPage: true}},
	{"a renewed mark is cleared", defects{renewedMarksCleared: true}},
	{"date of a back order lost on its way", defects{backOrderDateLost: true}},
	{"late message brings back an ended connection", defects{endNotRecorded: true}},
	{"repeated checkout empties a newer cart", defects{checkoutRepeated: true}},
	{"refused without another look at the key", defects{refusedWithoutKey: true}},
	{"client ignores the rev of an entry", defects{revIgnored: true}},
	{"client compares revs as text", defects{revComparedAsText: true}},
	{"change with an old version suppressed", defects{unraisedSuppressed: true}},
	{"batch reduced to the highest version", defects{highestCoalesced: true}},
	{"mark does not keep revs", defects{revNotMarked: true}},
	{"client ignores an answer with a lower version", defects{lowerAnswerIgnored: true, lowerAnswerNotAsked: true}},
	{"versions of a removed cart restart", defects{cartsRestart: true}},
	{"client resumes with versions only", defects{resumedByVersion: true}},
	{"client repeats a write whose key is forgotten", defects{oldKeyRetried: true}},
	{"shards that split are read before their parents", defects{childrenDoNotWait: true}},
	{"item of a sweep read before its row", defects{itemBeforeSweep: true}},
	{"viewers of a sweep read from a replica that lags", defects{viewersCached: true}},
	{"sweep ended although a newer change is wanted", defects{endNotCompared: true}},
	{"lost bells not rung by the schedule", defects{bellsNotRung: true}},
	{"late batch lowers what a sweep wants", defects{wantedLowered: true}},
	{"sweep does not keep revs", defects{revNotAsked: true}},
	{"vendor among those who see badges", defects{vendorAmongOthers: true}},
}
