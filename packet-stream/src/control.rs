//! What a packet says beside where its content lies.

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The control fields of a packet: an operation and its arguments, on the way back also what came of it. Any plain data
/// of a fixed size, at most 56 bytes; `()` where the content says all.
///
/// Which values are possible is checked on a private copy (`TryFromBytes`): a `bool` of 2 ends the stream. What a possible value
/// means is for its receiver to check.
///
/// The traits are derived by the macros of [`zerocopy`](crate::zerocopy); a crate that does not depend on it adds
/// `#[zerocopy(crate = "portcullis_packet_stream::zerocopy")]`, as here.
///
/// ```
/// use portcullis_packet_stream::{Control, zerocopy};
/// use zerocopy::{Immutable, IntoBytes, TryFromBytes};
///
/// #[derive(Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
/// #[zerocopy(crate = "portcullis_packet_stream::zerocopy")]
/// #[repr(u8)]
/// enum Operation { Read, Write }
///
/// #[derive(Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
/// #[zerocopy(crate = "portcullis_packet_stream::zerocopy")]
/// #[repr(C)]
/// struct Request { block: u32, count: u16, operation: Operation, succeeded: bool }
///
/// fn is_control<D: Control>() {}
/// is_control::<Request>();
/// ```
pub trait Control: TryFromBytes + IntoBytes + Immutable + Copy + Send + 'static {}

impl<D: TryFromBytes + IntoBytes + Immutable + Copy + Send + 'static> Control for D {}

/// The most that control fields can have, in bytes: with the region an entry fills a cache line.
pub(crate) const MAX_CONTROL: usize = 56;
