package admin

import (
	"context"
	"fmt"
)

// Findings are what the doctor says of endpoints: those that are sent nothing, and what cannot be read. Where all is well
// it says nothing, for there need be none.
func (e *Endpoints) Findings(ctx context.Context) []Finding {
	var found []Finding
	warn := func(sentence, advice string) {
		found = append(found, Finding{Level: LevelWarn, Subject: "webhooks", Sentence: sentence, Advice: advice})
	}
	if trouble := e.cfg.Trouble(); trouble != "" {
		warn(trouble, "mend the file: the endpoints it named before are still in force")
	}
	seen, err := e.read(ctx)
	if err != nil {
		return found // that the store does not answer is told already
	}
	all, broken := endpointsIn(seen.fields, e.cfg.Fixed())
	for field, err := range broken {
		warn(fmt.Sprintf("%s in the private part of the store cannot be read: %s", field, err), "remove the endpoint and add it again")
	}
	for _, one := range sortedEndpoints(all) {
		if one.Disabled {
			warn(fmt.Sprintf("%s is disabled and is sent nothing: %s", one.called(), one.Why), "waygate webhook enable "+one.ID)
		}
		if dead, err := e.deliveries.Dead(ctx, one.ID); err == nil && len(dead) > 0 {
			warn(fmt.Sprintf("%s has %d dead letters, the last because %s", one.called(), len(dead), dead[len(dead)-1].Why),
				"waygate webhook redeliver "+one.ID+" --dead")
		}
	}
	return found
}

// called is how an endpoint is spoken of.
func (e *Endpoint) called() string {
	if e.Name == "" {
		return e.ID
	}
	return e.ID + " (" + e.Name + ")"
}
