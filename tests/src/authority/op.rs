//! What can be done with authority, and what may come of it.

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process(pub usize);

/// An entrypoint with what it holds. A process that is started anew has the same actors, who hold nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub usize);

/// Actors of a process.
pub const ACTORS: usize = 2;

impl Actor {
    /// Where it is.
    #[must_use]
    pub fn process(self) -> Process {
        Process(self.0 / ACTORS)
    }
}

impl Process {
    /// Who is there.
    pub fn actors(self) -> impl Iterator<Item = Actor> {
        (0..ACTORS).map(move |place| Actor(self.0 * ACTORS + place))
    }
}

/// An object, by the number that it answers with. No two have the same, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object(pub u64);

/// A capability in the hands of one actor, by the number under which it is kept. No two have the same, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holding(pub u64);

/// One operation. What it speaks of need not be there: then it does nothing, so that any part of a list of operations
/// is one as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The actor makes an object and holds it.
    Create {
        /// Whose.
        actor: Actor,
        /// The new object.
        object: Object,
        /// How it is held.
        holding: Holding,
    },
    /// The actor holds the same once more.
    Copy {
        /// Who.
        actor: Actor,
        /// What it holds.
        from: Holding,
        /// The copy.
        to: Holding,
    },
    /// The actor drops what it holds.
    Drop {
        /// Who.
        actor: Actor,
        /// What.
        holding: Holding,
    },
    /// The actor calls what it holds. With more than one stop, the object that is called calls on, through what its
    /// own actor holds, and so on; the last object does what is asked for.
    Call {
        /// Who begins.
        actor: Actor,
        /// What each calls, in turn.
        route: Vec<Holding>,
        /// What the last one does.
        action: Action,
    },
    /// Whoever started them all fetches a capability from one actor and gives it to another. Within a process it goes
    /// from hand to hand, without a message.
    Carry {
        /// From whom.
        from: Actor,
        /// What it holds.
        what: Holding,
        /// To whom.
        to: Actor,
        /// How it is held there.
        holding: Holding,
    },
    /// The actor dissolves an object of its own.
    Dissolve {
        /// Whose.
        actor: Actor,
        /// What.
        object: Object,
    },
    /// The process ends, by itself or by a signal; another one takes its place.
    End {
        /// Which.
        process: Process,
        /// By SIGKILL.
        killed: bool,
    },
    /// Everybody calls all that he holds; then rows and objects are counted.
    Settle,
    /// Everybody drops all that he holds and dissolves all his objects; then everything is as it was at the start.
    Sweep,
}

/// What an object does when it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It answers with its number.
    Identify,
    /// Its actor keeps what came with the call: the first of each pair, held by whoever began; as the second.
    Take(Vec<(Holding, Holding)>),
    /// Its actor gives the first, in the result; whoever began holds it as the second.
    Hand(Holding, Holding),
    /// It answers with its number and is no more.
    Dissolve,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// This object answered.
    Answered(Object),
    /// Somebody was refused.
    Failed(Failure),
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The object is dissolved.
    InvalidCapability,
    /// The object's process has ended, or it was dissolved before the capability arrived.
    Disconnected,
    /// The object's entrypoint waits for the caller.
    CallCycle,
    /// No answer came in time.
    DeadlineExceeded,
    /// There was no room for it.
    Busy,
    /// What never happens.
    Other(String),
}

impl From<portcullis_ipc::Error> for Failure {
    fn from(error: portcullis_ipc::Error) -> Failure {
        use portcullis_ipc::Error;
        match error {
            Error::InvalidCapability => Failure::InvalidCapability,
            Error::Disconnected => Failure::Disconnected,
            Error::CallCycle => Failure::CallCycle,
            Error::DeadlineExceeded => Failure::DeadlineExceeded,
            Error::Busy => Failure::Busy,
            other => Failure::Other(format!("{other:?}")),
        }
    }
}
