#pragma once
// raft: agreement on a log, as a pure state machine.
//
// RawNode turns inputs (ticks, proposals, peers' messages, acknowledgements of its caller's writes)
// into outputs (`Ready`). It starts no thread, reads no clock, file or random source, takes no lock
// and blocks nowhere; time is Tick(), randomness Config::random. One thread drives it.
//
//   for (;;) {
//     feed inputs: Tick, Step, Propose, ReadIndex, OnAppended, OnApplied, ApplyConfChange ...
//     while (node.HasReady()) {
//       Ready ready = node.TakeReady();
//       publish ready.soft_state; send ready.messages; answer ready.read_states;
//       hand {snapshot, entries, hard_state, must_sync, messages_after_append, append_ack} to the
//       WAL stage if ready.needs_append; hand committed_entries to the apply stage
//     }
//   }
//
// The caller's duties, numbered because other files refer to them:
//
//  1. Storage is asynchronous, always. Any number of Readys may be outstanding; TakeReady never
//     waits for an earlier one. Readys are written in the order taken; several may share one fsync.
//  2. `messages` may leave at once: what they say does not depend on this Ready's write. So a
//     leader's appends travel while it syncs, and heartbeats and read confirmations never wait for
//     a disk.
//  3. `messages_after_append` leave when this Ready's write and all before it are durable, in
//     order: append and vote answers promise what is on disk.
//  4. When a Ready's write is durable (if must_sync: after the fsync; otherwise after the write),
//     its append_ack goes to OnAppended, in order. The member's own vote and own append travel in
//     it, so they count only now. An ack taken in an older term moves no entries (the same entry
//     may since have been overwritten and brought back: "ABA"); the Ready that announced the newer
//     term acks them again. Dropping an ack, or giving one whose write failed, breaks the protocol:
//     a failed write ends the process.
//  5. committed_entries are applied in order. They are durable here before they are handed out, so
//     a store can never be ahead of its own log. Applied is reported by OnApplied, batches at will;
//     entries stop coming while Config::max_applying_bytes of them are not reported.
//  6. A configuration change takes effect when applied: ApplyConfChange with its index, once for
//     each committed change in order, before OnApplied of that index; refused by the application:
//     the same with node id 0, which changes nothing. With Config::split_at_conf_change a batch
//     ends at the first change and the next comes after OnApplied of that change. Between taking
//     such a batch and ApplyConfChange, hold back messages_after_append: votes are to be asked of
//     and given to the members of the configuration in force. An election does not start in that
//     window anyway. If a snapshot overtakes a batch already handed out, go on as usual: the core
//     keeps the older configuration to answer from.
//  7. `snapshot` replaces the whole log and state. It is durable (snapshot file, then WAL record)
//     before its append_ack is given; committed_entries pause until then. The apply stage gets it
//     behind the batches handed out before and ahead of the next one. Its configuration is already
//     in force here. After the ack, applied() counts it as applied; OnApplied of it comes after the
//     ack, too. A newer snapshot may arrive in between and follow the same way.
//  8. `read_states`: serve the read when the store has applied the index. Answers are bound to the
//     leader's term; requests in flight when leadership changes are lost and must be asked again.
//     A sole voter answers at once, see SoleVoterReadIndex.
//  9. Storage (storage.h): the core appends to it in OnAppended; the caller creates snapshots in it
//     and compacts it, up to what is applied.
//
// What is durable when: a term and a vote before any message that rests on them, an entry before it
// is acknowledged, counted or applied, a snapshot before entries behind it are applied. The commit
// index is written with the rest, but not synced for its own sake: after a crash it may be lower.
//
// Restart. Create() takes log, HardState and snapshot from Config::storage and Config::applied.
// With a store that is durable up to index F and remembers F's term:
//   - the log holds F with that term: raise HardState.commit to at least F, applied = F;
//   - it does not (a directory taken over from elsewhere): leave commit, applied = min(F, commit);
//     skip entries <= F when they are handed out again, configuration changes included (do not call
//     ApplyConfChange for them, the stored configuration has them).
//   Either way Config::conf_state is the store's, the one in force at `applied` (or at F). A commit
//   index raised like this is not announced in a Ready: who needs it on disk writes it first.
//
// Joint configurations and V2 changes are complete here, but a server must never log V2, and so
// leaves Config::allow_conf_change_v2 off: the original's apply loop ends the process on one, and a
// joint state never appears on its wire.
//
// From the network nothing is trusted: malformed, foreign or absurd messages are dropped. Two
// things end the process, because they mean that this member (or a majority) lost what it had
// promised: a leader's commit index beyond our log, and an entry that conflicts with a committed
// one.
//
// Where we differ from the reference, each time to the safe side and without a trace on the wire:
//   - Vote requests wait for the write (3). Its asynchronous mode lets them go at once; but a grant
//     earned by a log tail or a term that a crash then takes away can reach the restarted
//     candidate, which counts it: two leaders in one term (the simulation finds it).
//   - A leader answers reads only after committing an entry of its own term even when it is the
//     sole voter: after a restart its commit index may lag what it had acknowledged.
//   - A leader that removed itself never counts as sole voter.
//   - Reads postponed by a new leader are dropped when it loses the leadership, and bounded.
//   - Unparsable proposals and malformed messages are dropped where it would panic; so is a change
//     nobody could apply, like the removal of the last voter, which would end every member.
//   - A change that makes the quorum smaller releases at once the reads the rest has confirmed.
//
// Left out on purpose: lease-based reads (they trust clocks), quiescence. Every message kind of the
// wire is handled; MsgStorage* (the reference's local protocol) is replaced by Ready and AppendAck.
//
// Where to read on: raw_node.h (the face), raft_core.h (the state),
// step_{follower,candidate,leader}.cc (who does what with which message), log.h, tracker/, quorum/,
// confchange/ (pure arithmetic). Follows: go.etcd.io/raft v3.7.0 in behaviour on the wire; Ongaro's
// thesis 3.6, 4, 6.4, 9.6, 10.2.1.

#include "raft/config.h"
#include "raft/raw_node.h"
#include "raft/ready.h"
#include "raft/storage.h"
#include "raft/types.h"
