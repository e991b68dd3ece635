//! What can go wrong with a packet stream, and whose fault it is.

use thiserror::Error as ThisError;

/// Why something was not done with a packet stream.
///
/// ```
/// use portcullis_packet_stream::{Error, Geometry};
///
/// let error = Geometry::new(3, 4, 4096).unwrap_err();
/// assert!(matches!(error, Error::Geometry(_)));
/// assert!(error.to_string().contains("power of two"), "it says what is asked for");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The caller's: measures that no stream has.
    #[error("no packet stream has such measures: {0}")]
    Geometry(&'static str),
    /// Whoever made the dataspace: it is smaller than the stream.
    #[error("the dataspace has {given} bytes and the stream needs {needed}: see `Geometry::bytes`")]
    DataspaceTooSmall {
        /// What the stream needs, in bytes.
        needed: usize,
        /// What the dataspace has, in bytes.
        given: usize,
    },
    /// One of the two sides: it was given another geometry or other control fields than the other one.
    #[error("the other side of the stream was made with another geometry or other control fields")]
    Mismatch,
    /// The caller's: no packet can be as large, or aligned to what is no power of two.
    #[error("no packet of {size} bytes aligned to {align} fits into the buffer: make it smaller")]
    PacketTooLarge {
        /// The size asked for, in bytes.
        size: usize,
        /// The alignment asked for, in bytes.
        align: usize,
    },
    /// Transient: the buffer has no room in one piece.
    #[error(
        "the buffer has no such room in one piece: take acknowledgements and release their packets first"
    )]
    BufferFull,
    /// Transient: the queue is full.
    #[error("the queue is full: wait until the other side has taken something")]
    QueueFull,
    /// The caller's: the packet belongs to another stream.
    #[error("the packet belongs to another stream")]
    WrongStream,
    /// The caller's: the content of this operation goes the other way, or there is none.
    #[error("the content of this operation goes another way: see `Operation::transfer`")]
    WrongTransfer,
    /// The peer's: it broke the protocol. The stream has ended.
    #[error("the peer broke the protocol and the stream has ended: {0}")]
    Violation(#[from] Violation),
    /// The peer has ended the stream, in order or because of a violation of ours, and there is nothing left to take.
    #[error("the other side has ended the stream")]
    Closed,
    /// The peer is gone, as whoever watches it says.
    #[error("the other side of the stream is gone")]
    Disconnected,
    /// Nobody's in particular: nothing came in time.
    #[error("the other side did nothing before the deadline: it is slow, stopped or hostile")]
    DeadlineExceeded,
    /// Whoever handed it out: no socket that signals can go over.
    #[error("signals go over a connected Unix SEQPACKET socket, and this is none")]
    NoSocket,
    /// The memory's: it was freed by its owner, or an access lies outside of the packet.
    #[error(transparent)]
    Memory(#[from] portcullis_shm::Error),
    /// The system's: a system call failed.
    #[error("the system refused `{call}`: {reason}")]
    System {
        /// The call that failed.
        call: &'static str,
        /// The system's own reason.
        reason: rustix::io::Errno,
    },
}

/// What no peer that keeps to the protocol does. It ends the stream.
///
/// ```
/// use portcullis_packet_stream::Violation;
///
/// let violation = Violation::CountJumped { queue: "submit" };
/// assert!(violation.to_string().contains("submit"), "it says where");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Violation {
    /// The peer's count of a queue is further from ours than the queue is long, or went back.
    #[error("the peer's count of the {queue} queue jumped or went back")]
    CountJumped {
        /// The queue.
        queue: &'static str,
    },
    /// The source submitted a region that does not lie in the buffer, or not on a granule.
    #[error("a submitted packet lies outside of the buffer or not on a granule")]
    RegionOutside,
    /// The source submitted a region that overlaps one that the sink has not acknowledged yet.
    #[error("a submitted packet overlaps one that is not acknowledged yet")]
    RegionOverlaps,
    /// The control fields of a packet or an acknowledgement are no value of their type.
    #[error("the control fields of a packet are no value of their type")]
    Control,
    /// The sink acknowledged what was not submitted, or not like this, or a second time.
    #[error("an acknowledgement is for no packet that is submitted")]
    NotSubmitted,
}
