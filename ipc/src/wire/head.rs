//! The heads of requests and replies.
//!
//! ```text
//! state     bits 0-31 sequence   32-42 length   43-50 kinds of slots   51-55 status   56-63 core
//! target    bits 0-31 index      32-63 generation
//! terms     bits 0-31 opcode     32-63 when it is due, in units of 64 µs of CLOCK_MONOTONIC, 0 for no limit
//! link      bits 0-63 the interface's hash up to this method
//! chain     bits 0-63 the call chain
//! ```
//! A request is state, target, terms, link, chain; a reply is a state alone. The state is stored last (release) and
//! loaded first (acquire), and everything that bounds what follows is in that one word: it cannot change in between.

use super::Violation;
use super::layout::{DATA_WORDS, REQUEST_HEAD};
use super::slot::Kinds;
use crate::due::Due;
use crate::error::{Error, Refusal};
use std::fmt;

/// What one word tells of a message: that it is there, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Differs from that of the message before in the same lane.
    pub(crate) sequence: u32,
    /// Bytes of data.
    pub(crate) length: u16,
    /// What its capability slots hold.
    pub(crate) kinds: Kinds,
    /// How the call ended; in a request [`WITHDRAWN`], [`GIVEN_UP`], both or none.
    pub(crate) status: u8,
    /// The sender's core, a hint.
    pub(crate) core: u8,
}

/// In the status of a request: it is not to be carried out, if that has not begun.
pub(crate) const WITHDRAWN: u8 = 1;
/// In the status of a request: nobody waits for the answer any more.
pub(crate) const GIVEN_UP: u8 = 2;

impl State {
    /// What must be set in a request's state to make it withdrawn.
    pub(crate) const WITHDRAW: u64 = (WITHDRAWN as u64) << 51;
    /// What must be set in a request's state to give the call up, beside that.
    pub(crate) const GIVE_UP: u64 = (GIVEN_UP as u64) << 51;

    #[inline]
    pub(crate) fn encode(self) -> u64 {
        u64::from(self.sequence)
            | u64::from(self.length) << 32
            | u64::from(self.kinds.encode()) << 43
            | u64::from(self.status & 0x1f) << 51
            | u64::from(self.core) << 56
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // each field is masked to its width
    pub(crate) fn decode(word: u64) -> Result<State, Violation> {
        let state = State {
            sequence: word as u32,
            length: (word >> 32 & 0x7ff) as u16,
            kinds: Kinds::decode((word >> 43) as u8)?,
            status: (word >> 51 & 0x1f) as u8,
            core: (word >> 56) as u8,
        };
        if usize::from(state.length) > DATA_WORDS * 8 {
            return Err(Violation("a message alleges more than 1024 bytes"));
        }
        Ok(state)
    }
}

/// The sequence of the message behind a state word; says nothing of its other fields.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the low half is the sequence
pub(crate) fn sequence(word: u64) -> u32 {
    word as u32
}

/// A row of a capability table as its holder names it. Means nothing on another channel.
///
/// One word, as on the wire: so that it is compared and passed on as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowName(u64);

impl RowName {
    /// The row that a portal opens with: the object it was made for.
    pub(crate) const FIRST: RowName = RowName::new(0, 1);
    /// No row, but the entrypoint as such: what it does for a client beside its objects.
    pub(crate) const SYSTEM: RowName = RowName::new(u32::MAX, 0);
    /// Indices from this on are those of signal contexts, of which the first is never used: that signal is the first
    /// row's, whatever it names.
    pub(crate) const CONTEXTS: u32 = 1 << 31;

    /// Whether it can only name a signal context.
    #[inline]
    pub(crate) fn is_context(self) -> bool {
        self.index() >= RowName::CONTEXTS
    }

    /// The tenant of a place in a table; generations begin with 1.
    #[inline]
    pub(crate) const fn new(index: u32, generation: u32) -> RowName {
        RowName(index as u64 | (generation as u64) << 32)
    }

    /// The place in the table.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // the low half
    pub(crate) const fn index(self) -> u32 {
        self.0 as u32
    }

    /// Tells the tenants of one place apart.
    #[inline]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(crate) fn encode(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn decode(word: u64) -> RowName {
        RowName(word)
    }
}

impl fmt::Debug for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowName({}, generation {})", self.index(), self.generation())
    }
}

/// What a request says before its data; any bits are a valid value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The row that is called.
    pub(crate) target: RowName,
    /// The method.
    pub(crate) opcode: u32,
    /// When the caller wants the answer.
    pub(crate) due: Due,
    /// The interface's hash up to the method.
    pub(crate) link: u64,
    /// The chain of nested calls that this one belongs to.
    pub(crate) chain: u64,
}

impl Request {
    /// The words after the state.
    #[inline]
    pub(crate) fn encode(self) -> [u64; REQUEST_HEAD - 1] {
        let terms = u64::from(self.opcode) | u64::from(self.due.encode()) << 32;
        [self.target.encode(), terms, self.link, self.chain]
    }

    /// Reads the words after the state.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // two halves
    pub(crate) fn decode([target, terms, link, chain]: [u64; REQUEST_HEAD - 1]) -> Request {
        Request {
            target: RowName::decode(target),
            opcode: terms as u32,
            due: Due::decode((terms >> 32) as u32),
            link,
            chain,
        }
    }
}

/// How a call ended. What the object itself answered, good or bad, is `Answered`; all else says that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Answered = 0,
    InvalidCapability = 1,
    Abandoned = 2,
    BudgetExceeded = 3,
    Busy = 4,
    UnknownMethod = 5,
    WrongInterface = 6,
    Malformed = 7,
    Panicked = 8,
    Unanswerable = 9,
    CallCycle = 10,
}

impl Status {
    const ALL: [Status; 11] = [
        Status::Answered,
        Status::InvalidCapability,
        Status::Abandoned,
        Status::BudgetExceeded,
        Status::Busy,
        Status::UnknownMethod,
        Status::WrongInterface,
        Status::Malformed,
        Status::Panicked,
        Status::Unanswerable,
        Status::CallCycle,
    ];

    #[inline]
    pub(crate) fn decode(status: u8) -> Result<Status, Violation> {
        Status::ALL.get(usize::from(status)).copied().ok_or(Violation("a reply has an unknown status"))
    }

    /// What the caller of an object is told that met this error when it passed the call on.
    pub(crate) fn passed_on(error: &Error) -> Status {
        match error {
            Error::Refused(refusal) => (*refusal).into(),
            Error::Busy => Status::Busy,
            Error::CallCycle => Status::CallCycle,
            Error::BudgetExceeded => Status::BudgetExceeded,
            // Whatever it was that the object held, it is worth nothing any more.
            Error::InvalidCapability | Error::Disconnected | Error::Violation(_) => Status::InvalidCapability,
            _ => Status::Abandoned,
        }
    }

    /// The status as the caller sees it.
    #[inline]
    pub(crate) fn into_result(self) -> Result<(), Error> {
        match self {
            Status::Answered => Ok(()),
            Status::InvalidCapability => Err(Error::InvalidCapability),
            Status::Abandoned => Err(Error::Abandoned),
            Status::BudgetExceeded => Err(Error::BudgetExceeded),
            Status::Busy => Err(Error::Busy),
            Status::CallCycle => Err(Error::CallCycle),
            Status::UnknownMethod => Err(Error::Refused(Refusal::UnknownMethod)),
            Status::WrongInterface => Err(Error::Refused(Refusal::WrongInterface)),
            Status::Malformed => Err(Error::Refused(Refusal::Malformed)),
            Status::Panicked => Err(Error::Refused(Refusal::Panicked)),
            Status::Unanswerable => Err(Error::Refused(Refusal::Unanswerable)),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Status {
        match refusal {
            Refusal::UnknownMethod => Status::UnknownMethod,
            Refusal::WrongInterface => Status::WrongInterface,
            Refusal::Malformed => Status::Malformed,
            Refusal::Panicked => Status::Panicked,
            Refusal::Unanswerable => Status::Unanswerable,
        }
    }
}
