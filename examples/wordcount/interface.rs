//! The interfaces of the components, and what travels through them.

use super::count::{Counts, WordRule};
use crate::{Failure, Progress};
use portcullis_ipc::MAX_DATA;
use portcullis_rpc::{Capability, Later, WireSize, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest piece of a stream that fits into one call, in bytes: the length of a byte string travels before it.
pub const PIECE: usize = MAX_DATA - (<[u8; MAX_DATA]>::BYTES - MAX_DATA);

// Not a byte is left over.
const _: () = assert!(<[u8; PIECE]>::BYTES == MAX_DATA);

/// Has counting objects made.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_examples::wordcount::{Counter, Counting, WordRule, counter};
/// use portcullis_ipc::Pd;
///
/// let (to_main, from_counter) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     let entrypoint = Entrypoint::new(&Pd::new()?)?;
///     let _ = to_main.send(counter::manage(&entrypoint));
///     entrypoint.run()
/// });
/// let object = from_counter.recv()?.client().open(WordRule::Ascii)?;
/// let mut counting = object.client();
/// counting.add(b"two words\n")?;
/// assert_eq!(counting.counts()?.words, 2);
/// # Ok(()) }
/// ```
#[rpc_interface]
pub trait Counter {
    /// Makes a counting object. It lives until it is closed or nobody holds it any more.
    ///
    /// # Errors
    /// [`Failure::Exhausted`] if there is no room for it.
    fn open(&mut self, rule: WordRule) -> Result<Capability<dyn Counting>, Failure>;
}

/// Counts a stream that comes in pieces: where it is cut makes no difference. Whoever holds the object counts with it.
///
/// See [`Counter`] for an example.
#[rpc_interface]
pub trait Counting {
    /// Counts the next piece, of at most [`PIECE`] bytes.
    ///
    /// # Errors
    /// Those of a call. To try again after a deadline could count the piece twice.
    fn add(&mut self, piece: &[u8]) -> Result<(), Failure>;

    /// What was counted so far, by everybody who holds the object.
    ///
    /// # Errors
    /// Those of a call.
    fn counts(&mut self) -> Result<Counts, Failure>;

    /// Ends the object, for everybody who holds it.
    ///
    /// # Errors
    /// Those of a call.
    fn close(&mut self) -> Result<(), Failure>;

    /// Has it write to this log how many bytes it has counted: now and then, and when it is closed. That costs whoever
    /// calls it a second at most, once: a log that fails or does not answer by then gets no more reports.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    fn report_to(&mut self, log: Capability<dyn Log>) -> Result<(), Failure>;
}

/// The right to write to a log.
///
/// See [`Logbook`] for an example.
#[rpc_interface]
pub trait Log {
    /// Writes a line, of which the log keeps as much as it likes.
    ///
    /// # Errors
    /// Those of a call.
    fn write(&mut self, line: &str) -> Result<(), Failure>;
}

/// The log component: hands out the right to write, and can be read.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_examples::wordcount::{Log, Logbook, log};
/// use portcullis_ipc::Pd;
///
/// let (to_main, from_log) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     let entrypoint = Entrypoint::new(&Pd::new()?)?;
///     let _ = to_main.send(log::manage(&entrypoint));
///     entrypoint.run()
/// });
/// let mut book = from_log.recv()?.client();
/// book.open()?.client().write("all is well")?;
/// assert_eq!(book.last()?.as_deref(), Some("all is well"));
/// # Ok(()) }
/// ```
#[rpc_interface]
pub trait Logbook {
    /// Makes a log. It lives until nobody holds it any more.
    ///
    /// # Errors
    /// Those of a call.
    fn open(&mut self) -> Result<Capability<dyn Log>, Failure>;

    /// The last line that was written to any of the logs, as its writer said it.
    ///
    /// # Errors
    /// Those of a call.
    fn last(&mut self) -> Result<Option<String>, Failure>;
}

/// The client component: streams its standard input, once.
///
/// ```
/// use portcullis_examples::Progress;
/// use portcullis_examples::Failure;
/// use portcullis_examples::wordcount::{Counter, Report, Streamer, WordRule};
/// use std::time::Duration;
///
/// fn count(counter: &mut impl Counter, client: &mut impl Streamer) -> Result<Progress<Report>, Failure> {
///     client.stream(counter.open(WordRule::Ascii)?, None)?;
///     loop {
///         match client.wait(Duration::from_secs(1)).get()? {
///             Progress::Running => continue,
///             end => return Ok(end),
///         }
///     }
/// }
/// ```
#[rpc_interface]
pub trait Streamer {
    /// Begins to stream to the counting object, which the client has report to the log if it gets one.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    fn stream(
        &mut self,
        object: Capability<dyn Counting>,
        log: Option<Capability<dyn Log>>,
    ) -> Result<(), Failure>;

    /// Answers at the end of the stream, or after `time`, a second at most, if that comes first. Whoever waits already
    /// is told that the call was abandoned.
    ///
    /// # Errors
    /// Those of a call.
    fn wait(&mut self, time: Duration) -> Later<Result<Progress<Report>, Failure>>;
}

/// What the client component reports in the end.
///
/// ```
/// use portcullis_examples::wordcount::{Counts, Report};
/// use std::time::Duration;
///
/// let report = Report { counts: Counts::default(), calls: 2, time: Duration::from_micros(2) };
/// assert_eq!(report.time / 2, Duration::from_micros(1), "so long a call");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The result.
    pub counts: Counts,
    /// The calls that the client made to its counting object.
    pub calls: u64,
    /// The time from the first call to the answer to the last one.
    pub time: Duration,
}
