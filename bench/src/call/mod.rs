//! The benchmark of calls.
//!
//! | case | what | floor |
//! |---|---|---|
//! | `both-awake/N` | calls back to back that carry N bytes there and back, client and server on a core each | `spin` |
//! | `same-core/N` | the same, both on one core; doorbell: pipe | `futex` |
//! | `same-core-socket/N` | the same; doorbell: socket | `futex` |
//! | `unpinned/N` | the same, on whatever cores the system chooses | `spin` |
//! | `layer/N` | typed calls that carry N bytes there and back, client and server on a core each | `untyped` |
//! | `new-object` | a call whose reply carries the capability to a new object, which the client drops | `call` |
//! | `delegate-third-party` | a call that passes the capability to an object of another server, and within it one call to that object | `scm-rights` |
//! | `callback` | a call that passes the capability to an object of the client, and within it one call to that object | `two-calls` |
//! | `objects/1000000` | calls to objects of one entrypoint, chosen at random out of a million | `objects/10` |
//! | `object-of-1000000` | calls to one and the same of a million objects | `objects/10` |
//! | `clients/K` | calls of K client processes to one server at once, on whatever cores | `one-client` |
//!
//! All calls but those of `untyped` are typed: a client's method, whose argument and result are byte strings of N bytes, and
//! an object that an entrypoint manages. An object sends back a copy of what it gets.
//!
//! The floors `spin` and `futex` are ping-pongs over shared memory, written by hand for nothing else, that carry the
//! same N bytes both ways (see the source of `floor`). `untyped` are calls by the layer below, of messages that are
//! ready, to a server without an entrypoint: another thread of the same process, over a channel like the other. `call` is
//! a call without data, `objects/10` are calls to random ones of ten objects, `one-client` is the same server with one
//! of the clients at work.
//!
//! `scm-rights` is what one would write by hand for three processes that have a socket to each other: a pair of sockets is
//! made and one end sent to each of the two, by SCM_RIGHTS; a byte goes there and back over it, and the one who sent it
//! says that it is done. `two-calls` are two calls without data, to the same server: as many messages as a call and a
//! call back. Both cases have three threads that take turns, on whatever cores the system chooses.
//!
//! *How it is measured.* Ours and the floor run in the same two processes, in blocks of about 10 ms that alternate,
//! since machines change by the minute. The beginning of each block is not recorded. By turns, one operation alone and a
//! group of operations lie between two looks at the clock, in the same way on both sides: as many as take two microseconds,
//! at most 16. A look costs some tens of nanoseconds of what is measured, since the processor must be done with all before
//! it, and the clock of a virtual machine may tick every ten. So medians are those of groups, by the operation; the time
//! that 99 of 100 do not exceed is that of operations alone, and [`clock_ns`](crate::Row::clock_ns) says what a look adds
//! to it. The ratio is that of the medians of two neighbouring blocks, and of these ratios the median; the smallest and
//! the largest are told, too. Cases with a set number of operations (`delegate-third-party`, `callback`) and `clients/K`
//! have all of them alone.
//!
//! *Busy machines.* Other work disturbs blocks, and the medians pass over those. But the cases with the floor `spin`
//! want two cores for themselves: where the system puts two processes that spin on one core, a message takes a time
//! slice, and the ratio of `unpinned` says nothing (it is far below 1 then).
//!
//! *Doorbells.* A client wakes a sleeping server by a byte over the socket, which is safe with any server, or through
//! a pipe, which is cheaper and for servers that it trusts ([`Doorbell`](portcullis_ipc::Doorbell)). The two sides of
//! a benchmark trust each other, so `same-core` rings by pipe; `same-core-socket` shows the default. The other cases
//! have the default: the server is awake in nearly all of their calls.
//!
//! *Objects.* They have no state of their own: what the cases with a million of them cost over the floor is the way to
//! a capability that is not in the cache, at the client, and to a row that is not, at the server.
//!
//! *Clients.* All clients begin when a gate opens for them all and call until the time is over, which is long enough
//! for each to get its turns on two cores. `slowest_to_mean` says how fair that was.

mod case;
mod clients;
mod objects;
mod pair;
mod strangers;

pub use case::Skipped;

use crate::cores::Cores;
use crate::error::Error;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::row::Row;
use case::Case;

/// Measures, and hands each row over as soon as it is there. Answers which cases this machine has no cores for.
///
/// Blocks for up to a minute. The calling thread is bound to a core for some of the cases, and free again after.
/// Progress is shown on the standard error if that is a terminal.
///
/// # Errors
/// [`Error::NoSuchCase`] before anything is measured; [`Error::Call`], [`Error::Stalled`] or [`Error::System`] if a
/// component cannot be started or fails. Rows that were handed over stay good.
pub fn run(options: &Options, report: &mut dyn FnMut(&Row)) -> Result<Vec<Skipped>, Error> {
    let cases = options.choose(Case::all(), Case::name)?;
    let cores = Cores::available()?;
    let mut progress = Progress::start(cases.len());
    let mut skipped = Vec::new();
    for case in cases {
        if let Some(obstacle) = case.obstacle(&cores) {
            skipped.push(obstacle);
            continue;
        }
        progress.begin(&case.name());
        let row = case.run(options, &cores)?;
        progress.clear();
        report(&row);
    }
    Ok(skipped)
}
