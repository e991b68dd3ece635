//! Where things lie in a channel's memory, in words of 8 bytes.
//!
//! ```text
//! word     0  watched   written by the server when it wakes and sleeps
//!         16  pending   set by the client, taken by the server
//!         32  waiting   lanes whose client sleeps, and how it wants to be woken
//!         48  releases  ring head (client), word 56: ring tail (server)
//!         64  releases  entries, a word each
//!        192  lane 0: request 144 words, reply 144 words; lane 1; ...
//!       4800  signals   a bit for each signal context, set by the client, taken by the server
//! ```
//! Each group of 16 words is 128 bytes: two cache lines, since processors fetch pairs of them.

/// Calls that can be under way at once in a channel.
pub(crate) const LANES: usize = LANE_COUNT as usize;
/// The same, as it stands in a hello.
pub(crate) const LANE_COUNT: u8 = 16;
/// Words of data in a message.
pub(crate) const DATA_WORDS: usize = 128;
/// Capabilities in a message.
pub(crate) const SLOTS: usize = 4;

/// The lanes that the server polls, [`AWAKE`], and [`RELEASES_AT_ONCE`].
pub(crate) const WATCHED: usize = 0;
/// The lanes that the server does not poll and that hold a request; [`PENDING_SOCKET`], [`PENDING_RELEASES`].
pub(crate) const PENDING: usize = 16;
/// The lanes whose client sleeps: a thread on the reply ([`LaneId::bit`]), or a task behind the socket
/// ([`LaneId::task_bit`]).
pub(crate) const WAITING: usize = 32;
/// Entries that the client has put into the release ring, ever.
pub(crate) const RELEASE_HEAD: usize = 48;
/// Entries that the server has taken out of the release ring, ever.
pub(crate) const RELEASE_TAIL: usize = 56;
/// The entries of the release ring.
pub(crate) const RELEASE_ENTRIES: usize = 64;
/// How many entries the release ring has; a power of two.
pub(crate) const RELEASE_CAPACITY: usize = 128;

/// In [`WATCHED`]: the server looks at [`PENDING`] before it sleeps, so nobody needs to ring.
pub(crate) const AWAKE: u64 = 1 << 63;
/// In [`WATCHED`]: the server wants to know at once what the client releases.
pub(crate) const RELEASES_AT_ONCE: u64 = 1 << 62;
/// In [`PENDING`]: the socket holds a message that no request announces.
pub(crate) const PENDING_SOCKET: u64 = 1 << 32;
/// In [`PENDING`]: the release ring wants to be emptied.
pub(crate) const PENDING_RELEASES: u64 = 1 << 33;
/// In [`WAITING`]: so much higher than a lane's own bit is the one that asks for a doorbell.
pub(crate) const TASKS_SHIFT: u32 = 16;
/// In [`PENDING`]: from this bit on, one for each group of words with signals.
pub(crate) const SIGNALS_SHIFT: u32 = 34;
/// How many groups there are.
pub(crate) const SIGNAL_GROUPS: usize = 8;
/// Signals of a group.
pub(crate) const GROUP_SIGNALS: u32 = 2_048;
/// Signals of a channel.
pub(crate) const SIGNAL_COUNT: u32 = 16_384;
/// In [`PENDING`]: the bits that stand for signals.
pub(crate) const PENDING_SIGNALS: u64 = ((1 << SIGNAL_GROUPS) - 1) << SIGNALS_SHIFT;
/// In [`PENDING`] and [`WATCHED`]: the bits that stand for lanes.
pub(crate) const LANE_BITS: u64 = (1 << LANES) - 1;

/// The size in bytes of the page in which an entrypoint says for whom it waits: its first three words.
pub(crate) const PAGE_BYTES: usize = 4096;
/// The same in words.
pub(crate) const PAGE_WORDS: usize = PAGE_BYTES / 8;

const LANE_0: usize = 192;
/// The signals: 64 a word.
pub(crate) const SIGNALS: usize = LANE_0 + LANES * 2 * MESSAGE_WORDS;
/// Words of a group of signals.
pub(crate) const GROUP_WORDS: usize = 32;
/// Words of signals.
pub(crate) const SIGNAL_WORDS: usize = SIGNAL_GROUPS * GROUP_WORDS;
/// Words of a request or of a reply: head, data, a word for each used slot; rounded up to 128 bytes.
pub(crate) const MESSAGE_WORDS: usize = 144;
/// Words of a cache line.
pub(crate) const LINE: usize = 8;
/// The word of a request's head that holds the chain of calls.
pub(crate) const CHAIN: usize = 4;
/// Words of a request's head.
pub(crate) const REQUEST_HEAD: usize = 5;
/// Words of a reply's head.
pub(crate) const REPLY_HEAD: usize = 1;
/// The first slot's word, counted from the first word of the data.
#[inline]
pub(crate) fn slots_behind(data_bytes: u16) -> usize {
    usize::from(data_bytes).div_ceil(8)
}

/// The words of a channel's memory: whole pages, and few, since the server maps them.
pub(crate) const CHANNEL_WORDS: usize = (SIGNALS + SIGNAL_WORDS).next_multiple_of(512);
/// The size of a channel's memory in bytes.
pub(crate) const CHANNEL_BYTES: usize = CHANNEL_WORDS * 8;

/// One of a channel's lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneId(u32);

impl LaneId {
    /// The lane of that number, if there is one.
    #[inline]
    pub(crate) fn new(number: u32) -> Option<LaneId> {
        (number < u32::from(LANE_COUNT)).then_some(LaneId(number))
    }

    /// All lanes in order.
    #[inline]
    pub(crate) fn all() -> impl Iterator<Item = LaneId> {
        (0..u32::from(LANE_COUNT)).map(LaneId)
    }

    /// The lanes in a set of bits, lowest first; other bits are passed over.
    #[inline]
    pub(crate) fn in_set(set: u64) -> impl Iterator<Item = LaneId> {
        let mut rest = set & LANE_BITS;
        std::iter::from_fn(move || {
            let lane = LaneId::lowest(rest);
            rest &= rest.wrapping_sub(1);
            lane
        })
    }

    /// The lowest lane in a set of bits.
    #[inline]
    pub(crate) fn lowest(set: u64) -> Option<LaneId> {
        LaneId::new(set.trailing_zeros())
    }

    /// Its number.
    #[inline]
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// Its place in an array of lanes.
    #[inline]
    pub(crate) fn index(self) -> usize {
        // The mask changes nothing and says so to the compiler.
        self.0 as usize & (LANES - 1)
    }

    /// Its bit in a set of lanes.
    #[inline]
    pub(crate) fn bit(self) -> u64 {
        1 << self.0
    }

    /// Its bit among those that ask for a doorbell.
    #[inline]
    pub(crate) fn task_bit(self) -> u64 {
        self.bit() << TASKS_SHIFT
    }

    /// The first word of its request.
    #[inline]
    pub(crate) fn request(self) -> usize {
        LANE_0 + self.index() * 2 * MESSAGE_WORDS
    }

    /// The first word of its reply.
    #[inline]
    pub(crate) fn reply(self) -> usize {
        self.request() + MESSAGE_WORDS
    }
}

/// The words of a message's data, which begin behind a head of so many words.
#[inline]
pub(crate) fn data<T, const HEAD: usize>(message: &[T; MESSAGE_WORDS]) -> &[T; DATA_WORDS] {
    const { assert!(HEAD + DATA_WORDS + SLOTS <= MESSAGE_WORDS) };
    message[HEAD..].first_chunk().expect("a message is longer than its head and its data")
}

/// The words of a message behind its first cache line, as far as so many bytes of data behind such a head reach.
#[inline]
pub(crate) fn behind_first_line<T, const HEAD: usize>(message: &[T; MESSAGE_WORDS], length: u16) -> &[T] {
    let used = HEAD + usize::from(length).div_ceil(8);
    &message[LINE..used.clamp(LINE, MESSAGE_WORDS)]
}

const _: () = {
    assert!(CHANNEL_BYTES <= 64 * 1024);
    assert!(LANES.is_power_of_two() && LANES <= TASKS_SHIFT as usize);
    assert!(RELEASE_ENTRIES + RELEASE_CAPACITY <= LANE_0);
    assert!(REQUEST_HEAD + DATA_WORDS + SLOTS <= MESSAGE_WORDS);
    assert!(LANE_0.is_multiple_of(16) && MESSAGE_WORDS.is_multiple_of(16) && SIGNALS.is_multiple_of(16));
    assert!(GROUP_WORDS * 64 == GROUP_SIGNALS as usize && SIGNAL_WORDS * 64 == SIGNAL_COUNT as usize);
    assert!(PENDING_SIGNALS & (LANE_BITS | PENDING_SOCKET | PENDING_RELEASES) == 0);
};
