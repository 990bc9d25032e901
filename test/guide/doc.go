// Package guide holds the scripts that people run against Waygate, and the test that runs them.
//
// The files under scripts/ are what users copied from their guide into cron jobs, pipelines and pod definitions: they
// must go on working as they are, so they are never edited here. What they call besides Waygate (docker, uv, kubectl,
// alembic) is a stub that does nothing; curl, jq, Python and Waygate are the real ones.
package guide
