package wire

import "time"

// Instance is one waygate-authz.
type Instance struct {
	ID          string `json:"id"`
	Boot        string `json:"boot"`
	Version     string `json:"version"`
	Service     string `json:"service"`
	Environment string `json:"environment"`
	// Presence is live (reported within 3 s), lost (silent without a goodbye) or gone.
	Presence string `json:"presence" enum:"live,lost,gone"`
	// Applied is what the instance enforces.
	Applied    Place             `json:"applied"`
	Enforces   bool              `json:"enforces" doc:"Whether it enforces the revision asked for (the current one when none was)"`
	Lag        uint64            `json:"lag" doc:"Revisions behind the current one; of another epoch: all of them"`
	Link       string            `json:"link" doc:"The state of its link to the store: connected, reconnecting or holding"`
	Alarm      string            `json:"alarm,omitempty"`
	SkewMS     int64             `json:"skew_ms" doc:"The store's clock minus the instance's own, which is corrected by it up to 5 minutes"`
	LastSeen   time.Time         `json:"last_seen"`
	SilentMS   int64             `json:"silent_ms"`
	Checks     uint64            `json:"checks"`
	Refused    uint64            `json:"refused"`
	Unreadable uint64            `json:"unreadable"`
	Hits       map[string]uint64 `json:"hits,omitempty" doc:"Checks per route key; bounded"`
	Unseen     map[string]uint64 `json:"unseen,omitempty" doc:"Path templates seen for which no key is known; bounded"`
}

// Report is what an instance puts of itself. Members that are not known here are ignored: an instance may be newer.
type Report struct {
	_ struct{} `additionalProperties:"true"`

	Boot       string            `json:"boot,omitempty"`
	Version    string            `json:"version,omitempty"`
	Service    string            `json:"service,omitempty"`
	Env        string            `json:"env,omitempty"`
	Epoch      string            `json:"epoch,omitempty"`
	Gen        uint64            `json:"gen,omitempty" doc:"The generation of the epoch"`
	Rev        uint64            `json:"rev,omitempty" doc:"The revision that is enforced"`
	Head       string            `json:"head,omitempty" doc:"The head of the log at that revision, in hex"`
	Link       string            `json:"link,omitempty"`
	Alarm      string            `json:"alarm,omitempty"`
	SkewMS     int64             `json:"skew_ms,omitempty" doc:"The store's clock minus the instance's own"`
	Bye        bool              `json:"bye,omitempty" doc:"Set in the last report of an orderly stop"`
	Checks     uint64            `json:"checks,omitempty"`
	Refused    uint64            `json:"refused,omitempty"`
	Unreadable uint64            `json:"unreadable,omitempty"`
	Hits       map[string]uint64 `json:"hits,omitempty"`
	Unseen     map[string]uint64 `json:"unseen,omitempty"`
}
