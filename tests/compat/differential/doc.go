// Package differential sends the same random requests to etcd v3.7.1 and to kvorum and compares what
// comes back: responses, codes, texts, watch events in their order. Whatever one member serves is in:
// KV with RangeStream, Watch, Lease, MemberList, Maintenance, health on both ports' protocols, and on
// the way there what gRPC itself refuses.
//
// A run is a pair of fresh servers, a seed and a number of steps (plan.go). A generator (generator.go, gen_*.go)
// makes up the next step from the seed and from what the reference has answered so far; keys, leases
// and revisions come from small sets, so that requests meet each other's effects, with values at and
// beyond every boundary. A step (step*.go) is complete in itself, so that a run can be replayed
// without what does not matter: that is how shrink.go makes a failure short.
//
// What may differ is either ids and times, which mask.go and reconcile.go take out, or listed with a
// reason in known_list.go. An entry of that list that no run meets any more fails the test.
//
//	go test ./differential                              the runs of plan.go, 50,000 requests
//	DIFFERENTIAL_SEED=7 go test ./differential          one other run, of the first kind
//	DIFFERENTIAL_REQUESTS=100000 go test ./differential so many in each run
//	DIFFERENTIAL_GO_ON=20 go test ./differential        up to so many differences in each run
//
// Requests that stop the reference are not generated; stoppers_test.go sends them to kvorum alone.
package differential
