//! The wire format, written out by hand: words of a channel's memory and bytes on its socket.

/// The version of the format.
pub const VERSION: u16 = 5;
/// Lanes of a channel.
pub const LANES: usize = 16;
/// The size of a channel's memory in bytes.
pub const CHANNEL_BYTES: usize = 40_960;
/// Words of a request, or of a reply.
pub const MESSAGE_WORDS: usize = 144;
/// Words of a request before its data.
pub const REQUEST_HEAD: usize = 5;
/// Words of a reply before its data.
pub const REPLY_HEAD: usize = 1;
/// Bytes of data in a message.
pub const MAX_DATA: usize = 1024;

/// The word in which the server says what it polls.
pub const WATCHED: usize = 0;
/// The word in which the client says what it wants looked at.
pub const PENDING: usize = 16;
/// The word in which the client says which lanes sleep.
pub const WAITING: usize = 32;
/// The client's count of releases.
pub const RELEASE_HEAD: usize = 48;
/// The server's count of releases.
pub const RELEASE_TAIL: usize = 56;
/// The entries of the release ring.
pub const RELEASE_ENTRIES: usize = 64;
/// How many entries the release ring has.
pub const RELEASE_CAPACITY: usize = 128;

/// The first word of the signals.
pub const SIGNALS: usize = 4_800;
/// How many words of signals there are.
pub const SIGNAL_WORDS: usize = 256;
/// The lowest index of a signal context's row, but for the one that is never used.
pub const CONTEXTS: u32 = 1 << 31;

/// In [`WATCHED`]: the server looks at [`PENDING`] before it sleeps.
pub const AWAKE: u64 = 1 << 63;
/// In [`PENDING`]: the socket wants to be read.
pub const PENDING_SOCKET: u64 = 1 << 32;
/// In [`PENDING`]: the release ring wants to be emptied.
pub const PENDING_RELEASES: u64 = 1 << 33;

/// In [`PENDING`]: signals of the first group.
pub const PENDING_SIGNALS: u64 = 1 << 34;

/// The word and the bit of a signal context's row.
#[must_use]
pub fn signal(row: Row) -> (usize, u64) {
    let number = row.index - CONTEXTS;
    (SIGNALS + number as usize / 64, 1 << (number % 64))
}

/// The first word of a lane's request.
#[must_use]
pub fn request(lane: usize) -> usize {
    192 + lane * 2 * MESSAGE_WORDS
}

/// The first word of a lane's reply.
#[must_use]
pub fn reply(lane: usize) -> usize {
    request(lane) + MESSAGE_WORDS
}

/// What a capability slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A row of the channel.
    Row = 1,
    /// A portal, whose socket comes beside the message.
    Portal = 2,
    /// A dataspace, whose descriptor comes beside the message.
    Dataspace = 3,
}

/// A state word as its sender alleges it: fields wider than the format's spill over on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The call's sequence.
    pub sequence: u32,
    /// Bytes of data; 11 bits fit.
    pub length: u32,
    /// Kinds of the slots, two bits each, lowest first.
    pub kinds: u8,
    /// How the call ended; 5 bits fit.
    pub status: u8,
    /// The sender's core.
    pub core: u8,
}

impl State {
    /// The word.
    #[must_use]
    pub fn encode(self) -> u64 {
        u64::from(self.sequence)
            | u64::from(self.length) << 32
            | u64::from(self.kinds) << 43
            | u64::from(self.status) << 51
            | u64::from(self.core) << 56
    }

    /// The fields of a word, unchecked.
    #[must_use]
    pub fn decode(word: u64) -> State {
        State {
            sequence: word as u32,
            length: (word >> 32 & 0x7ff) as u32,
            kinds: (word >> 43) as u8,
            status: (word >> 51 & 0x1f) as u8,
            core: (word >> 56) as u8,
        }
    }
}

/// The kinds of a message's slots as they stand in its state word.
#[must_use]
pub fn kinds(slots: &[Kind]) -> u8 {
    slots.iter().take(4).rev().fold(0, |kinds, kind| kinds << 2 | *kind as u8)
}

/// A row's name: place and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// The place in the server's table.
    pub index: u32,
    /// Which tenant of the place.
    pub generation: u32,
}

impl Row {
    /// What a portal opens with.
    pub const FIRST: Row = Row { index: 0, generation: 1 };

    /// The word.
    #[must_use]
    pub fn encode(self) -> u64 {
        u64::from(self.index) | u64::from(self.generation) << 32
    }

    /// The name in a word.
    #[must_use]
    pub fn decode(word: u64) -> Row {
        Row { index: word as u32, generation: (word >> 32) as u32 }
    }
}

/// No row, but the entrypoint itself.
pub const SYSTEM: Row = Row { index: u32::MAX, generation: 0 };
/// Calls [`SYSTEM`]: a token is presented.
pub const FOLD: u32 = 0;

/// How a call ended, as the number in a reply's state.
pub mod status {
    /// The object answered.
    pub const ANSWERED: u8 = 0;
    /// The capability called, or one in the message, is not valid.
    pub const INVALID_CAPABILITY: u8 = 1;
    /// The answer grants more than the client may hold.
    pub const BUDGET_EXCEEDED: u8 = 3;
    /// The answer could not be sent.
    pub const BUSY: u8 = 4;
}

/// An entry of the release ring: so many grants of a row are given back, after so many messages.
#[must_use]
pub fn release(index: u32, grants: u16, sent: u16) -> u64 {
    u64::from(index) | u64::from(grants) << 32 | u64::from(sent) << 48
}

/// A message on the socket: kind, version or zero, lane or lanes, and a last word.
#[must_use]
pub fn control(kind: u16, version: u16, lane: u32, last: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&kind.to_le_bytes());
    bytes[2..4].copy_from_slice(&version.to_le_bytes());
    bytes[4..8].copy_from_slice(&lane.to_le_bytes());
    bytes[8..].copy_from_slice(&last.to_le_bytes());
    bytes
}

/// The doorbell.
pub const DOORBELL: [u8; 1] = [0];

/// A client introduces itself; one or two descriptors.
#[must_use]
pub fn hello() -> [u8; 16] {
    control(1, VERSION, LANES as u32, CHANNEL_BYTES as u64)
}

/// A portal to a row is to be opened; one descriptor. Its holder may have as much as whoever opens it.
#[must_use]
pub fn open(row: Row) -> [u8; 16] {
    open_with(row, 0xf_ffff, 0x3fff, 0xfff)
}

/// The same, with an allowance of rows, contexts and channels.
#[must_use]
pub fn open_with(row: Row, rows: u32, contexts: u16, channels: u32) -> [u8; 16] {
    control(2, contexts << 1, rows | channels << 20, row.encode())
}

/// An entrypoint does not take a portal up, since its opener has spent all that he may; no descriptor.
#[must_use]
pub fn refusal() -> [u8; 16] {
    control(6, 0, 0, status::BUDGET_EXCEEDED.into())
}

/// An entrypoint greets; one descriptor, its page.
#[must_use]
pub fn greeting(entrypoint: u64) -> [u8; 16] {
    control(4, VERSION, 0, entrypoint)
}

/// An entrypoint has taken a portal up; one descriptor, the channel's socket.
#[must_use]
pub fn token(token: u64) -> [u8; 16] {
    control(5, 0, 0, token)
}

/// The sockets of a message's portals; one to four descriptors.
#[must_use]
pub fn portals(lane: usize, sequence: u32) -> [u8; 16] {
    control(3, 0, lane as u32, sequence.into())
}
