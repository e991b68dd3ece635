//! The benchmark of signals.
//!
//! | case | what | floor |
//! |---|---|---|
//! | `submit-pending` | a thousand submits to a context whose signal is pending and stays so: its entrypoint is busy | `atomic` |
//! | `submit-to-handler` | a signal to a handler of another process, and one back, which a thread receives | `spin` |
//! | `flood` | a thousand submits to a context whose handler runs all the while | `taken-bit` |
//!
//! The floor `atomic` is a thousand times the atomic operation that sets a bit of a word in shared memory, `spin` is the
//! ping-pong of the [benchmark of calls](crate::call) without a payload, and `taken-bit` is `atomic` while another process
//! spins on the word and takes the bit out whenever it is set.
//!
//! Ours and the floor run in the same two processes, in blocks that alternate, and are measured as those of the benchmark
//! of calls. Both processes have a core each.
//!
//! With `flood`, [`signals_per_second`](Row::signals_per_second) says how many were submitted, and
//! [`runs_per_second`](Row::runs_per_second) how often the handler ran: nobody promises that these are as many.

mod case;

use crate::call::Skipped;
use crate::cores::Cores;
use crate::error::Error;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::row::Row;
use case::Case;

/// Measures, and hands each row over as soon as it is there. Answers which cases this machine has no cores for.
///
/// Blocks for some seconds. The calling thread is bound to a core, and free again after. Progress is shown on the standard
/// error if that is a terminal.
///
/// # Errors
/// As [`call::run`](crate::call::run).
pub fn run(options: &Options, report: &mut dyn FnMut(&Row)) -> Result<Vec<Skipped>, Error> {
    let cases = options.choose(Case::ALL, |case| case.name())?;
    let cores = Cores::available()?;
    let mut progress = Progress::start(cases.len());
    let mut skipped = Vec::new();
    for case in cases {
        if cores.first_two().1.is_none() {
            skipped.push(Skipped::for_want_of_cores(case.name()));
            continue;
        }
        progress.begin(case.name());
        let row = case.run(options, &cores)?;
        progress.clear();
        report(&row);
    }
    Ok(skipped)
}
