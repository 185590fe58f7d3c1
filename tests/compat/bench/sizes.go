package main

import "time"

// Sizes says how much one run of each workload does.
type Sizes struct {
	OneClient   int // operations of a workload with one client
	ManyClients int // operations of a workload with many
	Clients     int // how many "many" is
	Conns       int // connections these share

	Keys       int // rows of the store that is listed, compacted, defragmented and restarted
	ValueBytes int
	Lists      int
	Superseded int           // revisions that the compaction drops
	PutRate    int           // puts a second beside compaction and defragmentation
	Window     time.Duration // how long these puts run at least
}

var fullSizes = Sizes{
	OneClient: 20_000, ManyClients: 200_000, Clients: 1000, Conns: 100,
	Keys: 400_000, ValueBytes: 512, Lists: 5, Superseded: 100_000,
	PutRate: 500, Window: 10 * time.Second,
}

var quickSizes = Sizes{
	OneClient: 4_000, ManyClients: 60_000, Clients: 1000, Conns: 100,
	Keys: 400_000, ValueBytes: 512, Lists: 3, Superseded: 100_000,
	PutRate: 500, Window: 3 * time.Second,
}
