//! The interfaces of the components, and what travels through them.

use crate::{Failure, Progress};
use portcullis_ipc::MAX_DATA;
use portcullis_packet_stream::{Error as StreamError, Geometry};
use portcullis_rpc::{Capability, DataspaceCapability, Later, WireSize, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest piece that fits into one call, in bytes: the length of a byte string travels before it.
pub const PIECE: usize = MAX_DATA - (<[u8; MAX_DATA]>::BYTES - MAX_DATA);

/// The size of a buffer that is handed over in calls, in bytes.
pub const BUFFER: usize = 256 << 10;

/// The largest packet of a stream, in bytes.
pub const PACKET: usize = 64 << 10;

/// What a packet stream is made of: 64 packets under way, in a buffer that holds 32 of the largest.
///
/// # Errors
/// None: it is a sound one.
pub fn geometry() -> Result<Geometry, StreamError> {
    Geometry::new(64, 64, 32 * PACKET)
}

/// The sink component: has receivers made, one for each transfer.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_examples::bulk::{Pieces, Receiver, Sink, sink};
/// use portcullis_ipc::Pd;
///
/// let (to_main, from_sink) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     let entrypoint = Entrypoint::new(&Pd::new()?)?;
///     let _ = to_main.send(sink::manage(&entrypoint));
///     entrypoint.run()
/// });
/// let receiver = from_sink.recv()?.client().by_calls()?;
/// receiver.client().put(b"abc")?;
/// let summary = receiver.client().finish()?;
/// assert_eq!(summary.bytes, 3);
/// assert!(summary.to_string().starts_with("ba7816bf"));
/// # Ok(()) }
/// ```
#[rpc_interface(name = "bulk.sink")]
pub trait Sink {
    /// Makes a receiver to which each call brings a piece. It lives until it is finished or nobody holds it any more.
    ///
    /// # Errors
    /// [`Failure::Exhausted`] if there is no room for it.
    fn by_calls(&mut self) -> Result<Capability<dyn Pieces>, Failure>;

    /// Makes a receiver to which each call hands a buffer over, and answers with the buffer, of [`BUFFER`] bytes.
    ///
    /// # Errors
    /// [`Failure::Exhausted`] if there is no room for it.
    fn by_buffer(&mut self) -> Result<(Capability<dyn Filled>, DataspaceCapability), Failure>;

    /// Makes a receiver that is the sink of a packet stream, and answers with the stream's dataspace, of that
    /// [`geometry`].
    ///
    /// # Errors
    /// [`Failure::Exhausted`] if there is no room for it.
    fn by_stream(&mut self) -> Result<(Capability<dyn Receiver>, DataspaceCapability), Failure>;
}

/// Receives the bytes of one transfer, by whatever way.
///
/// See [`Sink`] for an example.
#[rpc_interface(name = "bulk.receiver")]
pub trait Receiver {
    /// How many bytes have come.
    ///
    /// # Errors
    /// Those of a call.
    fn received(&mut self) -> Result<u64, Failure>;

    /// Ends the receiver, and says what has come.
    ///
    /// # Errors
    /// Those of a call.
    fn finish(&mut self) -> Result<Summary, Failure>;
}

/// Receives bytes in calls.
///
/// See [`Sink`] for an example.
#[rpc_interface(name = "bulk.pieces")]
pub trait Pieces: Receiver {
    /// Takes the next piece, of at most [`PIECE`] bytes.
    ///
    /// # Errors
    /// Those of a call. To try again after a deadline could bring the piece twice.
    fn put(&mut self, piece: &[u8]) -> Result<(), Failure>;
}

/// Receives bytes in a buffer.
///
/// ```
/// use portcullis_examples::bulk::{Filled, Receiver, Sink, Summary};
/// use portcullis_shm::BufferClient;
///
/// fn send(sink: &mut impl Sink, bytes: &[u8]) -> Result<Summary, Box<dyn std::error::Error>> {
///     let (receiver, buffer) = sink.by_buffer()?;
///     let length = BufferClient::attach(&buffer)?.fill(bytes)?;
///     receiver.client().take(length.try_into()?)?;
///     Ok(receiver.client().finish()?)
/// }
/// ```
#[rpc_interface(name = "bulk.filled")]
pub trait Filled: Receiver {
    /// Takes so many bytes out of the buffer. It is the client's again when this returns.
    ///
    /// # Errors
    /// [`Failure::Outside`] if the buffer is not so large, and those of a call.
    fn take(&mut self, length: u32) -> Result<(), Failure>;
}

/// The source component: streams its standard input, once.
///
/// ```
/// use portcullis_examples::Progress;
/// use portcullis_examples::Failure;
/// use portcullis_examples::bulk::{Report, Sink, Source};
/// use std::time::Duration;
///
/// fn transfer(sink: &mut impl Sink, source: &mut impl Source) -> Result<Progress<Report>, Failure> {
///     source.by_calls(sink.by_calls()?)?;
///     loop {
///         match source.wait(Duration::from_secs(1)).get()? {
///             Progress::Running => continue,
///             end => return Ok(end),
///         }
///     }
/// }
/// ```
#[rpc_interface(name = "bulk.source")]
pub trait Source {
    /// Begins to stream to a receiver, in calls.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    fn by_calls(&mut self, receiver: Capability<dyn Pieces>) -> Result<(), Failure>;

    /// Begins to stream to a receiver, in its buffer.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    fn by_buffer(
        &mut self,
        receiver: Capability<dyn Filled>,
        buffer: DataspaceCapability,
    ) -> Result<(), Failure>;

    /// Begins to stream to a receiver, as the source of its packet stream.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    fn by_stream(
        &mut self,
        receiver: Capability<dyn Receiver>,
        dataspace: DataspaceCapability,
    ) -> Result<(), Failure>;

    /// Answers at the end of the stream, or after `time`, a second at most, if that comes first. Whoever waits already
    /// is told that the call was abandoned.
    ///
    /// # Errors
    /// Those of a call.
    fn wait(&mut self, time: Duration) -> Later<Result<Progress<Report>, Failure>>;
}

/// What has come.
///
/// ```
/// use portcullis_examples::bulk::Summary;
///
/// let summary = Summary { bytes: 0, sha256: [0xab; 32] };
/// assert_eq!(summary.to_string(), "ab".repeat(32), "as `sha256sum` writes it");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The size, in bytes.
    pub bytes: u64,
    /// The SHA-256 of all bytes in their order (FIPS 180-4).
    pub sha256: [u8; 32],
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the source reports in the end.
///
/// ```
/// use portcullis_examples::bulk::{Report, Summary};
/// use std::time::Duration;
///
/// let summary = Summary { bytes: 3_000_000, sha256: [0; 32] };
/// let report = Report { summary, time: Duration::from_millis(3) };
/// assert_eq!(report.bytes_per_second(), 1e9);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What has come, as the receiver says.
    pub summary: Summary,
    /// The time from the first byte to the receiver's summary.
    pub time: Duration,
}

impl Report {
    /// How fast it was.
    #[must_use]
    pub fn bytes_per_second(&self) -> f64 {
        self.summary.bytes as f64 / self.time.as_secs_f64().max(1e-9)
    }
}
