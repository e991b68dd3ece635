//! Messages on a channel's socket: what needs a descriptor, and the doorbell.
//!
//! All are little endian and 16 bytes long, but for the doorbell, which is one zero byte.
//!
//! ```text
//! hello        kind u16 = 1   version u16   lanes u32   memory bytes u64      1 or 2 descriptors: memory, bell pipe
//! open         kind u16 = 2   greeted 1     channels 12  row name u64          1 descriptor: socket
//!                             contexts 14   rows 20
//! descriptors  kind u16 = 3   zero u16      lane u32    sequence u64          1 to 4 descriptors: of slots
//! greeting     kind u16 = 4   version u16   zero u32    entrypoint u64        1 descriptor: page
//! token        kind u16 = 5   zero u16      zero u32    token u64             1 descriptor: the channel's socket
//! refusal      kind u16 = 6   zero u16      zero u32    status u64 = 3        none
//! ```
//! The fields of an opening are bits: the greeting's is the lowest of its half word, the rows' are the lowest of their word.

use super::head::{RowName, Status};
use super::layout::{CHANNEL_BYTES, LANE_COUNT, LaneId, SLOTS};
use super::{VERSION, Violation};
use crate::allowance::Allowance;
use crate::entrypoint_id::EntrypointId;

/// The length of every message but the doorbell.
pub(crate) const CONTROL_BYTES: usize = 16;

/// The message that wakes a sleeping entrypoint.
pub(crate) const DOORBELL: [u8; 1] = [0];

/// Which message of which lane a set of descriptors belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) lane: LaneId,
    pub(crate) sequence: u32,
}

/// What an entrypoint knows a portal by, on another channel: random, and good for once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token(pub(crate) u64);

/// A message on a channel's socket, without its descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// The entrypoint sleeps and should look.
    Doorbell,
    /// A client introduces itself with the channel's memory and, if it likes, a pipe as its doorbell.
    Hello,
    /// Open a portal to what this row names; its socket comes with it, and may hold a greeting already. Its holder may spend
    /// so much of what the opener may.
    Open { row: RowName, greeted: bool, allowance: Allowance },
    /// The sockets of the portals and the files of the dataspaces in a message, in the order of its slots.
    Descriptors(Tag),
    /// An entrypoint says its name, and shares the page that says for whom it waits.
    Greeting(EntrypointId),
    /// An entrypoint has taken up a portal: by this it knows again which, and the socket of its channel comes with it.
    Token(Token),
    /// An entrypoint does not take a portal up, since nothing is left on its opener's account.
    Refusal,
}

const ROW_BITS: u32 = 20;

/// The most that an opening can say.
const MOST: Allowance = Allowance { rows: 0xf_ffff, contexts: 0x3fff, channels: 0xfff };

fn within_bounds(allowance: Allowance) -> Allowance {
    Allowance {
        rows: allowance.rows.min(MOST.rows),
        contexts: allowance.contexts.min(MOST.contexts),
        channels: allowance.channels.min(MOST.channels),
    }
}

impl Control {
    /// The bytes of a message other than the doorbell.
    pub(crate) fn encode(self) -> [u8; CONTROL_BYTES] {
        let (kind, version, lane, last) = match self {
            Control::Doorbell => (0, 0, 0, 0),
            Control::Hello => (1, VERSION, LANE_COUNT.into(), CHANNEL_BYTES as u64),
            Control::Open { row, greeted, allowance } => {
                let Allowance { rows, contexts, channels } = within_bounds(allowance);
                let contexts = u16::try_from(contexts).unwrap_or(0);
                (2, u16::from(greeted) | contexts << 1, rows | channels << ROW_BITS, row.encode())
            }
            Control::Descriptors(tag) => (3, 0, tag.lane.number(), u64::from(tag.sequence)),
            Control::Greeting(entrypoint) => (4, VERSION, 0, EntrypointId::encode(Some(entrypoint))),
            Control::Token(token) => (5, 0, 0, token.0),
            Control::Refusal => (6, 0, 0, Status::BudgetExceeded as u64),
        };
        let mut bytes = [0; CONTROL_BYTES];
        let (words, tail) = bytes.split_at_mut(8);
        words[..2].copy_from_slice(&u16::to_le_bytes(kind));
        words[2..4].copy_from_slice(&version.to_le_bytes());
        words[4..].copy_from_slice(&lane.to_le_bytes());
        tail.copy_from_slice(&last.to_le_bytes());
        bytes
    }

    /// Reads a message that came with so many descriptors.
    pub(crate) fn decode(bytes: &[u8], descriptors: usize) -> Result<Control, Violation> {
        if bytes == DOORBELL {
            return match descriptors {
                0 => Ok(Control::Doorbell),
                _ => Err(Violation("a doorbell came with a descriptor")),
            };
        }
        let Ok(bytes) = <[u8; CONTROL_BYTES]>::try_from(bytes) else {
            return Err(Violation("a message on the socket has a wrong length"));
        };
        let [k0, k1, v0, v1, l0, l1, l2, l3, last @ ..] = bytes;
        let (kind, version) = (u16::from_le_bytes([k0, k1]), u16::from_le_bytes([v0, v1]));
        let (lane, last) = (u32::from_le_bytes([l0, l1, l2, l3]), u64::from_le_bytes(last));
        let (control, wanted) = match (kind, version, lane, last) {
            (1, VERSION, lanes, size) if lanes == u32::from(LANE_COUNT) && size == CHANNEL_BYTES as u64 => {
                (Control::Hello, 1..=2)
            }
            (1, VERSION, ..) => return Err(Violation("a hello of another geometry")),
            (1, ..) => return Err(Violation("a hello of another version")),
            (2, greeted_contexts @ 0..=0x7fff, rows_channels, row) => {
                let allowance = Allowance {
                    rows: rows_channels & MOST.rows,
                    contexts: (greeted_contexts >> 1).into(),
                    channels: rows_channels >> ROW_BITS,
                };
                let greeted = greeted_contexts & 1 == 1;
                (Control::Open { row: RowName::decode(row), greeted, allowance }, 1..=1)
            }
            (3, 0, lane, sequence) => match (LaneId::new(lane), u32::try_from(sequence)) {
                (Some(lane), Ok(sequence)) => (Control::Descriptors(Tag { lane, sequence }), 1..=SLOTS),
                _ => return Err(Violation("descriptors for a lane or a sequence that cannot be")),
            },
            (4, VERSION, 0, entrypoint) => match EntrypointId::decode(entrypoint) {
                Some(entrypoint) => (Control::Greeting(entrypoint), 1..=1),
                None => return Err(Violation("a greeting without a name")),
            },
            (5, 0, 0, token) => (Control::Token(Token(token)), 1..=1),
            (6, 0, 0, status) if status == Status::BudgetExceeded as u64 => (Control::Refusal, 0..=0),
            _ => return Err(Violation("a message on the socket of no known kind")),
        };
        if wanted.contains(&descriptors) {
            Ok(control)
        } else {
            Err(Violation("a message on the socket with a wrong number of descriptors"))
        }
    }
}
