//! The methods, their encoding, and a proxy for each kind of object.

use super::count::{Counts, WordRule};
use super::reply::{self, Failure};
use portcullis_ipc::{Capability, Deadline, Error, MsgBuf};
use std::time::Duration;

/// Methods of the counter.
pub(super) mod counter {
    /// The word rule (1 byte) → a new counting object (capability).
    pub(crate) const OPEN: u32 = 0;
}

/// Methods of a counting object.
pub(super) mod counting {
    /// Up to 1,024 bytes of the stream → nothing.
    pub(crate) const ADD: u32 = 0;
    /// Nothing → the counts.
    pub(crate) const COUNTS: u32 = 1;
    /// Nothing → nothing; the object is gone.
    pub(crate) const CLOSE: u32 = 2;
}

/// Methods of the client component.
pub(super) mod streamer {
    /// A counting object (capability) → nothing; the stream begins.
    pub(crate) const STREAM: u32 = 0;
    /// How long to wait for the end (4 bytes, ms) → [`Progress`](super::Progress), once there is something to say.
    pub(crate) const WAIT: u32 = 1;
}

/// The right to have counting objects made.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_examples::wordcount::{CounterClient, WordRule, counter};
/// use portcullis_ipc::{Pd, Server};
///
/// let (to_main, from_counter) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     let mut server = Server::new(&Pd::new()?)?;
///     let _ = to_main.send(server.capability());
///     counter::serve(&mut server)
/// });
/// let counter = CounterClient::new(from_counter.recv()?);
/// let mut object = counter.open(WordRule::Ascii)?;
/// object.add(b"two words\n")?;
/// assert_eq!(object.counts()?.words, 2);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct CounterClient(Capability);

impl CounterClient {
    /// The proxy for a counter.
    #[must_use]
    pub fn new(counter: Capability) -> CounterClient {
        CounterClient(counter)
    }

    /// Has a counting object made. It lives until it is closed.
    ///
    /// # Errors
    /// [`Refusal::Exhausted`](super::Refusal::Exhausted) if the counter has no room for it; else as
    /// [`Capability::call`].
    pub fn open(&self, rule: WordRule) -> Result<CountingClient, Failure> {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(counter::OPEN, 0);
        send.write(&[rule as u8])?;
        reply::call(&self.0, &send, &mut receive, None)?;
        receive.take(0).map(CountingClient::new).ok_or(Failure::Malformed)
    }
}

/// The right to count with one object, and room for the messages of one call at a time.
///
/// See [`CounterClient`] for an example.
#[derive(Debug)]
pub struct CountingClient {
    object: Capability,
    send: MsgBuf,
    receive: MsgBuf,
}

impl CountingClient {
    /// The proxy for a counting object.
    #[must_use]
    pub fn new(object: Capability) -> CountingClient {
        CountingClient { object, send: MsgBuf::new(), receive: MsgBuf::new() }
    }

    /// The capability, to be handed on.
    #[must_use]
    pub fn capability(&self) -> Capability {
        self.object.clone()
    }

    /// Counts the next piece of the stream. Waits for as long as the counter lives: a second attempt after a deadline
    /// could count the piece twice.
    ///
    /// # Errors
    /// [`Error::MessageTooLarge`] beyond 1,024 bytes; else as [`Capability::call`].
    pub fn add(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.send.clear();
        self.send.set_method(counting::ADD, 0);
        self.send.write(piece)?;
        match reply::call(&self.object, &self.send, &mut self.receive, Some(Deadline::Never))? {
            [] => Ok(()),
            _ => Err(Failure::Malformed),
        }
    }

    /// What was counted so far, by everybody who holds the object.
    ///
    /// # Errors
    /// As [`Capability::call`].
    pub fn counts(&mut self) -> Result<Counts, Failure> {
        self.send.clear();
        self.send.set_method(counting::COUNTS, 0);
        let result = reply::call(&self.object, &self.send, &mut self.receive, None)?;
        Counts::decode(result).ok_or(Failure::Malformed)
    }

    /// Ends the object, for everybody who holds it.
    ///
    /// # Errors
    /// As [`Capability::call`].
    pub fn close(mut self) -> Result<(), Failure> {
        self.send.clear();
        self.send.set_method(counting::CLOSE, 0);
        reply::call(&self.object, &self.send, &mut self.receive, None).map(drop)
    }
}

/// What the client component reports in the end.
///
/// ```
/// use portcullis_examples::wordcount::{Counts, Progress, Report};
/// use std::time::Duration;
///
/// let report = Report { counts: Counts::default(), calls: 1, time: Duration::from_micros(2) };
/// let progress = Progress::Done(report);
/// assert_eq!(Progress::decode(&progress.encode()), Some(progress));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The result.
    pub counts: Counts,
    /// The calls that the client made to its counting object.
    pub calls: u64,
    /// The time from the first read of the input to the answer to the last call.
    pub time: Duration,
}

/// What kept the client component from the end.
///
/// ```
/// use portcullis_examples::wordcount::StreamFailure;
///
/// let failure = StreamFailure::Input("disk on fire".into());
/// assert_eq!(failure.to_string(), "the input cannot be read: disk on fire");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamFailure {
    /// Its standard input.
    #[error("the input cannot be read: {0}")]
    Input(String),
    /// The counting object or the way to it.
    #[error("the counting object failed: {0}")]
    Counting(String),
    /// The client itself.
    #[error("the client failed: {0}")]
    Client(String),
}

/// How far the client component is.
///
/// See [`Report`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It streams.
    Running,
    /// It is done.
    Done(Report),
    /// It cannot go on.
    Failed(StreamFailure),
}

impl Progress {
    /// As it stands in a message, in at most 1,000 bytes: longer texts are cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        const MOST_TEXT: usize = 999;
        let text = |kind, text: &str| {
            let end = text.floor_char_boundary(MOST_TEXT);
            [&[kind], &text.as_bytes()[..end]].concat()
        };
        match self {
            Progress::Running => vec![0],
            Progress::Done(Report { counts, calls, time }) => {
                let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                [&[1][..], &counts.encode(), &calls.to_le_bytes(), &nanos.to_le_bytes()].concat()
            }
            Progress::Failed(StreamFailure::Input(reason)) => text(2, reason),
            Progress::Failed(StreamFailure::Counting(reason)) => text(3, reason),
            Progress::Failed(StreamFailure::Client(reason)) => text(4, reason),
        }
    }

    /// Out of a message; `None` if it makes no sense. Control characters in texts become visible ones.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Progress> {
        let (kind, rest) = bytes.split_first()?;
        let text = || {
            let text = String::from_utf8_lossy(rest);
            text.chars()
                .map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char })
                .collect()
        };
        Some(match kind {
            0 if rest.is_empty() => Progress::Running,
            1 => {
                let (counts, rest) = rest.split_at_checked(24)?;
                let (&[calls, nanos], []) = rest.as_chunks::<8>() else { return None };
                Progress::Done(Report {
                    counts: Counts::decode(counts)?,
                    calls: u64::from_le_bytes(calls),
                    time: Duration::from_nanos(u64::from_le_bytes(nanos)),
                })
            }
            2 => Progress::Failed(StreamFailure::Input(text())),
            3 => Progress::Failed(StreamFailure::Counting(text())),
            4 => Progress::Failed(StreamFailure::Client(text())),
            _ => return None,
        })
    }
}

/// The right to have the client component stream its standard input.
///
/// ```
/// use portcullis_examples::wordcount::{CounterClient, Failure, Progress, StreamerClient, WordRule};
/// use std::time::Duration;
///
/// fn count(counter: &CounterClient, client: &StreamerClient) -> Result<Progress, Failure> {
///     let object = counter.open(WordRule::Ascii)?;
///     client.stream(object.capability())?;
///     loop {
///         match client.wait(Duration::from_secs(1))? {
///             Progress::Running => continue,
///             end => return Ok(end),
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StreamerClient(Capability);

impl StreamerClient {
    /// The proxy for the client component.
    #[must_use]
    pub fn new(streamer: Capability) -> StreamerClient {
        StreamerClient(streamer)
    }

    /// Has it begin to stream to the counting object, which this delegates to it.
    ///
    /// # Errors
    /// [`Refusal::Begun`](super::Refusal::Begun) the second time; else as [`Capability::call`].
    pub fn stream(&self, object: Capability) -> Result<(), Failure> {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(streamer::STREAM, 0);
        send.push(object)?;
        reply::call(&self.0, &send, &mut receive, None).map(drop)
    }

    /// Waits for the end, or for `time`, in whole milliseconds and at most a second, if that comes first.
    ///
    /// # Errors
    /// As [`Capability::call`].
    pub fn wait(&self, time: Duration) -> Result<Progress, Failure> {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(streamer::WAIT, 0);
        send.write(&u32::try_from(time.as_millis()).unwrap_or(u32::MAX).to_le_bytes())?;
        let result = reply::call(&self.0, &send, &mut receive, None)?;
        Progress::decode(result).ok_or(Failure::Malformed)
    }
}

/// The time out of a `WAIT`; `None` if it is none.
pub(super) fn decode_wait(bytes: &[u8]) -> Option<Duration> {
    let millis = u32::from_le_bytes(bytes.try_into().ok()?);
    Some(Duration::from_millis(millis.into()))
}

/// A failed call, as the client component reports it.
impl From<Failure> for StreamFailure {
    fn from(failure: Failure) -> StreamFailure {
        StreamFailure::Counting(failure.to_string())
    }
}

impl From<Error> for StreamFailure {
    fn from(error: Error) -> StreamFailure {
        StreamFailure::Client(error.to_string())
    }
}
