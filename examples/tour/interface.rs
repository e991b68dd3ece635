//! The sessions of the tour's components, and what travels through them.

use crate::wordcount::Counts;
use portcullis_component::{Error, Quota, Service};
use portcullis_packet_stream::{Error as StreamError, Geometry};
use portcullis_rpc::{DataspaceCapability, SignalCapability, rpc_interface};
use serde::{Deserialize, Serialize};

/// The largest packet of a feed, in bytes.
pub const PACKET: usize = 16 << 10;

/// What a feed is made of: 16 packets under way, in a buffer that holds 8 of the largest.
///
/// # Errors
/// None: it is a sound one.
pub fn geometry() -> Result<Geometry, StreamError> {
    Geometry::new(16, 16, 8 * PACKET)
}

/// A session of the counter, for who has something to be counted: a packet stream, whose sink is the session.
///
/// ```
/// use portcullis_component::Service;
/// use portcullis_examples::tour::{Feed, PACKET};
///
/// assert!(<dyn Feed as Service>::donation(&()).ram.in_bytes() > 8 * PACKET as u64, "the client pays for the stream");
/// ```
#[rpc_interface(name = "tour.feed")]
pub trait Feed {
    /// The stream's dataspace, of that [`geometry`], and what is to be signalled when packets are in it.
    ///
    /// # Errors
    /// Those of a call.
    fn stream(&mut self) -> Result<(DataspaceCapability, SignalCapability), Error>;
}

impl Service for dyn Feed {
    type Arguments = ();

    fn donation(_: &()) -> Quota {
        Quota::new(256 << 10, 8)
    }
}

/// A session of the counter, for who wants to know what was counted.
///
/// ```
/// use portcullis_component::Error;
/// use portcullis_examples::tour::Count;
///
/// fn is_done(count: &mut impl Count) -> Result<bool, Error> {
///     Ok(count.state()?.is_done)
/// }
/// ```
#[rpc_interface(name = "tour.count")]
pub trait Count {
    /// What was counted so far.
    ///
    /// # Errors
    /// Those of a call.
    fn state(&mut self) -> Result<State, Error>;

    /// What is signalled when the state has changed, from now on; once at once.
    ///
    /// # Errors
    /// Those of a call.
    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error>;
}

impl Service for dyn Count {
    type Arguments = ();
}

/// What the counter has counted.
///
/// ```
/// use portcullis_examples::tour::State;
///
/// assert!(!State::default().is_done);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// So far.
    pub counts: Counts,
    /// Nothing more will come.
    pub is_done: bool,
}

/// A session of the scribe, who puts numbers into words.
///
/// ```
/// use portcullis_examples::tour::{Scribe, scribe::Clerk};
/// use portcullis_examples::wordcount::Counts;
///
/// let sentence = Clerk.sentence(Counts { lines: 1, words: 2, bytes: 12 })?;
/// assert_eq!(sentence, "1 line, 2 words, 12 bytes");
/// # Ok::<_, portcullis_component::Error>(())
/// ```
#[rpc_interface(name = "tour.scribe")]
pub trait Scribe {
    /// The counts in words.
    ///
    /// # Errors
    /// Those of a call.
    fn sentence(&mut self, counts: Counts) -> Result<String, Error>;
}

impl Service for dyn Scribe {
    type Arguments = ();
}

/// A session of whoever runs the tour: told what happens in it.
///
/// ```
/// use portcullis_component::Error;
/// use portcullis_examples::tour::{Event, Stage};
///
/// fn leave(stage: &mut impl Stage) -> Result<(), Error> {
///     stage.tell(Event::Lost)
/// }
/// ```
#[rpc_interface(name = "tour.stage")]
pub trait Stage {
    /// Something has happened.
    ///
    /// # Errors
    /// Those of a call.
    fn tell(&mut self, event: Event) -> Result<(), Error>;

    /// What is to be counted.
    ///
    /// # Errors
    /// Those of a call.
    fn input(&mut self) -> Result<DataspaceCapability, Error>;

    /// What is worth an attack.
    ///
    /// # Errors
    /// Those of a call.
    fn targets(&mut self) -> Result<Targets, Error>;
}

impl Service for dyn Stage {
    type Arguments = ();
}

/// What happens in the tour.
///
/// ```
/// use portcullis_examples::tour::Event;
///
/// assert_ne!(Event::Lost, Event::Found);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The watcher was signalled, fetched the state, and had the scribe word it.
    Worded {
        /// What it fetched.
        state: State,
        /// The scribe's words.
        words: String,
    },
    /// The watcher's scribe has ended.
    Lost,
    /// The watcher has a session of a scribe again.
    Found,
    /// The intruder has tried something.
    Tried {
        /// What.
        attempt: Attempt,
        /// What it got, or how it was refused.
        outcome: Result<String, String>,
    },
}

/// What the intruder tries.
///
/// ```
/// use portcullis_examples::tour::Attempt;
///
/// assert_eq!(Attempt::ALL.len(), 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// To read a file.
    File,
    /// To look around in the file system.
    Directory,
    /// To connect to a server on this machine, by TCP.
    Network,
    /// To signal another component's process.
    Process,
    /// To read another component's memory.
    Memory,
    /// To run another program.
    Program,
    /// To open a session that no route leads to.
    Session,
    /// To use a capability that it has as one to something else.
    Capability,
}

impl Attempt {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Attempt; 8] = [
        Attempt::File,
        Attempt::Directory,
        Attempt::Network,
        Attempt::Process,
        Attempt::Memory,
        Attempt::Program,
        Attempt::Session,
        Attempt::Capability,
    ];
}

/// What is worth an attack.
///
/// ```
/// use portcullis_examples::tour::Targets;
///
/// let targets = Targets { file: "/etc/passwd".into(), address: "127.0.0.1:1".into(), process: 1 };
/// assert!(targets.file.starts_with('/'));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// A file that everybody may read.
    pub file: String,
    /// Where somebody accepts connections.
    pub address: String,
    /// The process of another component.
    pub process: u32,
}
