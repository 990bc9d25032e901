package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Headers of the Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks, "Webhook headers".
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// stampEvery is for how long attempts carry the same timestamp, and so the same signature. Receivers accept one that is
// up to 5 minutes old.
const stampEvery = 2 * time.Minute

// stampOf is the timestamp of an attempt at now: the event's own time, moved on by whole steps so that it is never older
// than one step. Attempts that follow each other closely are the same to the byte, whichever admin makes them.
func stampOf(event, now time.Time) int64 {
	if late := now.Sub(event); late > 0 {
		event = event.Add(late - late%stampEvery)
	} else if late < -stampEvery {
		event = now
	}
	return event.Unix()
}

// sign gives the value of the signature header: one signature for each secret that is in force.
func sign(secrets []Secret, id string, at int64, body []byte, now time.Time) string {
	var all []string
	for _, s := range secrets {
		key, err := s.key()
		if err != nil || s.over(now) {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at, 10) + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}
