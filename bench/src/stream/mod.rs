//! The benchmark of packet streams.
//!
//! | case | what | floor | at least |
//! |---|---|---|---|
//! | `all-bytes/N` | packets of N bytes, all of which the source writes and the sink reads, by checked copies | `ring` | 0.8 × the rate for 64 and 1024 bytes, 0.75 from 4096 on |
//! | `trusted/N` | the same by plain slices of a trusted peer | `ring` | 0.95 from 4096 on |
//! | `header/N` | all bytes are written and the first 40 are read, by checked copies | `ring` | |
//!
//! The source copies each packet in from private memory that stays in the cache; the sink sums up what it reads, and the
//! sum must be the right one.
//!
//! The floor `ring` is a ring of slots written by hand for one who puts and one who takes, with cached counts, that does the same
//! with as many packets of the same content: nothing is checked, a packet is shown as soon as it is there, and slots are used in
//! their order, so that nothing is acknowledged. A stream shows packets in batches;
//! [`ratio_to_rare_ring`](Row::ratio_to_rare_ring) compares it with the same ring whose counts move as seldom. What one process alone reads
//! in a second out of as much memory as the ring has says [`read_gb_s`](Row::read_gb_s).
//!
//! Ours and the floor run in the same two processes, with a core each, in blocks of about 10 ms that alternate: each block has
//! as many packets, and ends when all of them have been read and their room is free again. Both sides look all the
//! while: nobody sleeps or is signalled. Times are those of a block by its packets. The
//! [`ratio`](Row::ratio) is that of the *rates* of two neighbouring blocks, and of these ratios the median: more is better.

mod access;
mod case;
mod load;
mod payload;
mod sink;
mod source;
mod trusting;

use crate::call::Skipped;
use crate::cores::Cores;
use crate::error::Error;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::row::Row;
use case::Case;
pub(crate) use load::{Load, Through};
pub(crate) use sink::Sinks;

/// Measures, and hands each row over as soon as it is there. Answers which cases this machine has no cores for.
///
/// Blocks for up to a minute. The calling thread is bound to a core, and free again after. Progress is shown on the standard
/// error if that is a terminal.
///
/// # Errors
/// As [`call::run`](crate::call::run); [`Error::Stream`].
pub fn run(options: &Options, report: &mut dyn FnMut(&Row)) -> Result<Vec<Skipped>, Error> {
    let cases = options.choose(Case::all(), |case| case.name())?;
    let cores = Cores::available()?;
    let mut progress = Progress::start(cases.len());
    let mut skipped = Vec::new();
    for case in cases {
        let (first, Some(second)) = cores.first_two() else {
            skipped.push(Skipped::for_want_of_cores(case.name()));
            continue;
        };
        progress.begin(&case.name());
        let _bound = cores.bind_for_now(Some(first))?;
        let row = case.run(options, second)?;
        progress.clear();
        report(&row);
    }
    Ok(skipped)
}
