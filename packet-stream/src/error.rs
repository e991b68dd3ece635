//! What can go wrong with a packet stream, and whose fault it is.
use thiserror::Error as ThisError;

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
